import { runCargo } from "../runCargo.ts";

/**
 * Runs the tests of a device with a compiled CUDA library.
 * @returns cargo's exit status
 * @throws CargoMissing
 */
export function runDeviceTests(parameters: {
  library: string;
  profile: "dev" | "release";
}): Promise<number> {
  const { library, profile } = parameters;
  return runCargo({
    parameters: [
      // The whole workspace, so that what other tests were compiled with can be used.
      ...["test", "--profile", profile, "--locked", "--workspace", "--test", "device"],
      ...["--", "--ignored", "--test-threads", "1"],
    ],
    environment: { HACA_PROVER_CUDA_LIBRARY: library },
  });
}
