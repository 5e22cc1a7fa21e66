import { stakingInterface } from "../../chain/chain.ts";
import { withDuty } from "../../verifier/duties.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { askStaking, epochOf } from "../../verifier/stakingViews.ts";
import type { Step } from "../watch/watchContext.ts";
import { countWaiting } from "./attestations.ts";
import type { ValidateContext } from "./validateContext.ts";

/** `snapshotHashOf` of an epoch that nobody froze. */
const NONE = `0x${"00".repeat(31)}`;

/**
 * Has the set of this epoch frozen, where a page waits for a quorum and nothing else has frozen it: also one that was signed
 * before midnight, whose signatures count in any epoch that has its set.
 */
export const freezeEpoch =
  (context: ValidateContext): Step =>
  async ({ head, sender }) => {
    const { database, staking } = context;
    if ((await countWaiting({ database })) === 0) return;
    const epoch = epochOf(BigInt(head.timestamp));
    const asked = { context, name: "snapshotHashOf", values: [epoch], block: head.number } as const;
    if ((await askStaking<string>(asked)) !== NONE) return;
    const purpose = `freezing of epoch ${epoch}`;
    const data = stakingInterface.encodeFunctionData("freeze");
    await withDuty({
      ...{ database, name: purpose },
      async work() {
        await sendCall({ context, sender, purpose, to: staking, data });
      },
    });
  };
