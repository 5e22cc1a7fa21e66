/** `npm run test:prover:arm`: the native prover for aarch64, on an emulator where this machine is none. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { compareProofs } from "./arm/compareProofs.ts";
import { missingForArm } from "./arm/missingForArm.ts";
import { proveOnBoth } from "./arm/proveOnBoth.ts";
import { cargoFor, platformNamed } from "./platforms.ts";
import { runCargo } from "./runCargo.ts";

async function testArm(): Promise<void> {
  const arm = platformNamed("linux-arm64");
  const missing = await missingForArm(arm);
  if (missing.length > 0) {
    throw new BaseError({
      code: "prover.noArm",
      message: `aarch64 cannot be tested here: missing ${missing.join("; ")}`,
    });
  }
  const { parameters, environment } = cargoFor(arm);
  const tests = ["test", "--locked", ...parameters, "-p", "haca-prover-curves"];
  if ((await runCargo({ parameters: tests, environment })) !== 0) {
    throw new BaseError({ code: "prover.arm", message: "a test failed: see above" });
  }
  const compared = await compareProofs(arm);
  console.log(`${compared} proofs under a fixed seed are equal word for word`);
  const folder = mkdtempSync(join(tmpdir(), "haca-arm-"));
  try {
    const isas = await proveOnBoth({ arm, folder });
    console.log(`the program proves with ${isas.join(", ")}, and this machine's verifies it`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await runProgram(
  createProgram({
    name: "test:prover:arm",
    summary:
      "Compiles the native prover for aarch64 and, on QEMU, tests its arithmetic on 10,000 random and edge values, " +
      "compares its proofs with those of this machine's, and proves with the whole program. Says what is missing where " +
      "that cannot be done: it needs Rust's target aarch64-unknown-linux-gnu, gcc-aarch64-linux-gnu and qemu-user-static.",
  }).action(testArm),
);
