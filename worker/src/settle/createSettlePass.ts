import { answerOf } from "../chain/rpcErrors.ts";
import { countPending } from "../queue/countPending.ts";
import { broadcastSigned } from "./broadcastSigned.ts";
import { forEachLeased } from "./forEachLeased.ts";
import type { Settler } from "./settler.ts";
import { submitProven } from "./submitProven.ts";
import { trackSubmitted } from "./trackSubmitted.ts";
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
    let moved = await forEachLeased({
      settler,
      stage: { state: "proven", hasTransaction: true },
      handle: (job) => broadcastSigned({ settler, job }),
    });
    moved += await forEachLeased({
      settler,
      stage: { state: "proven", hasTransaction: false },
      handle: (job) => submitProven({ settler, job }),
    });
    const latest = await answerOf(settler.chain.provider.getBlock("latest"));
    if (latest === null) return moved > 0;
    const { hash, number: head } = latest;
    moved += await forEachLeased({
      settler,
      stage: { state: "submitted", hasTransaction: true },
      handle: (job) => trackSubmitted({ settler, job, head }),
    });
    // By hash: a reorganisation can replace a block by another of the same number.
    if (hash !== watchedHead) moved += await watchSettled({ settler, head });
    watchedHead = hash;
    return moved > 0;
  };
}
