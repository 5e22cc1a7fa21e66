import { join } from "node:path";
import { EMULATOR_FOLDER, emulatedDevice } from "../../cuda-emulator/emulatedDevice.ts";
import { PROVER_FOLDER, runCargo } from "../runCargo.ts";
import { compileLibrary } from "./compileLibrary.ts";
import { type Profile, runDeviceTests } from "./runDeviceTests.ts";

/**
 * The emulator's own tests.
 * @returns cargo's exit status
 * @throws CargoMissing
 */
export function testEmulator(parameters: { profile: Profile }): Promise<number> {
  return runCargo({
    parameters: ["test", "--profile", parameters.profile, "--locked", "--no-fail-fast"],
    folder: EMULATOR_FOLDER,
  });
}

/**
 * Compiles the CUDA library for the emulated device and runs the device's tests on it.
 * @returns cargo's exit status
 * @throws BaseError `cuda.tool`, `cuda.headers`, `cuda.symbols`, `cuda.kernels`; CargoMissing
 */
export async function testEmulated(parameters: {
  nvcc: string;
  profile: Profile;
}): Promise<number> {
  const { nvcc, profile } = parameters;
  const built = await runCargo({
    parameters: ["build", "--profile", profile, "--locked"],
    folder: EMULATOR_FOLDER,
  });
  if (built !== 0) return built;

  const folder = join(PROVER_FOLDER, "target", "cuda-emulated");
  console.log(`compiling the CUDA library for the emulated device with ${nvcc}`);
  await compileLibrary({
    nvcc,
    folder,
    target: emulatedDevice({ profile }),
    onPart: ({ name, seconds }) => console.log(`${name}: ${seconds.toFixed(0)} s`),
  });
  return runDeviceTests({ library: join(folder, "libhaca_cuda.so"), profile });
}
