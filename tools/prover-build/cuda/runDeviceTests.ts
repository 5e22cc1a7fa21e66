import { runCargo } from "../runCargo.ts";

/** How cargo compiles: `dev` shares what the other tests were compiled with. */
export type Profile = "dev" | "release";

/**
 * Runs the tests of a device with a compiled CUDA library.
 * @returns cargo's exit status
 * @throws CargoMissing
 */
export function runDeviceTests(parameters: { library: string; profile: Profile }): Promise<number> {
  const { library, profile } = parameters;
  return runCargo({
    parameters: [
      ...["test", "--profile", profile, "--locked", "--test", "device"],
      ...["--", "--ignored", "--test-threads", "1"],
    ],
    environment: { HACA_PROVER_CUDA_LIBRARY: library },
  });
}
