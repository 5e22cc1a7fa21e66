import { join } from "node:path";
import { PROVER_FOLDER, runCargo } from "../runCargo.ts";
import { compileLibrary } from "./compileLibrary.ts";

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
  return runCargo({
    parameters: [
      // The whole workspace, so that what other tests were compiled with can be used.
      ...["test", "--profile", profile, "--locked", "--workspace", "--test", "device"],
      ...["--", "--ignored", "--test-threads", "1"],
    ],
    environment: { HACA_PROVER_CUDA_LIBRARY: join(folder, "libhaca_cuda.so") },
  });
}
