// `npm start`: installs what is missing, builds, and shows the main job on a simulated board.
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, checkNode, giveUp, installPackages, root, run, temporaryFolder } from "./setup.mjs";

checkNode();
installPackages();
build();

const { path: folder } = temporaryFolder(join(tmpdir(), "deltaflash-demo-"));

function flash(title, variant) {
  process.stdout.write(`\n== ${title}\n`);
  const report = join(folder, `${variant}.json`);
  const code = run(
    process.execPath,
    [
      "dist/cli.mjs",
      "flash",
      `test/fixtures/firmware/meter-esp32c3-${variant}.elf.gz`,
      "--port",
      "sim:esp32c3",
      "--json",
      report,
    ],
    { env: { ...process.env, DELTAFLASH_STATE: join(folder, "state") } },
  );
  if (code !== 0) giveUp("The demonstration failed.", "Please report the output above.");
  return JSON.parse(readFileSync(report, "utf8"));
}

const full = flash("A new board: everything is written (meter firmware, ESP32-C3, 921600 baud)", "base");
const edit = flash("One constant was edited and the firmware built again: only what changed is written", "const");

const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
process.stdout.write(`
The edit took ${seconds(edit.totalMs)} instead of ${seconds(full.totalMs)}: ${edit.written.sectors} of ${edit.image.sectors} sectors.
The board above is simulated; nothing has been tried on silicon yet.

With your own board:
  node ${join(root, "dist", "cli.mjs")} ports
  node ${join(root, "dist", "cli.mjs")} flash build/flasher_args.json --port /dev/ttyUSB0
More: node ${join(root, "dist", "cli.mjs")} --help
`);
