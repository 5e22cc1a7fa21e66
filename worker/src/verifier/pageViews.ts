import { ANSWER_TIME, endOfPage, PAGE_REASONS, PAGE_STATES } from "@haca/protocol/pageSettlement";
import type { Block } from "ethers";
import { callView } from "../chain/chain.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import { isAnswered } from "../endpointWords.ts";
import { RetryableError } from "../errors.ts";
import type { VerifierContext } from "./verifierContext.ts";
import type { WatchedState } from "./watchedPages.ts";

/** As deep as full nodes have the state of. */
const MAXIMUM_DEPTH = 100;
/** As `IPageSettlement.Outcome` counts. */
const RELEASED = 1n;

/** What the contract says of a page in a block. Times are unix seconds. */
export type PageView = {
  /** undefined where it was not proposed */
  state: WatchedState | undefined;
  /** last second in which it is pending, unless somebody waits for a leaf or a proof then; also of a page that is not any more */
  end: bigint;
  /** last second for a request for a leaf */
  lastRequest: bigint;
  proposedAt: bigint;
  attestedAt: bigint;
  longRoad: bigint;
  shortRoad: bigint;
  resultWindow: bigint;
  openRequests: bigint;
  /** proofs that somebody waits for */
  openDemands: bigint;
  signers: bigint;
  attesterNumber: bigint;
  reason: (typeof PAGE_REASONS)[number];
};

type Viewing = Pick<VerifierContext, "chain">;

/** @throws RetryableError where the endpoint does not answer */
export async function viewPage(parameters: {
  context: Viewing;
  pageId: string;
  /** absent: the latest */
  block?: number;
}): Promise<PageView> {
  const { block, context, pageId } = parameters;
  const { chain } = context;
  const contract = "pageSettlement";
  const number = block === undefined ? {} : { block };
  const at = { chain, contract, values: [pageId], ...number } as const;
  const [[place], [record], [clock]] = (await answerOf(
    Promise.all(["stateOfPage", "pageOf", "clockOf"].map((name) => callView({ ...at, name }))),
  )) as [[bigint], [Record<string, bigint>], [{ stopped: bigint; open: bigint }]];
  const field = (name: string): bigint => record[name] ?? 0n;
  const state = PAGE_STATES[Number(place)] ?? "None";
  const isReleased = field("outcome") === RELEASED;
  const times = {
    ...{ proposedAt: field("proposedAt"), attestedAt: field("attestedAt") },
    ...{ longRoad: field("longRoad"), shortRoad: field("shortRoad") },
  };
  const extendedUntil = field("extendedUntil");
  return {
    ...times,
    state: state === "None" ? undefined : isReleased ? "released" : lower(state),
    end: endOfPage({ ...times, extendedUntil }, clock.stopped),
    openDemands: clock.open,
    lastRequest: endOfPage({ ...times, extendedUntil: 0n }) - ANSWER_TIME,
    reason: PAGE_REASONS[Number(field("reason"))] ?? "None",
    resultWindow: field("resultWindow"),
    openRequests: field("openRequests"),
    signers: field("signers"),
    attesterNumber: field("attesterNumber"),
  };
}

const lower = (state: string): WatchedState => state.toLowerCase() as WatchedState;

/** The latest block. @throws RetryableError */
export async function latestBlock({ chain }: Viewing): Promise<Block> {
  const block = await answerOf(chain.provider.getBlock("latest"));
  if (block !== null) return block;
  throw new RetryableError({ code: "rpc.failed", message: "HACA_RPC_URL: no latest block" });
}

/**
 * Number of the youngest block that counts as safe: the chain's own word, which on an L2 means that the block is on its L1, or
 * so many confirmations where the endpoint knows no such block. @throws RetryableError where it does not answer
 */
export async function safeBlock(
  context: Pick<VerifierContext, "chain" | "confirmations">,
): Promise<number> {
  const { chain, confirmations } = context;
  const safe = await answerOf(
    chain.provider.getBlock("safe").catch((error: unknown) => {
      if (isAnswered(error)) return null;
      throw error;
    }),
  );
  if (safe !== null) return safe.number;
  const head = await answerOf(chain.provider.getBlockNumber());
  return Math.max(0, head - confirmations + 1);
}

/** A block as deep as reorganisations are watched for, and as full nodes know the state of. */
export const deepBlock = (head: number, { reorgBlocks }: Pick<VerifierContext, "reorgBlocks">) =>
  Math.max(0, head - Math.min(reorgBlocks, MAXIMUM_DEPTH));
