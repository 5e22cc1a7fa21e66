import { join } from "node:path";

/** The Rust workspace of the emulator. */
export const EMULATOR_FOLDER = import.meta.dirname;

/** What the emulated device says it is: the oldest that the CUDA library is compiled for. */
const ARCHITECTURE = 80;

/**
 * What the CUDA library is compiled to for the emulated device, once cargo has built the emulator: PTX in plain text,
 * with the functions of CUDA's run-time library that stand in `runtime/`, and the emulator's static library.
 */
export function emulatedDevice(parameters: { profile: "dev" | "release" }) {
  const { profile } = parameters;
  const virtual = `compute_${ARCHITECTURE}`;
  const built = join(EMULATOR_FOLDER, "target", profile === "dev" ? "debug" : profile);
  return {
    codes: ["-gencode", `arch=${virtual},code=${virtual}`, "--no-compress"],
    runtime: {
      source: join(EMULATOR_FOLDER, "runtime", "runtime.cpp"),
      library: join(built, "libhaca_cuda_emulator.a"),
    },
  };
}
