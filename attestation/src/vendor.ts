/** An error that the contracts would revert with. */
export type ExpectedError = {
  /** stable, for programs */
  code: string;
  /** the contracts' custom error; "EcdsaP384" for a signature, whose hints do not exist */
  name: string;
  /** one line for a person */
  message: string;
};

/** What evidence says, and whether its verifier would take it. Texts are whatever the evidence holds. */
export type EvidenceResult = {
  /** `Claims.measurement` and `Claims.issuedAt` (unix seconds) */
  measurement: string;
  issuedAt: bigint;
  /** what it says for people, names and values in order */
  fields: readonly (readonly [name: string, value: string])[];
  /** of those certificates that can be read, from the root's on; `id` is a certificate store's */
  certificates: readonly { subject: string; id: string; notBefore: bigint; notAfter: bigint }[];
  /** of all, the root's included */
  certificateCount: number;
  /** empty if the verifier would accept the evidence at that time */
  errors: readonly ExpectedError[];
};

/** What evidence for a registration has to be about. */
export type Subject = {
  /** `bindingOf` of the registration */
  binding: string;
  /** DER */
  tlsCertificate: Uint8Array;
  /** SubjectPublicKeyInfo in DER */
  signingKey: Uint8Array;
};

/**
 * A vendor of evidence, off-chain: what its verifier is on-chain. Commands know vendors by this alone, and find them in
 * the table of `vendors.ts`.
 */
export type AttestationVendor = {
  /** the root certificate that the vendor publishes: whose it is, and the SHA-256 of its DER, 0x and 64 hex digits */
  root: { owner: string; fingerprint: string };

  /** The parts that an image's measurement is made of, as people pass them on, and their lengths in bytes. */
  measurementParts: readonly { name: string; length: number }[];

  /** `Claims.measurement` of these parts, each in hex. */
  measurementOf(parts: readonly string[]): string;

  /** What an enclave's gateway is asked with, so that its evidence carries the binding; hex. */
  challengeOf(binding: string): string;

  /**
   * Judges evidence as the verifier does in a block of that time, revocations and verified hints aside. Every error is
   * found, not only the first one.
   * @param parameters.rootFingerprint of the root that the deployment pins; the vendor's own if left out
   * @throws EvidenceError where the bytes are no evidence of this vendor
   */
  judge(parameters: {
    evidence: Uint8Array;
    now: bigint;
    rootFingerprint?: string;
  }): EvidenceResult;

  /** Why the registry would refuse sound evidence for this registration, in words; empty if it would not. */
  mismatches(parameters: { evidence: Uint8Array; subject: Subject }): readonly string[];

  /**
   * The certificates that the vendor's certificate store can verify ahead, in a transaction of its own: root first, DER.
   * Empty for a vendor without a store.
   */
  chainOf(evidence: Uint8Array): readonly Uint8Array[];

  /**
   * The hints that the verifier takes with the evidence. A certificate that is stored needs none.
   * @param parameters.isStored asks the certificate store about an id; nothing is stored if left out
   * @throws BaseError where a signature is not valid: there are no hints for it
   */
  hintsOf(parameters: {
    evidence: Uint8Array;
    isStored?: (certificateId: string) => Promise<boolean>;
  }): Promise<readonly Uint8Array[]>;
};
