import { pageSettlementAbi } from "@haca/protocol/abi";
import { BaseError } from "@haca/protocol/baseError";
import { blobIdFromWord } from "@haca/protocol/blobs/blobId";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { type CheckedPage, MAXIMUM_PAGE_BYTES, withPageRoot } from "@haca/protocol/blobs/pageBlob";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import {
  headerOfProposal,
  leafAt,
  PAGE_REASONS,
  PAGE_STATES,
  type PageHeader,
  type PageLeaf,
  type PageState,
  placesOf,
} from "@haca/protocol/pageSettlement";
import { decodeRequestId, requestIdAt } from "@haca/protocol/requestId";
import { PAGE_SIZE } from "@haca/protocol/resultPage";
import { Interface, isHexString, type Log } from "ethers";
import { addressOf, type ChainSession, withChainSession } from "../lib/chainSession.ts";
import type { ContractOf } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { isoTime } from "../lib/words.ts";

const TIMEOUT_MS = 30_000;
const pageInterface = new Interface(pageSettlementAbi);
/** The greatest number: pending, while somebody waits for a leaf or a proof. */
const NO_END = 2n ** 256n - 1n;

/** A page as its proposal's event has it. */
export type Proposed = { id: string; header: PageHeader; block: number };

export type PageContext = {
  session: ChainSession;
  pages: ContractOf<"PageSettlement">;
  page: Proposed;
};

/** What changes nothing, or would be refused by the contract. */
export const refuse = (message: string): BaseError =>
  new BaseError({ code: "pages.refused", message: `${message}; nothing sent` });

const noPage = (text: string): BaseError =>
  new BaseError({ code: "pages.unknown", message: `no page ${text} was proposed on this chain` });

/** Finds a page and runs `work` with it. Errors: `pages.badId`, `pages.unknown`, those of a chain's session. */
export async function withPage<Result>(
  options: { network: string; page: string },
  work: (context: PageContext) => Promise<Result>,
): Promise<Result> {
  const { network, page: id } = options;
  requirePageId(id);
  return withChainSession(network, async (session) => {
    const pages = await session.contract("PageSettlement");
    return work({ session, pages, page: await findPage({ session, id }) });
  });
}

export function requirePageId(id: string): void {
  if (isHexString(id, 32)) return;
  throw new BaseError({
    code: "pages.badId",
    message: `page must be 0x and 64 hex digits, got ${JSON.stringify(id)}`,
  });
}

/** A page by its id, from its event. Error: `pages.unknown`. */
export async function findPage(parameters: {
  session: ChainSession;
  id: string;
}): Promise<Proposed> {
  const { session, id } = parameters;
  const [found] = await readProposals({ session, topics: [id.toLowerCase()], fromBlock: 0 });
  if (found === undefined) throw noPage(id);
  return found;
}

/** Proposals since a block, oldest first. */
export async function readProposals(parameters: {
  session: ChainSession;
  topics?: readonly string[];
  fromBlock: number;
}): Promise<Proposed[]> {
  const { session, topics = [], fromBlock } = parameters;
  const event = pageInterface.getEvent("PageProposed");
  const logs = await readAllLogs({
    provider: session.provider,
    address: addressOf(session.book, "PageSettlement"),
    topics: [event?.topicHash ?? "", ...topics],
    fromBlock,
  });
  return logs.map(proposedIn);
}

function proposedIn(log: Log): Proposed {
  const { args } = pageInterface.parseLog(log) ?? {};
  if (args === undefined) throw new RangeError("no proposal in this log");
  const header = headerOfProposal(args as unknown as PageHeader);
  return { id: args.pageId, header, block: log.blockNumber };
}

/** What became of a page, in words. */
export async function stateInWords(context: Pick<PageContext, "pages">, id: string) {
  const { pages } = context;
  const { state: number, until } = await pages.stateOfPage(id);
  const state = PAGE_STATES[Number(number)] as PageState;
  const { reason } = await pages.pageOf(id);
  if (state === "Pending") {
    const end =
      until === NO_END ? "while somebody waits for a result or a proof" : `until ${isoTime(until)}`;
    return { state, words: `pending ${end}` };
  }
  const because = PAGE_REASONS[Number(reason)] ?? "unknown";
  const words: Readonly<Record<PageState, string>> = {
    None: "unknown",
    Pending: "pending",
    Final: "final: unchallenged",
    Rejected: `rejected: ${because}`,
    Disproved: `disproved: ${because}`,
  };
  return { state, words: words[state] };
}

/** Unix seconds of the last block. */
export const chainTime = async ({ provider }: ChainSession): Promise<bigint> =>
  BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);

/**
 * The results of a page, from its blob, checked against its root, which decides about every leaf. A bit that is set where the
 * tree has no result is a fault of the page, and not of the blob. Error: a `BlobError`.
 */
export async function readContent({ session, page }: PageContext): Promise<CheckedPage> {
  const { book, chainId } = session;
  const aggregator = process.env.HACA_BLOB_AGGREGATOR || "http://127.0.0.1:8090";
  const store = createHttpBlobStore({
    // Whatever the store's ids are made of, the root says what the content is.
    ...{ aggregator, publisher: `${aggregator}/v1/blobs`, ids: "walrus" },
    ...{ epochs: 1, timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_PAGE_BYTES },
  });
  const { blobId, root, ledgerPage } = page.header;
  const { node, nonce } = decodeRequestId(requestIdAt({ ledgerPage, index: 0 }));
  return store.read({
    id: blobIdFromWord(blobId),
    check: withPageRoot({
      domain: settlementDomain({
        chainId: BigInt(chainId),
        settlement: addressOf(book, "InferenceSettlement"),
      }),
      ...{ root, node, page: nonce >> 8n },
    }),
  });
}

/** A result of a page. Error: `pages.noResult`. */
export function resultAt(content: CheckedPage, index: number): PageLeaf {
  const leaf = leafAt(content, index);
  if (leaf !== undefined) return leaf;
  throw new BaseError({
    code: "pages.noResult",
    message: `the page has no result at place ${index}: npm run pages -- challenge shows that`,
  });
}

/** A place of a page. Error: `pages.badIndex`. */
export function placeArgument(text: string, { header }: Proposed): number {
  const index = Number(text);
  if (/^\d{1,3}$/.test(text) && index < PAGE_SIZE && placesOf(header).includes(index)) return index;
  const taken = placesOf(header);
  throw new BaseError({
    code: "pages.badIndex",
    message: `index must be a place that the page took (${taken.length} from ${taken[0]} to ${taken.at(-1)}), got ${text}`,
  });
}
