/** The prover's tests; one skipped test where there is no Rust toolchain. */
import { reportFailure } from "../lib/reportFailure.ts";
import { CargoMissing, runCargo } from "./runCargo.ts";

async function main(): Promise<void> {
  try {
    process.exitCode = await runCargo({ parameters: ["test", "--locked", "--no-fail-fast"] });
  } catch (error) {
    if (!(error instanceof CargoMissing)) throw error;
    console.log(`suite skipped: ${error.message}`);
  }
}

main().catch(reportFailure);
