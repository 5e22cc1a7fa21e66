/** `npm run build:prover`: the native prover, one program for all CPUs of this architecture. */
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { runCargo } from "./runCargo.ts";

async function build(): Promise<void> {
  const status = await runCargo({ parameters: ["build", "--release", "--locked"] });
  if (status !== 0) {
    throw new BaseError({
      code: "prover.build",
      message: `cargo ended with status ${status}: see above`,
    });
  }
  console.log("prover/target/release/haca-prover is built; the worker uses it from its next start");
}

await runProgram(
  createProgram({
    name: "build:prover",
    summary:
      "Builds the native prover: one program for all CPUs of this architecture, which takes the best instructions that " +
      "it finds. Needs Rust (cargo).",
  }).action(build),
);
