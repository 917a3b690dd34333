// Validates the GLB files named on the command line with the Khronos validator, found in the folder given first.
// Prints one JSON list: the validator's report for each file.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, ...files] = process.argv.slice(2);
const validator = createRequire(folder + "/")("gltf-validator");
const reports = [];
for (const file of files) {
  reports.push(await validator.validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 50 }));
}
process.stdout.write(JSON.stringify(reports));
