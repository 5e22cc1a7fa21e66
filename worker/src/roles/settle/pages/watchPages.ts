import { PAGE_REASONS, PAGE_STATES, type PageState } from "@haca/protocol/pageSettlement";
import { callView } from "../../../chain/chain.ts";
import { answerOf, requireSameChain } from "../../../chain/rpcErrors.ts";
import { claimLooks, decidePage, type ProposedPage, recordEnd } from "../../../jobs/pages.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import type { SettleContext } from "../settleContext.ts";
import { answerRequests } from "./answerRequests.ts";
import type { PagePorts } from "./pagePorts.ts";

/** Pages that are looked at in one pass. */
const LIMIT = 32;
/** Later than any end. */
const NO_END = 1n << 64n;
/** As deep as full nodes have the state of. */
const MAXIMUM_DEPTH = 100;

type Parameters = { context: SettleContext; pages: PagePorts; view: ChainView };

/**
 * Looks what has become of pages that were pending: those that are final settle their jobs, those that were rejected give them
 * back. Both are asked for as deep as reorganisations are watched for, so that neither is taken back. Returns how many jobs
 * moved on.
 */
export async function watchPages({ context, pages, view }: Parameters): Promise<number> {
  const { database, reorgBlocks } = context;
  const block = Math.max(0, view.head - Math.min(reorgBlocks, MAXIMUM_DEPTH));
  const looked = { database, look: "pending", restSeconds: pages.lookSeconds } as const;
  let moved = 0;
  for (const page of await claimLooks({ ...looked, limit: LIMIT })) {
    moved += await look({ context, pages, view, page, block });
  }
  return moved;
}

async function look(
  parameters: Parameters & { page: ProposedPage; block: number },
): Promise<number> {
  const { block, context, page } = parameters;
  const { chain, database, logger } = context;
  const { endsAt, pageId } = page;
  const [number, until] = (await answerOf(
    callView({ chain, contract: "pageSettlement", name: "stateOfPage", values: [pageId], block }),
  )) as [bigint, bigint];
  const state: PageState = PAGE_STATES[Number(number)] ?? "None";
  if (state === "None") return 0;
  await requireSameChain(chain);
  if (state === "Pending") {
    // While somebody waits for a leaf it has no end.
    if (until > NO_END) await answerRequests(parameters);
    else if (until !== endsAt) await recordEnd({ database, pageId, endsAt: until });
    return 0;
  }
  const decision = { Final: "final", Rejected: "rejected", Disproved: "disproved" } as const;
  const moved = await decidePage({ database, pageId, decision: decision[state] });
  if (state === "Final") {
    logger.info({ page: pageId, jobs: moved.length }, "page final");
    return moved.length;
  }
  const reason = await reasonOf({ context, pageId });
  const fields = { page: pageId, jobs: moved.length, reason, deposit: "forfeited" };
  logger.error(fields, state === "Rejected" ? "page rejected" : "page disproved");
  return moved.length;
}

/** Why a page was rejected or disproved, for the log. */
async function reasonOf(parameters: { context: SettleContext; pageId: string }): Promise<string> {
  const { chain } = parameters.context;
  const view = { chain, contract: "pageSettlement", name: "pageOf" } as const;
  const [record] = await answerOf(callView({ ...view, values: [parameters.pageId] }));
  return PAGE_REASONS[Number((record as { reason: bigint }).reason)] ?? "unknown";
}
