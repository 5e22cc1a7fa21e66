import { answerOf } from "../../chain/rpcErrors.ts";
import { countDemands } from "../../jobs/demands.ts";
import { countPending } from "../../jobs/readJobs.ts";
import { type ChainView, readChainView } from "../../transactions/readChainView.ts";
import { tendAccount } from "../../transactions/tendAccount.ts";
import { claimChannels } from "./channels/claimChannels.ts";
import { countResults } from "./channels/countResults.ts";
import { refundChannels } from "./channels/refundChannels.ts";
import { watchExternal } from "./external.ts";
import { forEachLeased } from "./forEachLeased.ts";
import { transactionLeasing } from "./leasings.ts";
import { broadcastSigned } from "./offers.ts";
import { answerDemands } from "./pages/answerDemands.ts";
import type { PagePorts } from "./pages/pagePorts.ts";
import { readDemands } from "./pages/readDemands.ts";
import { releasePages } from "./pages/releasePages.ts";
import { renewPages } from "./pages/renewPages.ts";
import { watchPages } from "./pages/watchPages.ts";
import { capturePayments } from "./payments/capturePayments.ts";
import type { SettleContext } from "./settleContext.ts";
import { settleProven } from "./settleProven.ts";
import { trackSubmitted } from "./trackSubmitted.ts";
import { watchSettled } from "./watchSettled.ts";

/**
 * One pass of the `settle` role over everything between proof and finality. Transactions that were recorded
 * before a stop come first, but for proofs that are demanded: their nonces are the lowest. Returns whether a job moved on.
 */
export function createSettlePass(calm: SettleContext): () => Promise<boolean> {
  let watchedHead: string | null = null;
  return async () => {
    const { channels, pages, payments, pending, settled } = await countHeld(calm);
    const isIdle = pages === 0 && payments === 0 && channels === 0;
    const context = pages > 0 ? await tendDemands(calm) : calm;
    if (pending === 0 && settled === 0 && isIdle) return false;
    if (pending === 0 && isIdle) {
      // Nothing but the watch over settlements, which a new block alone can end: one question, not five.
      const latest = await answerOf(context.chain.provider.getBlock("latest"));
      if (latest?.hash === watchedHead) return false;
    }
    const before = await readChainView(context);
    const sent = await sendProven({ context, view: before });
    const view = sent > 0 ? await readChainView(context) : before;
    const { hash, head } = view;
    let moved = sent;
    moved += await forEachLeased({
      context,
      leasing: transactionLeasing(context, "submitted"),
      handle: (settlement) => trackSubmitted({ context, view, settlement }),
    });
    await tendAccount({ context, view });
    // By hash: a reorganisation can replace a block by another of the same number.
    if (hash !== watchedHead) {
      moved += await watchSettled({ context, head });
      moved += await watchExternal({ context, head });
    }
    watchedHead = hash;
    if (context.pages !== undefined && pages > 0) {
      const ended = await tendPages({ context, view, pages: context.pages });
      moved += ended;
      // What a page has settled is deep already: it is looked at without another block.
      if (ended > 0) watchedHead = null;
    }
    if (context.payments !== undefined && payments > 0) {
      moved += await capturePayments({ context, view, payments: context.payments });
    }
    if (context.channels !== undefined && channels > 0) {
      moved += await countResults({ context, view, channels: context.channels });
      moved += await claimChannels({ context, view, channels: context.channels });
      moved += await refundChannels({ context, view, channels: context.channels });
    }
    return moved > 0;
  };
}

/** What there is to do; payments only where they are captured here, channels where they are claimed of. */
async function countHeld({ channels, database, payments }: SettleContext) {
  const counts = await countPending({ database });
  return {
    ...counts,
    ...(payments === undefined && { payments: 0 }),
    ...(channels === undefined && { channels: 0 }),
  };
}

/**
 * Reads which proofs are demanded, and sends those that are made. While one is demanded there is one ceiling for all that the
 * account has on its way: what is stuck holds up what comes after it. Returns the context that has it.
 */
async function tendDemands(calm: SettleContext): Promise<SettleContext> {
  const { database, pages } = calm;
  if (pages === undefined) return calm;
  await readDemands({ context: calm, pages });
  const { open } = await countDemands({ database });
  if (open === 0) return calm;
  const context = { ...calm, gate: calm.urgentGate };
  await answerDemands({ context, pages, view: await readChainView(context) });
  return context;
}

/** What was proposed: pages that end, bonds that are due, blobs that are to be kept. Returns how many jobs moved on. */
async function tendPages(parameters: {
  context: SettleContext;
  view: ChainView;
  pages: PagePorts;
}): Promise<number> {
  const moved = await watchPages(parameters);
  await releasePages(parameters);
  await renewPages(parameters);
  return moved;
}

/** While gas is above the ceiling, what is proven waits; what was signed before is sent all the same. */
async function sendProven(parameters: {
  context: SettleContext;
  view: ChainView;
}): Promise<number> {
  const { context, view } = parameters;
  const recorded = await forEachLeased({
    context,
    leasing: transactionLeasing(context, "proven"),
    handle: (settlement) => broadcastSigned({ context, view, settlement }),
  });
  const fees = context.gate.choose(view.market);
  if (fees === undefined) return recorded;
  return recorded + (await settleProven({ context, view, fees }));
}
