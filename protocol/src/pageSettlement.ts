import { AbiCoder, keccak256, ZeroHash } from "ethers";
import type { CheckedPage } from "./blobs/pageBlob.ts";
import type { InferenceResult } from "./inferenceResult.ts";
import { encodeRequestId } from "./requestId.ts";
import { nonceOfPlace, PAGE_SIZE, resultPageProof } from "./resultPage.ts";

/** What a proposed page is known by; `PageSettlement` stores its hash, and callers bring it. */
export type PageHeader = {
  /** `Verification`: 2 TEE, 3 Optimistic */
  kind: bigint;
  /** zero of an optimistic page */
  teeId: string;
  /** number of the ledger page, `requestId >> 8` */
  ledgerPage: bigint;
  /** the requests that the page took */
  bitmap: bigint;
  root: string;
  /** where its blob is, 32 bytes */
  blobId: string;
  proposer: string;
  /** smallest units of OPG for whoever attests it */
  fee: bigint;
};

/** A result in a page, with its way to the root. */
export type PageLeaf = {
  /** its place, 0 to 255 */
  index: number;
  result: InferenceResult;
  /** the enclave's, or a session key's; in an optimistic page the node's */
  signature: string;
  /** the eight neighbours, `resultPageProof` */
  siblings: readonly string[];
};

/** The header of a page that `PageProposed` tells of, by the event's arguments. */
export function headerOfProposal(args: PageHeader): PageHeader {
  const { kind, teeId, ledgerPage, bitmap, root, blobId, proposer, fee } = args;
  return { kind, teeId, ledgerPage, bitmap, root, blobId, proposer, fee };
}

/** Places of a page's requests, rising. */
export const placesOf = ({ bitmap }: Pick<PageHeader, "bitmap">): number[] =>
  Array.from({ length: PAGE_SIZE }, (_, index) => index).filter(
    (index) => ((bitmap >> BigInt(index)) & 1n) === 1n,
  );

/** The result in a place of a page; undefined where there is none. */
export function leafAt(page: CheckedPage, index: number): PageLeaf | undefined {
  const found = page.results.find((result) => result.index === index);
  if (found === undefined) return undefined;
  const { index: _, signature, words: __, ...rest } = found;
  const nonce = nonceOfPlace({ page: page.page, index });
  const result = { ...rest, requestId: encodeRequestId({ node: page.node, nonce }) };
  return { index, result, signature, siblings: resultPageProof({ tree: page.tree, index }) };
}

/** As `PageSettlement` counts. */
export const PAGE_STATES = ["None", "Pending", "Final", "Rejected", "Disproved"] as const;
export type PageState = (typeof PAGE_STATES)[number];

/** As `PageSettlement` counts. */
export const PAGE_REASONS = [
  ...["None", "MalformedLeaf", "WrongNode", "OutsideWindow", "InvalidSignature"],
  ...["VersionInvalid", "KeyNotInService", "ConflictingReceipt", "DataWithheld"],
  "DemandUnanswered",
] as const;

/** Smallest units of OPG that have to answer for so many open pages, fees apart. */
export function neededDeposit(parameters: { minimumDeposit: bigint; openPages: bigint }): bigint {
  const { minimumDeposit, openPages } = parameters;
  const needed = (minimumDeposit * openPages) / PAGES_PER_DEPOSIT;
  return needed > minimumDeposit ? needed : minimumDeposit;
}

/** Seconds after its end in which a page can still be disproved; then its bond is free. */
export const EVIDENCE_WINDOW = 7n * 86_400n;
/** Most seconds for which a sequencer may keep a transaction out: the long road, at most seven days, has room for two. */
export const LONGEST_INCLUSION_DELAY = 3.5 * 86_400;
/** Seconds for an answer to a request for a leaf. */
export const ANSWER_TIME = 86_400n;
/** Seconds for a proof that is demanded. */
export const PROVE_TIME = 86_400n;
/** Most proofs of a page that are demanded at a time. */
export const MAXIMUM_DEMANDS = 4;
/** Smallest units of OPG that a demand takes, and the proposer gets if the proof is given. */
export const DEMAND_DEPOSIT = 50n * 10n ** 18n;
/** `Verification` of pages whose results are proved on demand. */
export const OPTIMISTIC = 3n;

const OPG = 10n ** 18n;
const HOUR = 3_600n;
const DAY = 24n * HOUR;

/** What a deployment starts with; governance sets it from then on. */
export const DEFAULT_PAGE_PARAMETERS = {
  /** seconds from the proposal to the end */
  longRoad: 3n * DAY,
  /** seconds from an attestation to the end */
  shortRoad: 6n * HOUR,
  /** seconds for which a result can be proposed: the settlement's window */
  resultWindow: 7n * DAY,
  /** smallest units of OPG without which nobody proposes, for up to `PAGES_PER_DEPOSIT` open pages */
  minimumDeposit: 1_000n * OPG,
};

/** Open pages that the least deposit answers for; twice as many need twice as much. */
export const PAGES_PER_DEPOSIT = 100n;

const HEADER = "tuple(uint8,bytes32,uint256,uint256,bytes32,bytes32,address,uint96)";
const coder = AbiCoder.defaultAbiCoder();

/** Least seconds of the long road where a sequencer can keep a transaction out for some seconds. */
export function shortestLongRoad(inclusionDelay: bigint): bigint {
  const shortest = ANSWER_TIME + HOUR;
  return 2n * inclusionDelay > shortest ? 2n * inclusionDelay : shortest;
}

/**
 * Last second in which a page is pending, requests for leaves and demands that are open apart; of what the contract stores
 * of it, and how long its clock stood, which it does only in an optimistic one.
 */
export function endOfPage(
  record: Readonly<
    Record<"proposedAt" | "attestedAt" | "extendedUntil" | "longRoad" | "shortRoad", bigint>
  >,
  stopped = 0n,
): bigint {
  const { proposedAt, attestedAt, extendedUntil, longRoad, shortRoad } = record;
  const long = proposedAt + longRoad;
  const short = attestedAt + shortRoad;
  const road = attestedAt > 0n && short < long ? short : long;
  return (extendedUntil > road ? extendedUntil : road) + stopped;
}

/** The id of a page, as `PageSettlement.pageIdOf` has it. */
export function pageIdOf(parameters: {
  chainId: bigint;
  pageSettlement: string;
  header: PageHeader;
}): string {
  const { chainId, pageSettlement, header } = parameters;
  const { kind, teeId, ledgerPage, bitmap, root, blobId, proposer, fee } = header;
  const values = [kind, teeId, ledgerPage, bitmap, root, blobId, proposer, fee];
  return keccak256(coder.encode(["uint256", "address", HEADER], [chainId, pageSettlement, values]));
}

/** What a challenger commits to before they show it; `PageSettlement.commitChallenge` says how it is made. */
export function challengeCommitment(parameters: {
  pageId: string;
  index: number;
  /** the leaf as it stands in the tree */
  leafHash: string;
  /** what the other result would be as a leaf, where two contradict each other */
  otherLeafHash?: string;
  challenger: string;
  /** 32 bytes that nobody guesses */
  salt: string;
}): string {
  const { pageId, index, leafHash, otherLeafHash = ZeroHash, challenger, salt } = parameters;
  return keccak256(
    coder.encode(
      ["bytes32", "uint8", "bytes32", "bytes32", "address", "bytes32"],
      [pageId, index, leafHash, otherLeafHash, challenger, salt],
    ),
  );
}
