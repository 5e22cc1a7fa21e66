/** `npm run build:prover`: the native prover, one program for all CPUs of an architecture. */
import { relative } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { builtProgram, cargoFor, isOwn, PLATFORMS, platformNamed } from "./platforms.ts";
import { runCargo } from "./runCargo.ts";

async function build(values: { platform?: string }): Promise<void> {
  const platform = platformNamed(values.platform);
  const { parameters, environment } = cargoFor(platform);
  const status = await runCargo({
    parameters: ["build", "--release", "--locked", ...parameters],
    environment,
  });
  if (status !== 0) {
    throw new BaseError({
      code: "prover.build",
      message: `cargo ended with status ${status}: see above`,
    });
  }
  const program = relative(PROJECT_ROOT, builtProgram(platform, "release"));
  const use = isOwn(platform) ? "the worker uses it from its next start" : "for other machines";
  console.log(`${program} is built; ${use}`);
}

await runProgram(
  createProgram({
    name: "build:prover",
    summary:
      "Builds the native prover: one program for all CPUs of this architecture, which takes the best instructions that " +
      "it finds. Needs Rust (cargo).",
  })
    .option(
      "--platform <name>",
      `another one: ${Object.keys(PLATFORMS).join(", ")}; needs Rust's target and a C compiler for it`,
    )
    .action(build),
);
