// Loaded beside the extension by the test of how far the screen is behind the engine. The editor starts extensions without
// NODE_OPTIONS; set here, they reach the server that our extension starts a moment later.
const { join } = require("node:path");

exports.activate = () => {
  process.env.NODE_OPTIONS = `--require ${join(__dirname, "server-clock.cjs")}`;
};
