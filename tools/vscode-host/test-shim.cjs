// Runs in the extension host in place of the test entry: sends console output to a file, runs the real entry, leaves a verdict.
const fs = require("node:fs"),
  { VSCH_TESTS, VSCH_OUT, VSCH_RESULT } = process.env;
const fd = fs.openSync(VSCH_OUT, "a");
const write = (data, encoding, done) => {
  fs.writeSync(fd, String(data));
  (typeof encoding === "function" ? encoding : done)?.();
  return true;
};
// The host's console methods are getters that ignore assignment, so the whole object is replaced, before mocha is loaded.
const stream = { write, on() {}, once() {}, removeListener() {}, listenerCount: () => 0 };
globalThis.console = new console.Console({ stdout: stream, colorMode: false });
process.stdout.write = process.stderr.write = write;
exports.run = async () => {
  try {
    await require(VSCH_TESTS).run();
    fs.writeFileSync(VSCH_RESULT, "pass");
  } catch (error) {
    console.error(error);
    fs.writeFileSync(VSCH_RESULT, "fail");
    throw error;
  }
};
