/** Which folder under src may import which. Everything that is not listed is an error. */
const mayImport = {
  core: [],
  transport: ["core"],
  targets: ["core", "transport"],
  build: ["core"],
  engine: ["core", "transport", "targets", "build"],
  sim: ["core", "transport"], // a second reading of the specifications: shares no code with targets, so mistakes cannot cancel out
  server: ["core", "transport", "targets", "build", "engine", "sim"],
  cli: ["core", "transport", "targets", "build", "engine", "sim"],
  webview: ["core"],
  extension: ["core"], // plus server/protocol, webview/messages and webview/phrases, nothing else
};

/** Single files that a room may import beside the rooms above. */
const mayAlsoImport = {
  extension: ["server/protocol\\.ts", "webview/messages\\.ts", "webview/phrases\\.ts"],
  webview: ["server/protocol\\.ts"],
};

const walls = Object.entries(mayImport).map(([room, rooms]) => ({
  name: `${room}-imports`,
  comment: `src/${room} may import only: ${rooms.join(", ") || "nothing"}`,
  severity: "error",
  from: { path: `^src/${room}/` },
  to: {
    path: "^src/",
    pathNot: `^src/((${[room, ...rooms].join("|")})/|(${(mayAlsoImport[room] ?? ["-"]).join("|")})$)`,
  },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...walls,
    // The cruiser takes the package esbuild for our esbuild.mjs.
    { name: "no-circles", severity: "error", from: { pathNot: "^esbuild\\.mjs$" }, to: { circular: true } },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, pathNot: ["\\.d\\.ts$", "^test/", "^bench/"] },
      to: {},
    },
    {
      name: "core-is-pure",
      comment: "core has no I/O: of Node only crypto",
      severity: "error",
      from: { path: "^src/core/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "core-has-no-packages",
      severity: "error",
      from: { path: "^src/core/" },
      to: { dependencyTypes: ["npm", "npm-dev", "npm-optional"] },
    },
    {
      name: "serialport-in-one-place",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/transport/(serial|ports)\\.ts$" },
      to: { path: "node_modules/(@types/)?(serialport|@serialport)" },
    },
    {
      name: "vscode-in-extension-only",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/extension/" },
      to: { path: "node_modules/@types/vscode|^vscode$" },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^(vscode|playwright-core)$" },
    },
    { name: "product-knows-no-tests", severity: "error", from: { path: "^src/" }, to: { path: "^(test|bench)/" } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node"],
    },
  },
};
