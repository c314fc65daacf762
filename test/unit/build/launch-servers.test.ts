import { describe, expect, test } from "vitest";
import { readLaunchFile } from "../../../src/build/launch-json.ts";
import { serverOfSetting } from "../../../src/build/launch-servers.ts";
import type { LaunchServer } from "../../../src/build/gdb-server-launch.ts";
import { sampleWorkspace } from "./sample-workspace.ts";

type Configuration = Readonly<Record<string, unknown>>;

/** What the configurations say of their servers, in words. */
async function servers(...configurations: readonly Configuration[]): Promise<string> {
  using folder = sampleWorkspace();
  const written = configurations.map((one) => JSON.stringify({ name: "X", request: "launch", ...one }));
  folder.put(".vscode/launch.json", `{ "configurations": [\n${written.join(",\n")}\n] } // a comment`);
  const file = await readLaunchFile(folder.path, { HOME: "/home/me", SN: "0669FF" });
  return folder.plain((file?.servers ?? []).map(described).join("\n"));
}

function described({ server, reasons }: LaunchServer): string {
  if (server === undefined) return reasons.join("\n");
  const { kind, program, attach, cannotStart, evidence, adapterSpeedNote } = server;
  const words = program === undefined ? [] : [program.command, ...program.args];
  return [
    `${kind}, ${evidence}`,
    ...(program === undefined ? [] : [`  in ${program.cwd}: ${words.map(quoted).join(" ")}`]),
    ...(program?.readyPattern === undefined ? [] : [`  ready: ${program.readyPattern}`]),
    ...(attach === undefined ? [] : [`  at ${attach}`]),
    ...(cannotStart === undefined ? [] : [`  cannot be started: ${cannotStart}`]),
    `  ${adapterSpeedNote}`,
  ].join("\n");
}

const quoted = (word: string) => (/[\s{}]/.test(word) ? `'${word}'` : word);

const cortexDebug = (servertype: string, fields: Configuration = {}): Configuration => ({
  ...{ type: "cortex-debug", servertype, svdFile: "${command:svd}", executable: "fw.elf" },
  ...fields,
});

describe("servers of Cortex-Debug", () => {
  test("OpenOCD, as it is mostly written", async () => {
    expect(await servers(cortexDebug("openocd", { configFiles: ["interface/stlink.cfg", "target/stm32f4x.cfg"] })))
      .toMatchInlineSnapshot(`
      "openocd, <folder>/.vscode/launch.json line 2
        in <folder>: openocd -c 'gdb_port {gdbPort}' -c 'tcl_port disabled' -c 'telnet_port disabled' -s <folder> -f interface/stlink.cfg -f target/stm32f4x.cfg
        OpenOCD's board and interface files set the speed of the debug probe; \`adapter speed\` in the configuration sets another."
    `);
  });

  test("OpenOCD with everything, a speed among it", async () => {
    const fields = {
      cwd: "${workspaceFolder}/app",
      serverpath: "${userHome}/xpack/bin/openocd",
      searchDir: ["${workspaceFolder}/scripts"],
      openOCDPreConfigLaunchCommands: ["set CPUTAPID 0"],
      configFiles: ["board.cfg"],
      serverArgs: ["-d2"],
      openOCDLaunchCommands: ["adapter speed 4000"],
    };
    expect(await servers(cortexDebug("openocd", fields))).toMatchInlineSnapshot(`
      "openocd, <folder>/.vscode/launch.json line 2
        in <folder>/app: /home/me/xpack/bin/openocd -c 'gdb_port {gdbPort}' -c 'tcl_port disabled' -c 'telnet_port disabled' -s <folder>/scripts -c 'set CPUTAPID 0' -f board.cfg -d2 -c 'adapter speed 4000'
        The debug probe runs at 4000 kHz, as the configuration says."
    `);
  });

  test("J-Link, by its serial number and over the network", async () => {
    const probe = { device: "nRF52840_xxAA", serialNumber: "${env:SN}", serverArgs: ["-speed", "8000"] };
    const network = { device: "STM32F767ZI", interface: "jtag", ipAddress: "10.0.0.7" };
    expect(await servers(cortexDebug("jlink", probe), cortexDebug("jlink", network))).toMatchInlineSnapshot(`
      "jlink, <folder>/.vscode/launch.json line 2
        in <folder>: JLinkGDBServerCLExe -nogui -if swd -port '{gdbPort}' -swoport '{freePort}' -telnetport '{freePort}' -localhostonly 1 -device nRF52840_xxAA -select usb=0669FF -speed 8000
        The debug probe runs at 8000 kHz, as the configuration says.
      jlink, <folder>/.vscode/launch.json line 3
        in <folder>: JLinkGDBServerCLExe -nogui -if jtag -port '{gdbPort}' -swoport '{freePort}' -telnetport '{freePort}' -localhostonly 1 -device STM32F767ZI -select ip=10.0.0.7
        The configuration names no speed of the debug probe: the server takes its own."
    `);
  });

  test("pyOCD, st-util, ST-LINK and QEMU", async () => {
    expect(
      await servers(
        cortexDebug("pyocd", { targetId: "stm32f767zi", boardId: "0240", serverArgs: ["--frequency", "4000000"] }),
        cortexDebug("stutil", { serialNumber: "0669FF" }),
        cortexDebug("stlink", { serverpath: "/opt/st/bin/ST-LINK_gdbserver", stm32cubeprogrammer: "/opt/cube/bin" }),
        cortexDebug("qemu", { machine: "microbit", cpu: "cortex-m0" }),
      ),
    ).toMatchInlineSnapshot(`
      "pyocd, <folder>/.vscode/launch.json line 2
        in <folder>: pyocd gdbserver --persist --port '{gdbPort}' --telnet-port '{freePort}' --uid 0240 --target stm32f767zi --frequency 4000000
        The debug probe runs at 4000000 Hz, as the configuration says.
      st-util, <folder>/.vscode/launch.json line 3
        in <folder>: st-util -p '{gdbPort}' --multi --no-reset --serial 0669FF
        The configuration names no speed of the debug probe: the server takes its own.
      st-link, <folder>/.vscode/launch.json line 4
        in /opt/st/bin: /opt/st/bin/ST-LINK_gdbserver -p '{gdbPort}' -e -cp /opt/cube/bin --swd --halt
        The configuration names no speed of the debug probe: the server takes its own.
      qemu, <folder>/.vscode/launch.json line 5
        in <folder>: qemu-system-arm -cpu cortex-m0 -machine microbit -nographic -semihosting-config enable=on,target=native -gdb 'tcp:127.0.0.1:{gdbPort}' -S
        There is no debug probe, and nothing to set a speed of."
    `);
  });

  test("servers that run elsewhere or in the probe are attached to", async () => {
    expect(
      await servers(
        cortexDebug("external", { gdbTarget: "bench.lan:3333" }),
        cortexDebug("external", { gdbTarget: ":2331" }),
        cortexDebug("bmp", { BMPGDBSerialPort: "/dev/ttyBmpGdb" }),
        cortexDebug("bmp", { BMPGDBSerialPort: "COM4" }),
      ),
    ).toMatchInlineSnapshot(`
      "other, <folder>/.vscode/launch.json line 2
        at gdb://bench.lan:3333
        cannot be started: it says where its server is, not how it is started
        Whoever started the server set the speed of the debug probe.
      other, <folder>/.vscode/launch.json line 3
        at gdb://localhost:2331
        cannot be started: it says where its server is, not how it is started
        Whoever started the server set the speed of the debug probe.
      black-magic, <folder>/.vscode/launch.json line 4
        at gdb:/dev/ttyBmpGdb
        cannot be started: the server is in the probe
        Whoever started the server set the speed of the debug probe.
      black-magic, <folder>/.vscode/launch.json line 5
        at gdb:COM4
        cannot be started: the server is in the probe
        Whoever started the server set the speed of the debug probe."
    `);
  });

  test("what cannot be known is said, with the reason", async () => {
    expect(
      await servers(
        cortexDebug("openocd", { configFiles: ["${command:board}"], searchDir: ["${input:where}"] }),
        cortexDebug("openocd"),
        cortexDebug("jlink"),
        cortexDebug("stlink"),
        cortexDebug("external"),
        cortexDebug("external", { gdbTarget: "| openocd -p" }),
        cortexDebug("bmp"),
        cortexDebug("pe"),
        cortexDebug("openocd", { configFiles: ["a.cfg"], targetProcessor: 1 }),
        { type: "cortex-debug" },
      ),
    ).toMatchInlineSnapshot(`
      "“X” in <folder>/.vscode/launch.json gives no GDB server: \${command:board}, \${input:where} is known to the editor only.
      “X” in <folder>/.vscode/launch.json gives no GDB server: it names no configFiles for OpenOCD.
      “X” in <folder>/.vscode/launch.json gives no GDB server: it names no device for the J-Link GDB Server.
      “X” in <folder>/.vscode/launch.json gives no GDB server: it does not say where STM32CubeProgrammer is (stm32cubeprogrammer), which ST-LINK_gdbserver needs.
      “X” in <folder>/.vscode/launch.json gives no GDB server: it names no gdbTarget for its external server.
      “X” in <folder>/.vscode/launch.json gives no GDB server: its server's address | openocd -p is none that Deltaflash can reach.
      “X” in <folder>/.vscode/launch.json gives no GDB server: it names no BMPGDBSerialPort.
      “X” in <folder>/.vscode/launch.json gives no GDB server: its servertype pe is not supported.
      “X” in <folder>/.vscode/launch.json gives no GDB server: it debugs another core than the first, which is not supported.
      “X” in <folder>/.vscode/launch.json gives no GDB server: it names no servertype."
    `);
  });
});

test("probe-rs: a GDB server of its own, at the configuration's chip, probe and speed", async () => {
  const full = { probe: "0483:374b:0669FF", speed: 4000, wireProtocol: "Swd", connectUnderReset: true };
  expect(
    await servers(
      { type: "probe-rs-debug", chip: "nRF52840_xxAA" },
      { type: "probe-rs-debug", chip: "STM32H745ZITx", runtimeExecutable: "bin/probe-rs", ...full },
      { type: "probe-rs-debug", chip: "STM32H745ZITx", server: "127.0.0.1:50000" },
      { type: "probe-rs-debug", chip: "STM32H745ZITx", server: "bench:50000" },
      { type: "probe-rs-debug" },
    ),
  ).toMatchInlineSnapshot(`
    "probe-rs, <folder>/.vscode/launch.json line 2
      in <folder>: probe-rs gdb --chip nRF52840_xxAA --gdb-connection-string '127.0.0.1:{gdbPort}'
      The configuration names no speed of the debug probe: the server takes its own.
    probe-rs, <folder>/.vscode/launch.json line 3
      in <folder>: <folder>/bin/probe-rs gdb --chip STM32H745ZITx --gdb-connection-string '127.0.0.1:{gdbPort}' --protocol swd --probe 0483:374b:0669FF --speed 4000 --connect-under-reset
      The debug probe runs at 4000 kHz, as the configuration says.
    probe-rs, <folder>/.vscode/launch.json line 4
      in <folder>: probe-rs gdb --chip STM32H745ZITx --gdb-connection-string '127.0.0.1:{gdbPort}'
      The configuration names no speed of the debug probe: the server takes its own.
    “X” in <folder>/.vscode/launch.json gives no GDB server: its probe is behind the debug adapter at bench:50000, which is no GDB server.
    “X” in <folder>/.vscode/launch.json gives no GDB server: it names no chip for probe-rs."
  `);
});

test("gdbtarget: a written command line, a server to attach to, and what only the editor knows", async () => {
  const openocd = ["-f", "board.cfg", "-c", "gdb_port 3333"];
  expect(
    await servers(
      { type: "gdbtarget", cwd: "fw", target: { server: "openocd", serverParameters: openocd, port: "3333" } },
      { type: "gdbtarget", target: { server: "./serve.sh", serverParameters: [], serverPortRegExp: "on (\\d+)!" } },
      { type: "gdbtarget", request: "attach", target: { port: 3333 } },
      { type: "gdbtarget", target: { server: "pyocd", port: "3333" } },
      {
        type: "gdbtarget",
        target: {
          server: "JLinkGDBServer",
          serverParameters: ["-device", "${command:cmsis-csolution.getDeviceName}", "-speed", "auto"],
          port: "2331",
        },
      },
      { type: "gdbtarget", target: { host: "${command:host}", port: "3333" } },
      { type: "gdbtarget", target: { server: "serve", serverParameters: [], serverPortRegExp: "(" } },
      { type: "gdbtarget" },
    ),
  ).toMatchInlineSnapshot(`
    "openocd, <folder>/.vscode/launch.json line 2
      in <folder>/fw: openocd -f board.cfg -c 'gdb_port 3333'
      at gdb://localhost:3333
      OpenOCD's board and interface files set the speed of the debug probe; \`adapter speed\` in the configuration sets another.
    other, <folder>/.vscode/launch.json line 3
      in <folder>: <folder>/serve.sh
      ready: on (/d+)!
      The configuration names no speed of the debug probe: the server takes its own.
    other, <folder>/.vscode/launch.json line 4
      at gdb://localhost:3333
      cannot be started: it says where its server is, not how it is started
      Whoever started the server set the speed of the debug probe.
    pyocd, <folder>/.vscode/launch.json line 5
      at gdb://localhost:3333
      cannot be started: it names pyocd without parameters, which its debugger adds
      The configuration names no speed of the debug probe: the server takes its own.
    jlink, <folder>/.vscode/launch.json line 6
      at gdb://localhost:2331
      cannot be started: \${command:cmsis-csolution.getDeviceName} is known to the editor only
      The debug probe runs at auto, as the configuration says.
    “X” in <folder>/.vscode/launch.json gives no GDB server: \${command:host} is known to the editor only.
    “X” in <folder>/.vscode/launch.json gives no GDB server: its serverPortRegExp ( is no regular expression with a group.
    “X” in <folder>/.vscode/launch.json gives no GDB server: it names no server."
  `);
});

test("ST's debuggers: what they write out is used, what they find by themselves is not guessed", async () => {
  const written = { serverExe: "openocd", serverParameters: ["-f", "interface/stlink.cfg"], serverPort: "3333" };
  expect(
    await servers(
      { type: "stlinkgdbtarget", imagesAndSymbols: [{ imageFileName: "${command:image}" }] },
      { type: "jlinkgdbtarget", serverPort: "${command:st-stm32-ide-debug-launch.get-server-port}" },
      { type: "stgdbtarget", serverCwd: "/usr/bin", ...written },
      { type: "stgdbtarget", request: "attach", serverHost: "localhost", serverPort: "61234" },
    ),
  ).toMatchInlineSnapshot(`
    "“X” in <folder>/.vscode/launch.json gives no GDB server: stlinkgdbtarget finds its server by itself and the configuration names neither serverExe nor serverPort.
    “X” in <folder>/.vscode/launch.json gives no GDB server: \${command:st-stm32-ide-debug-launch.get-server-port} is known to the editor only.
    openocd, <folder>/.vscode/launch.json line 4
      in /usr/bin: openocd -f interface/stlink.cfg
      at gdb://localhost:3333
      OpenOCD's board and interface files set the speed of the debug probe; \`adapter speed\` in the configuration sets another.
    other, <folder>/.vscode/launch.json line 5
      at gdb://localhost:61234
      cannot be started: it says where its server is, not how it is started
      Whoever started the server set the speed of the debug probe."
  `);
});

test("a block for this system wins, and the line is that of the configuration", async () => {
  const systems = { windows: { serverpath: "w" }, osx: { serverpath: "o" }, linux: { serverpath: "l" } };
  const all = await servers(cortexDebug("pyocd"), cortexDebug("pyocd", systems));
  const own = { win32: "w", darwin: "o" }[process.platform as string] ?? "l";
  expect(all).toContain("launch.json line 3\n");
  expect(all).toContain(`in <folder>: ${own} gdbserver`);
});

test("a configuration stays the same server however its file is laid out", async () => {
  using folder = sampleWorkspace();
  const external = { ...cortexDebug("external", { gdbTarget: ":1" }), name: "A" };
  folder.put(".vscode/launch.json", JSON.stringify({ configurations: [external] }));
  const ids = async () => (await readLaunchFile(folder.path, {}))?.servers.map(({ server }) => server?.id);
  const before = await ids();
  folder.put(".vscode/launch.json", JSON.stringify({ version: "0.2.0", configurations: [external] }, null, 2));
  expect(await ids()).toEqual(before);
});

test("the setting: a command of the user's own", () => {
  const words = { folder: "/ws", environment: { SN: "7" } };
  const args = ["-f", "${workspaceFolder}/b.cfg", "-c", "gdb_port {gdbPort}; adapter speed 1800"];
  const shown = [
    serverOfSetting({ command: "openocd", args }, words),
    serverOfSetting({ command: "tools/serve", args: [], port: 4242 }, words),
    serverOfSetting({ command: "openocd", args: ["${config:x}"] }, words),
    serverOfSetting({ command: " ", args: [] }, words),
  ];
  expect(shown.map(described).join("\n")).toMatchInlineSnapshot(`
    "openocd, the setting deltaflash.gdbServer
      in /ws: openocd -f /ws/b.cfg -c 'gdb_port {gdbPort}; adapter speed 1800'
      The debug probe runs at 1800 kHz, as the configuration says.
    other, the setting deltaflash.gdbServer
      in /ws: /ws/tools/serve
      at gdb://127.0.0.1:4242
      The configuration names no speed of the debug probe: the server takes its own.
    The setting deltaflash.gdbServer gives no server: \${config:x} is known to the editor only.
    The setting deltaflash.gdbServer gives no server: it names no command."
  `);
});
