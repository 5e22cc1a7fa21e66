/** A proof, and what it is said to be a proof of. */
export type ProofClaim = {
  /** as the model registry keeps it */
  verifyingKey: string;
  proof: string;
  /** as many as the key has, the context last */
  signals: readonly bigint[];
};
