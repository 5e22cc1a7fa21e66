/** The prover's tests; one skipped test where there is no Rust toolchain, or no CUDA compiler. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { reportFailure } from "../../scripts/lib/reportFailure.ts";
import { findNvcc } from "./cuda/findNvcc.ts";
import { testSimulated } from "./cuda/testSimulated.ts";
import { CargoMissing, runCargo } from "./runCargo.ts";

async function main(): Promise<void> {
  try {
    // The worker's tests use the programs, which `cargo test` alone does not all build.
    const built = await runCargo({ parameters: ["build", "--locked"] });
    const tested = await runCargo({
      parameters: ["test", "--workspace", "--locked", "--no-fail-fast"],
    });
    const emulator = await runCargo({
      parameters: ["test", "--locked", "--no-fail-fast"],
      folder: join(PROJECT_ROOT, "tools", "cuda-emulator"),
    });
    const nvcc = findNvcc();
    if (nvcc === undefined) {
      console.log(
        "suite skipped: no nvcc, so the CUDA library does not run on the simulated device",
      );
    }
    const simulated = nvcc === undefined ? 0 : await testSimulated({ nvcc, profile: "dev" });
    process.exitCode = built || tested || emulator || simulated;
  } catch (error) {
    if (!(error instanceof CargoMissing)) throw error;
    console.log(`suite skipped: ${error.message}`);
  }
}

main().catch(reportFailure);
