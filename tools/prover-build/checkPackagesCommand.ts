/** `npm run package:prover:check`: the packages of a release, before they are published. */
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { checkPackages } from "./checkPackages.ts";
import { proverVersion } from "./packProver.ts";
import { PLATFORMS } from "./platforms.ts";
import { PROVER_FOLDER } from "./runCargo.ts";

async function check(given: string | undefined, values: { tag?: string }): Promise<void> {
  const folder = given ?? join(PROVER_FOLDER, "target", "npm");
  const version = values.tag === undefined ? proverVersion() : versionOf(values.tag);
  const platforms = Object.keys(PLATFORMS);
  const tarballs = await checkPackages({ folder, version, platforms });
  console.log(`${tarballs.join("\n")}\nall of version ${version}; ${join(folder, "SHA256SUMS")}`);
}

function versionOf(tag: string): string {
  const version = /^prover-v(\d+\.\d+\.\d+)$/.exec(tag)?.[1];
  if (version !== undefined) return version;
  throw new BaseError({
    code: "prover.tag",
    message: `--tag: ${tag} names no version of the prover, as prover-v1.2.3 does`,
  });
}

await runProgram(
  createProgram({
    name: "package:prover:check",
    summary:
      "Looks into the packages of a release (every platform, one version, programs with the checksums that their " +
      "packages name) and writes SHA256SUMS of the tarballs beside them.",
  })
    .argument("[folder]", "where the tarballs are; otherwise prover/target/npm")
    .option(
      "--tag <tag>",
      "the release's tag, such as prover-v0.1.0; without it the sources' version",
    )
    .action(check),
);
