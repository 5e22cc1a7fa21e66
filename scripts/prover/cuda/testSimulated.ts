import { join } from "node:path";
import { PROVER_FOLDER, runCargo } from "../runCargo.ts";
import { compileLibrary } from "./compileLibrary.ts";
import { runDeviceTests } from "./runDeviceTests.ts";

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
    parameters: ["build", "--profile", profile, "--locked", "--workspace"],
  });
  if (built !== 0) return built;

  const target = join(PROVER_FOLDER, "target");
  const simulator = join(target, profile === "dev" ? "debug" : profile, "libhaca_prover_simt.a");
  const folder = join(target, "cuda-simulated");
  console.log(`compiling the CUDA library for the simulated device with ${nvcc}`);
  await compileLibrary({
    nvcc,
    folder,
    library: { kind: "simulation", simulator },
    onPart: ({ name, seconds }) => console.log(`${name}: ${seconds.toFixed(0)} s`),
  });
  return runDeviceTests({ library: join(folder, "libhaca_cuda.so"), profile });
}
