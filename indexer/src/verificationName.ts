const NAMES = ["vanilla", "zkml", "tee", "optimistic"] as const;

export type VerificationName = (typeof NAMES)[number];

/** Name of `IInferenceSettlement.Verification`. The contract's ABI admits no other value. */
export function verificationName(verification: number): VerificationName {
  const name = NAMES[verification];
  if (name === undefined) {
    throw new RangeError(`verification must be below ${NAMES.length}, got ${verification}`);
  }
  return name;
}
