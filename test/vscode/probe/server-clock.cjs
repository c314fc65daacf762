// Runs in the server before the server's own code: writes down when the engine tells of a board's state, and what it tells.
const { appendFileSync } = require("node:fs");

const file = process.env.DELTAFLASH_PROBE;
if (file !== undefined && process.send !== undefined && /server\.cjs$/.test(process.argv[1] ?? "")) {
  const send = process.send;
  process.send = function (message, ...more) {
    if (message?.method === "deltaflash/state")
      appendFileSync(file, `${JSON.stringify({ at: Date.now(), state: message.params.state })}\n`);
    return send.call(this, message, ...more);
  };
}
