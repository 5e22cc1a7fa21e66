/** The prover's tests; one skipped test where there is no Rust toolchain. */
import { reportFailure } from "../lib/reportFailure.ts";
import { CargoMissing, runCargo } from "./runCargo.ts";

async function main(): Promise<void> {
  try {
    // The worker's tests use the programs, which `cargo test` alone does not all build.
    const built = await runCargo({ parameters: ["build", "--locked"] });
    const tested = await runCargo({ parameters: ["test", "--locked", "--no-fail-fast"] });
    process.exitCode = built === 0 ? tested : built;
  } catch (error) {
    if (!(error instanceof CargoMissing)) throw error;
    console.log(`suite skipped: ${error.message}`);
  }
}

main().catch(reportFailure);
