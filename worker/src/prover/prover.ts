import type { Groth16ProofJson, VerifyingKeyJson } from "@haca/protocol/groth16";

/** The files of a compiled model that a prover needs. */
export type ProvingModel = {
  /** SHA-256 of the zkey: what a prover knows the model by */
  id: string;
  zkeyPath: string;
  planPath: string;
  verifyingKey: VerifyingKeyJson;
};

/** What a witness is computed from: decimal strings by signal name. */
export type CircuitSignals = Readonly<Record<string, string | readonly string[]>>;

export type Proof = {
  /** what made it */
  backend: "native" | "snarkjs";
  proof: Groth16ProofJson;
  /** decimal strings, in the order of the circuit */
  publicSignals: readonly string[];
  timings: { witnessMs: number; proveMs: number };
};

/** What is to be proved, and a signal that ends the proof in its midst: it fails then, and nothing of it goes on. */
export type Proving = {
  modelId: string;
  signals: CircuitSignals;
  signal?: AbortSignal | undefined;
};

/**
 * Makes Groth16 proofs. Failures are `RetryableError` (the prover broke) or `NonRetryableError` (these
 * signals have no proof).
 */
export type Prover = {
  /** Makes a model ready; the files are read here, once. */
  load(parameters: { model: ProvingModel }): Promise<void>;
  /** Proves one input of a loaded model. */
  prove(parameters: Proving): Promise<Proof>;
  /** Whether a proof is valid for these public signals under a loaded model's verifying key. */
  verify(parameters: {
    modelId: string;
    proof: Groth16ProofJson;
    publicSignals: readonly string[];
  }): Promise<boolean>;
  close(): Promise<void>;
};
