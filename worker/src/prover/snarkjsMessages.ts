import type { Groth16ProofJson } from "@haca/protocol/groth16";
import type { CircuitSignals, Proof, ProvingModel } from "./prover.ts";

/** What the prover's thread is asked. */
export type ThreadRequest = { id: number } & (
  | { kind: "load"; model: ProvingModel }
  | { kind: "prove"; modelId: string; signals: CircuitSignals }
  | { kind: "witness"; modelId: string; signals: CircuitSignals; path: string }
  | {
      kind: "verify";
      modelId: string;
      proof: Groth16ProofJson;
      publicSignals: readonly string[];
    }
);

/** Results by kind: nothing, a proof, how long the witness took, whether a proof is valid. */
export type ThreadValue = null | Proof | { witnessMs: number } | boolean;

/** What it answers: one answer to each request, in any order. */
export type ThreadAnswer = { id: number } & (
  | { kind: "done"; value: ThreadValue }
  | { kind: "error"; retryable: boolean; code: string; message: string }
);
