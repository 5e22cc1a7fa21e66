import {
  AbiCoder,
  concat,
  getCreate2Address,
  getCreateAddress,
  keccak256,
  type TypedDataDomain,
} from "ethers";

/** What a job is about, as `IInferenceEscrow.Terms`. */
export type EscrowTerms = {
  node: string;
  payee: string;
  requestHash: string;
  token: string;
  /** hundredths of a percent of the price */
  feeBps: bigint;
  /** of `ESCROW_KINDS`, added up */
  kinds: bigint;
  /** seconds from opening to deadline */
  captureWindow: bigint;
};

/** Bits of the kinds of results that capture a job: settled alone, or in a final page. */
export const ESCROW_KINDS = {
  zkml: 1n << 1n,
  tee: 1n << 2n,
  teePage: 1n << 6n,
  optimisticPage: 1n << 7n,
} as const;

/** Words for `ESCROW_KINDS`. */
const KIND_WORDS: Readonly<Record<keyof typeof ESCROW_KINDS, string>> = {
  zkml: "ZKML",
  tee: "TEE",
  teePage: "TEE in a page",
  optimisticPage: "Optimistic in a page",
};

/** Kinds of results that bits name, in words; unknown bits by their number. */
export function escrowKindsInWords(kinds: bigint): string {
  const known = Object.entries(ESCROW_KINDS) as [keyof typeof ESCROW_KINDS, bigint][];
  const words = known.filter(([, bit]) => (kinds & bit) !== 0n).map(([name]) => KIND_WORDS[name]);
  const unknown = known.reduce((left, [, bit]) => left & ~bit, kinds);
  if (unknown !== 0n || words.length === 0) words.push(`unknown kinds ${unknown}`);
  return words.join(", ");
}

/** As `IInferenceEscrow.JobStatus` counts. */
export const JOB_STATUSES = ["None", "Open", "Captured", "Refunded", "Cancelled"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Permit2's EIP-712 domain. */
export const permit2Domain = (parameters: {
  chainId: bigint;
  permit2: string;
}): TypedDataDomain => ({
  ...{ name: "Permit2", chainId: parameters.chainId },
  verifyingContract: parameters.permit2,
});

/** EIP-1167, around the address of the code. */
const CLONE_START = "0x3d602d80600a3d3981f3363d3d373d3d3d363d73";
const CLONE_END = "0x5af43d82803e903d91602b57fd5bf3";
/** of the escrow, when its constructor makes the code of its facilitators */
const FACILITATOR_NONCE = 1;

/** The job of a permit: bytes32. */
export const escrowJobId = ({ payer, nonce }: { payer: string; nonce: bigint }): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["address", "uint256"], [payer, nonce]));

/** Whom a permit has to name as its facilitator, for a job under these terms: `facilitatorOf` without a chain. */
export function escrowFacilitator(parameters: { escrow: string; terms: EscrowTerms }): string {
  const { escrow, terms } = parameters;
  const values = [
    ...[terms.node, terms.payee, terms.requestHash, terms.token],
    ...[terms.feeBps, terms.kinds, terms.captureWindow],
  ];
  const types = ["address", "address", "bytes32", "address", "uint16", "uint8", "uint32"];
  const salt = keccak256(AbiCoder.defaultAbiCoder().encode(types, values));
  const code = getCreateAddress({ from: escrow, nonce: FACILITATOR_NONCE });
  return getCreate2Address(escrow, salt, keccak256(concat([CLONE_START, code, CLONE_END])));
}
