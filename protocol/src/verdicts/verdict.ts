import type { TypedDataDomain } from "ethers";
import type { Groth16Refusal } from "./refuseProof.ts";

/**
 * What the contracts say of a result, said without a chain: the same checks in the same order, over a state that is
 * given as data. The contracts have the last word; this is a filter before a transaction, and what they are compared
 * with in tests.
 */
export type Verdict = typeof ACCEPTED | Refusal;

export const ACCEPTED = "accepted";

/** The error that a settlement reverts with. */
export type Refusal =
  | Groth16Refusal
  | `InferenceSettlement_${
      | "AlreadySettled"
      | "EnclaveSignatureInvalid"
      | "InputHashMismatch"
      | "ItemsLengthInvalid"
      | "NodeSignatureInvalid"
      | "NoTEERegistry"
      | "NotInService"
      | "NothingToSettle"
      | "OutputHashMismatch"
      | "ProposalExpired"
      | "ResultExpired"
      | "ResultFromFuture"
      | "TeeIdNotZero"
      | "VersionDeprecated"
      | "VersionUnknown"
      | "VersionWithoutKey"
      | "WordCountInvalid"
      | "WrongNode"}`;

/**
 * What the chain holds, as far as a verdict depends on it. Ids and hashes, here and in results, are lower-case hex; what a
 * map lacks is not there.
 */
export type SettlementState = {
  /** of the settlement, `settlementDomain` */
  domain: TypedDataDomain;
  /** unix seconds of the block */
  now: bigint;
  /** seconds */
  settlementWindow: bigint;
  /** bitmaps of ledger pages, by their number: requests that are taken, whoever holds them */
  occupied: ReadonlyMap<bigint, bigint>;
  /** requests that are recorded as Vanilla, likewise */
  vanilla: ReadonlyMap<bigint, bigint>;
  /** versions of the model registry, by their id */
  versions: ReadonlyMap<string, VersionState>;
  /** nodes of the TEE registry, by their id; nothing where no registry is set */
  enclaves: ReadonlyMap<string, EnclaveState> | undefined;
};

/** A model version that was published. */
export type VersionState = {
  /** unix seconds; nothing if it is not deprecated */
  deprecatedAt?: bigint;
  /** packed words; none without a verifying key */
  inputWords: number;
  outputWords: number;
  /** as the registry stores it, `encodeVerifyingKey`; nothing for a version without one */
  verifyingKey?: string;
  /** when it was opened to optimistic pages, unix seconds; nothing if it was not */
  admittedAt?: bigint;
};

/** From a second on, until another one, which is not in it. */
export type Span = { from: bigint; until?: bigint };

/** A node that was admitted. */
export type EnclaveState = {
  /** SubjectPublicKeyInfo in DER, hex */
  signingKey: string;
  /** when the registry's `wasInService` says yes; never for one that is banned */
  service: readonly Span[];
  /** session keys that were certified, by their checksummed address */
  sessions: ReadonlyMap<string, SessionState>;
};

export type SessionState = { from: bigint; until: bigint; signsResults: boolean };

/** Whose transaction it is, and what shows that the node agrees. */
export type Consent = {
  sender: string;
  /** the node's; ignored where it sends itself */
  signature: string;
  /** whether the code of the node's account takes the signature (ERC-1271); nothing if it has no code */
  isTakenByCode?: boolean;
};

export const isWithin = ({ from, until }: Span, time: bigint): boolean =>
  time >= from && (until === undefined || time < until);
