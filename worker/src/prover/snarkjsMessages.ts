import type { Groth16ProofJson } from "@haca/protocol/groth16";
import type { CircuitSignals, Proof, ProvingModel } from "./prover.ts";

/** What the prover's thread is asked. */
export type ThreadRequest = { id: number } & (
  | { kind: "load"; model: ProvingModel }
  | { kind: "prove"; modelId: string; signals: CircuitSignals }
  | {
      kind: "verify";
      modelId: string;
      proof: Groth16ProofJson;
      publicSignals: readonly string[];
    }
);

/** What it answers: one answer to each request, in any order. */
export type ThreadAnswer = { id: number } & (
  | { kind: "done"; value: Proof | boolean | null }
  | { kind: "error"; retryable: boolean; code: string; message: string }
);
