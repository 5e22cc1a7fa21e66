/** `npm run package:prover`: the built native prover as an npm package. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { packProver } from "./packProver.ts";
import { builtProgram, isOwn, PLATFORMS, platformNamed } from "./platforms.ts";
import { PROVER_FOLDER } from "./runCargo.ts";

async function packageProver(values: { platform?: string; repository?: string }): Promise<void> {
  const platform = platformNamed(values.platform);
  const program = builtProgram(platform, "release");
  if (!existsSync(program)) {
    const option = isOwn(platform) ? "" : ` -- --platform ${values.platform}`;
    throw new BaseError({
      code: "prover.notBuilt",
      message: `${program} does not exist: run \`npm run build:prover${option}\` first`,
    });
  }
  const { tarball, sha256 } = await packProver({
    program,
    platform,
    destination: join(PROVER_FOLDER, "target", "npm"),
    repository: values.repository,
  });
  console.log(`${tarball}\nSHA-256 of the program in it: ${sha256}`);
}

await runProgram(
  createProgram({
    name: "package:prover",
    summary:
      "Packs the native prover that build:prover has made for npm: a package for this platform, with checksums, in " +
      "prover/target/npm.",
  })
    .option("--platform <name>", `another one: ${Object.keys(PLATFORMS).join(", ")}`)
    .option(
      "--repository <url>",
      "written into the package: npm demands it of what is published with provenance",
    )
    .action(packageProver),
);
