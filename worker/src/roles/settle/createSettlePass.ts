import { answerOf } from "../../chain/rpcErrors.ts";
import { countPending } from "../../jobs/readJobs.ts";
import { type ChainView, readChainView } from "../../transactions/readChainView.ts";
import { tendAccount } from "../../transactions/tendAccount.ts";
import { broadcastSigned } from "./broadcastSigned.ts";
import { forEachLeased } from "./forEachLeased.ts";
import type { Settler } from "./settler.ts";
import { submitProven } from "./submitProven.ts";
import { trackSubmitted } from "./trackSubmitted.ts";
import { watchForeign } from "./watchForeign.ts";
import { watchSettled } from "./watchSettled.ts";

/**
 * One pass of the `settle` role over everything between proof and finality. Transactions that were recorded
 * before a stop come first: their nonces are the lowest. Returns whether a job moved on.
 */
export function createSettlePass(settler: Settler): () => Promise<boolean> {
  let watchedHead: string | null = null;
  return async () => {
    const { pending, settled } = await countPending({ database: settler.database });
    if (pending === 0 && settled === 0) return false;
    if (pending === 0) {
      // Nothing but the watch over settlements, which a new block alone can end: one question, not five.
      const latest = await answerOf(settler.chain.provider.getBlock("latest"));
      if (latest?.hash === watchedHead) return false;
    }
    const before = await readChainView(settler);
    const sent = await sendProven({ settler, view: before });
    const view = sent > 0 ? await readChainView(settler) : before;
    const { hash, head } = view;
    let moved = sent;
    moved += await forEachLeased({
      settler,
      stage: { state: "submitted", hasTransaction: true },
      handle: (job) => trackSubmitted({ settler, view, job }),
    });
    await tendAccount({ sender: settler, view });
    // By hash: a reorganisation can replace a block by another of the same number.
    if (hash !== watchedHead) {
      moved += await watchSettled({ settler, head });
      moved += await watchForeign({ settler, head });
    }
    watchedHead = hash;
    return moved > 0;
  };
}

/** While gas is above the ceiling, what is proven waits; what was signed before is sent all the same. */
async function sendProven(parameters: { settler: Settler; view: ChainView }): Promise<number> {
  const { settler, view } = parameters;
  const recorded = await forEachLeased({
    settler,
    stage: { state: "proven", hasTransaction: true },
    handle: (job) => broadcastSigned({ settler, view, job }),
  });
  const fees = settler.gate.choose(view.market);
  if (fees === undefined) return recorded;
  const submitted = await forEachLeased({
    settler,
    stage: { state: "proven", hasTransaction: false },
    handle: (job) => submitProven({ settler, view, job, fees }),
  });
  return recorded + submitted;
}
