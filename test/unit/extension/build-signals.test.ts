import { expect, test } from "vitest";
import { signalOfCommand, signalOfTask } from "../../../src/extension/build-signals.ts";

test.each([
  ["make", "build"],
  ["make -j8 all", "build"],
  ["cd fw && ninja -C build", "build"],
  ["/opt/idf/tools/idf.py -p /dev/ttyUSB0 build", "build"],
  ["idf.py build flash monitor", "flash"],
  ["CC=clang time cmake --build build", "build"],
  ["west build -b esp32c3_devkitm", "build"],
  ["west flash", "flash"],
  ["pio run", "build"],
  ["pio run -t upload", "flash"],
  ["arduino-cli compile --fqbn esp32:esp32:esp32c3", "build"],
  ["arduino-cli compile -u -p /dev/ttyUSB0", "flash"],
  ["esptool.py --chip esp32 write_flash 0x0 a.bin", "flash"],
  ["python -m esptool write-flash 0x0 a.bin", "flash"],
  ["make clean", undefined],
  ["make --version", undefined],
  ["git commit -m 'make it build'", undefined],
  ["makeinfo x", undefined],
  ["ls build", undefined],
  ["make && ./run-tests", undefined],
])("the command line '%s' is taken for: %s", (line, signal) => expect(signalOfCommand(line)).toBe(signal));

const task = (type: string, name: string, group?: string, args: readonly string[] = []) =>
  signalOfTask({ type, name, group, args });

test("tasks of the build group build, whoever made them", () => {
  expect(task("shell", "build", "build")).toBe("build");
  expect(task("shell", "lint")).toBeUndefined();
});

test("tasks of the neighbours are known by their names", () => {
  expect(task("esp-idf", "ESP-IDF Build")).toBe("build");
  expect(task("esp-idf", "ESP-IDF Size")).toBeUndefined();
  expect(task("esp-idf", "ESP-IDF Flash")).toBe("flash");
  expect(task("PlatformIO", "Build (esp32dev)", "build", ["run", "--environment", "esp32dev"])).toBe("build");
  expect(task("PlatformIO", "Upload", "build", ["run", "--target", "upload"])).toBe("flash");
  expect(task("PlatformIO", "Monitor", undefined, ["device", "monitor"])).toBeUndefined();
  expect(task("cmake", "CMake: build")).toBe("build");
  expect(task("shell", "nRF Connect: Build: app/build")).toBe("build");
  expect(task("shell", "Zephyr IDE Build: app debug")).toBe("build");
});

test("our own tasks tell nothing", () => {
  expect(task("deltaflash", "build and flash", "build")).toBeUndefined();
});
