import { join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/lib/projectRoot.ts";
import { PROVER_FOLDER, runCargo } from "../runCargo.ts";
import { compileLibrary } from "./compileLibrary.ts";
import { runDeviceTests } from "./runDeviceTests.ts";

const EMULATOR_FOLDER = join(PROJECT_ROOT, "tools", "cuda-emulator");

/**
 * Compiles the CUDA library for the device in software and runs the device's tests on it.
 * @returns cargo's exit status
 * @throws BaseError `cuda.tool`, `cuda.headers`, `cuda.symbols`, `cuda.kernels`; CargoMissing
 */
export async function testSimulated(parameters: {
  nvcc: string;
  profile: "dev" | "release";
}): Promise<number> {
  const { nvcc, profile } = parameters;
  const built = await runCargo({
    parameters: ["build", "--profile", profile, "--locked"],
    folder: EMULATOR_FOLDER,
  });
  if (built !== 0) return built;

  const target = join(EMULATOR_FOLDER, "target");
  const simulator = join(target, profile === "dev" ? "debug" : profile, "libhaca_prover_simt.a");
  const runtime = join(EMULATOR_FOLDER, "runtime", "runtime.cpp");
  const folder = join(PROVER_FOLDER, "target", "cuda-simulated");
  console.log(`compiling the CUDA library for the simulated device with ${nvcc}`);
  await compileLibrary({
    nvcc,
    folder,
    library: { kind: "simulation", runtime, simulator },
    onPart: ({ name, seconds }) => console.log(`${name}: ${seconds.toFixed(0)} s`),
  });
  return runDeviceTests({ library: join(folder, "libhaca_cuda.so"), profile });
}
