// `npm run check`: types, lint, format, import rules, dead code, unit and simulated tests. Prints `N passed, N failed` at the end.
import { checkNode, installPackages } from "./setup.mjs";
import { closingLine, runChecks, runTests } from "./levels.mjs";

checkNode();
installPackages();
const results = [...(await runChecks({ cached: true })), runTests("fast")];
process.exitCode = closingLine(results);
