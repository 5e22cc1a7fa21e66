/**
 * The prover's tests; one skipped test where there is no Rust toolchain. With HACA_DEEP=1 also the CUDA emulator's, and
 * the CUDA library on the emulated device where there is a CUDA compiler.
 */
import { reportFailure } from "../../scripts/lib/reportFailure.ts";
import { findNvcc } from "./cuda/findNvcc.ts";
import { testEmulated, testEmulator } from "./cuda/testEmulated.ts";
import { CargoMissing, runCargo } from "./runCargo.ts";

async function main(): Promise<void> {
  try {
    // The worker's tests use the programs, which `cargo test` alone does not all build; together with the tests, so that
    // what both need is compiled once, with the features that the tests ask for.
    const built = await runCargo({ parameters: ["build", "--locked", "--bins", "--tests"] });
    const tested = await runCargo({ parameters: ["test", "--locked", "--no-fail-fast"] });
    const emulated = process.env.HACA_DEEP === "1" ? await testOnEmulator() : 0;
    process.exitCode = built || tested || emulated;
  } catch (error) {
    if (!(error instanceof CargoMissing)) throw error;
    console.log(`suite skipped: ${error.message}`);
  }
}

async function testOnEmulator(): Promise<number> {
  const own = await testEmulator({ profile: "dev" });
  const nvcc = findNvcc();
  if (nvcc === undefined) {
    console.log("suite skipped: no nvcc, so the CUDA library does not run on the emulated device");
    return own;
  }
  return own || (await testEmulated({ nvcc, profile: "dev" }));
}

main().catch(reportFailure);
