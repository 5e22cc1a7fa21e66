/** `npm run package:prover`: the built native prover as an npm package for machines like this one. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { packProver } from "./packProver.ts";
import { PROVER_FOLDER } from "./runCargo.ts";

async function packageProver(): Promise<void> {
  const program = join(PROVER_FOLDER, "target", "release", "haca-prover");
  if (!existsSync(program)) {
    throw new BaseError({
      code: "prover.notBuilt",
      message: `${program} does not exist: run \`npm run build:prover\` first`,
    });
  }
  const { tarball, sha256 } = await packProver({
    program,
    destination: join(PROVER_FOLDER, "target", "npm"),
  });
  console.log(`${tarball}\nSHA-256 of the program in it: ${sha256}`);
}

await runProgram(
  createProgram({
    name: "package:prover",
    summary:
      "Packs prover/target/release/haca-prover for npm: a package for this platform, with checksums, " +
      "in prover/target/npm. Run build:prover before.",
  }).action(packageProver),
);
