import { createRequire } from "node:module";
import type { Groth16ProofJson, VerifyingKeyJson } from "@haca/protocol/groth16";
import type { CircuitSignals } from "./prover.ts";

/** A file in memory, as snarkjs takes one in place of a path. */
export type MemoryFile = { type: "mem"; data: Uint8Array };

/** The part of snarkjs that the worker uses; the package has no types of its own. */
type Snarkjs = {
  curves: {
    getCurveFromName(name: string, options: { singleThread: boolean }): Promise<object>;
  };
  groth16: {
    prove(
      zkey: MemoryFile,
      witness: MemoryFile,
    ): Promise<{ proof: Groth16ProofJson; publicSignals: string[] }>;
    verify(
      key: VerifyingKeyJson,
      publicSignals: readonly string[],
      proof: Groth16ProofJson,
    ): Promise<boolean>;
  };
};

/** A circuit's witness program, ready to run; `calculateWTNSBin` returns the bytes of a .wtns file. */
export type WitnessCalculator = {
  calculateWTNSBin(signals: CircuitSignals): Promise<Uint8Array>;
};

/** The part of circom_runtime, which snarkjs calculates witnesses with; it has no types either. */
type CircomRuntime = { WitnessCalculatorBuilder(wasm: Uint8Array): Promise<WitnessCalculator> };

const require = createRequire(import.meta.url);

export const snarkjs = require("snarkjs") as Snarkjs;
export const { WitnessCalculatorBuilder } = require("circom_runtime") as CircomRuntime;
