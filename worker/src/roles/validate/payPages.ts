import type { Block } from "ethers";
import { stakingInterface } from "../../chain/chain.ts";
import { withDuty } from "../../verifier/duties.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import type { FrozenSet } from "../../verifier/snapshots.ts";
import { askStaking, epochOf, frozenSet } from "../../verifier/stakingViews.ts";
import type { Step } from "../watch/watchContext.ts";
import type { ValidateContext } from "./validateContext.ts";

/** Pause between two looks at what there is to be paid. */
const LOOK_MS = 60_000;
/** Epochs that are looked at. */
const EPOCHS = 14n;
/** So many pages are paid whatever their fees are: each takes a part of the pot of rewards as well. */
const MANY_PAGES = 64n;

const SETS = `SELECT DISTINCT attested_at / 86400 AS epoch, signers FROM watched_pages
WHERE attested_at / 86400 >= $1 AND signers IS NOT NULL
ORDER BY epoch, signers`;

/** Has fees and rewards of attested pages paid out, where this validator's own part is worth a transaction. */
export function payPages(context: ValidateContext): Step {
  let lookedAt = Number.NEGATIVE_INFINITY;
  return async ({ head, sender }) => {
    if (performance.now() - lookedAt < LOOK_MS) return;
    const { database, staking } = context;
    const first = epochOf(BigInt(head.timestamp)) - EPOCHS;
    const byEpoch = new Map<bigint, bigint[]>();
    for (const { epoch, signers } of await database.query(SETS, [String(first)])) {
      const number = BigInt(epoch as string | number);
      byEpoch.set(number, [...(byEpoch.get(number) ?? []), BigInt(signers as number)]);
    }
    for (const [epoch, signerSets] of byEpoch) {
      const set = await frozenSet({ context, epoch, head });
      if (set === undefined) continue;
      const due = await dueOf({ context, head, set, signerSets });
      if (due.length === 0) continue;
      const purpose = `payment of pages of epoch ${epoch}`;
      const data = stakingInterface.encodeFunctionData("payPages", [epoch, set.words, due]);
      await withDuty({
        ...{ database, name: purpose },
        async work() {
          await sendCall({ context, sender, purpose, to: staking, data });
        },
      });
    }
    lookedAt = performance.now();
  };
}

/** Sets of signers whose pages were not paid, if what they bring this validator is worth it. */
async function dueOf(parameters: {
  context: ValidateContext;
  head: Block;
  set: FrozenSet;
  signerSets: readonly bigint[];
}): Promise<bigint[]> {
  const { context, head, set, signerSets } = parameters;
  const { epoch, members } = set;
  const place = members.findIndex(({ key }) => key === context.key.address);
  if (place === -1) return [];
  const due: bigint[] = [];
  let [own, count] = [0n, 0n];
  for (const signers of signerSets) {
    if (((signers >> BigInt(place)) & 1n) === 0n) continue;
    const values = [epoch, signers];
    const asked = { context, name: "tallyOf", values, block: head.number } as const;
    const { fees, pages } = await askStaking<{ fees: bigint; pages: bigint }>(asked);
    if (pages === 0n) continue;
    const weight = members.reduce(
      (sum, { stake }, i) => (((signers >> BigInt(i)) & 1n) === 1n ? sum + stake : sum),
      0n,
    );
    own += weight === 0n ? 0n : (fees * (members[place]?.stake ?? 0n)) / weight;
    count += pages;
    due.push(signers);
  }
  return own >= context.payMinimum || count >= MANY_PAGES ? due : [];
}
