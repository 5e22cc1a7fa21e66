/** `npm run build:sdk`: the SDK as a folder that can be published. */
import { join, relative } from "node:path";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { buildSdk } from "./buildSdk.ts";

const FOLDER = join(PROJECT_ROOT, "sdk/dist");

await runProgram(
  createProgram({
    name: "build:sdk",
    summary: "Makes the SDK a folder that can be published, sdk/dist.",
  }).action(async () => {
    await buildSdk(FOLDER);
    console.log(`written to ${relative(process.cwd(), FOLDER)}; npm pack makes its archive there`);
  }),
);
