// Answers `--version` and `--standard-json` (request on stdin, whole sources inside) and nothing else.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

let solc;
try {
  solc = require("../node_modules/solc");
} catch {
  console.error("solc is not installed: run `make setup` (or `npm ci` in solidity/)");
  process.exit(1);
}

const options = process.argv.slice(2);
if (options.includes("--version")) {
  // Callers parse the build's platform and know no "Emscripten.clang"; the bytecode is the same on every platform.
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`);
} else if (options.includes("--standard-json")) {
  const answer = solc.compile(fs.readFileSync(0, "utf8"));
  process.stdout.write(answer);
} else {
  console.error(`${path.basename(__filename)} answers --version and --standard-json only, not: ${options.join(" ")}`);
  process.exit(2);
}
