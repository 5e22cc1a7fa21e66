import { createRequire } from "node:module";
import type { Groth16ProofJson, VerifyingKeyJson } from "@haca/protocol/groth16";

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

const require = createRequire(import.meta.url);

export const snarkjs = require("snarkjs") as Snarkjs;
