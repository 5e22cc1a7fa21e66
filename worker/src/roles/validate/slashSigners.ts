import { PAGE_REASONS } from "@haca/protocol/pageSettlement";
import type { Block } from "ethers";
import { stakingInterface } from "../../chain/chain.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import { type PageView, viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import type { FrozenSet } from "../../verifier/snapshots.ts";
import { epochOf, frozenSet } from "../../verifier/stakingViews.ts";
import type { Step } from "../watch/watchContext.ts";
import { listAttestations } from "./attestations.ts";
import type { ValidateContext } from "./validateContext.ts";

/** Pages that a pass looks at, and until each is looked at again. */
const LIMIT = 16;
const REST_SECONDS = 15;
/** What is above a day's bound waits for another day. */
const DAILY = "ValidatorStaking_DailySlashReached";
const DAILY_SECONDS = 3_600;
const LAST_SLASHED_REASON = PAGE_REASONS.indexOf("InvalidSignature");

const CLAIM = `UPDATE watched_pages SET slash_after = now() + make_interval(secs => $1)
WHERE page_id IN (
  SELECT page_id FROM watched_pages
  WHERE state IN ('rejected', 'disproved') AND slash_after <= now()
  ORDER BY slash_after, page_id
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING page_id`;
const REST = `UPDATE watched_pages
SET slash_after = CASE WHEN $2::integer IS NULL THEN NULL ELSE now() + make_interval(secs => $2) END
WHERE page_id = $1`;

/**
 * Slashes those who vouched for pages that turned out wrong by themselves, for the bounty: members of the quorum, and whoever
 * else signed, as far as their signatures came by here. Done is what the contract says has been done.
 */
export const slashSigners =
  (context: ValidateContext): Step =>
  async ({ head, sender }) => {
    const { database } = context;
    for (const row of await database.query(CLAIM, [REST_SECONDS, LIMIT])) {
      const pageId = row.page_id as string;
      const seconds = await slashFor({ context, sender, head, pageId });
      await database.query(REST, [pageId, seconds ?? null]);
    }
  };

/** Returns after how many seconds there may be more to do; undefined where there is not. */
async function slashFor(parameters: {
  context: ValidateContext;
  sender: Sender;
  head: Block;
  pageId: string;
}): Promise<number | undefined> {
  const { context, head, pageId } = parameters;
  const view = await viewPage({ context, pageId, block: head.number });
  if (view.state !== "rejected" && view.state !== "disproved") return REST_SECONDS;
  if (PAGE_REASONS.indexOf(view.reason) > LAST_SLASHED_REASON) return undefined;
  const epoch = epochOf(view.attestedAt > 0n ? view.attestedAt : view.proposedAt);
  const set = await frozenSet({ context, epoch, head });
  // Of an epoch that nobody froze there are no signatures that count.
  if (set === undefined) return view.attestedAt > 0n ? REST_SECONDS : undefined;
  const rests: number[] = [];
  for (const { data, key } of await callsOf({ context, view, set, pageId })) {
    const purpose = `slash of ${key} for page ${pageId.slice(0, 18)}`;
    await withDuty({
      ...{ database: context.database, name: purpose },
      async work() {
        const seconds = await slash({ ...parameters, purpose, data });
        if (seconds !== undefined) rests.push(seconds);
      },
    });
  }
  return rests.length === 0 ? undefined : Math.min(...rests);
}

/** A call for each who signed, but for this validator. */
async function callsOf(parameters: {
  context: ValidateContext;
  view: PageView;
  set: FrozenSet;
  pageId: string;
}): Promise<{ key: string; data: string }[]> {
  const { context, pageId, set, view } = parameters;
  const { database } = context;
  const shown = new Map(
    (await listAttestations({ database, pageId })).map(({ key, signature }) => [key, signature]),
  );
  const encode = (name: "slash" | "slashShown", values: readonly unknown[]) =>
    stakingInterface.encodeFunctionData(name, values);
  return set.members.flatMap(({ key }, place) => {
    if (key === context.key.address) return [];
    if (((view.signers >> BigInt(place)) & 1n) === 1n) {
      return [{ key, data: encode("slash", [pageId, set.words, place]) }];
    }
    const signature = shown.get(key);
    if (signature === undefined) return [];
    return [{ key, data: encode("slashShown", [pageId, set.epoch, set.words, place, signature]) }];
  });
}

async function slash(parameters: {
  context: ValidateContext;
  sender: Sender;
  purpose: string;
  data: string;
}): Promise<number | undefined> {
  const { context, data, purpose, sender } = parameters;
  const sent = await sendCall({ context, sender, purpose, to: context.staking, data });
  if (sent.state !== "refused") return REST_SECONDS;
  const { message, name } = sent.revert;
  context.logger.info({ purpose, error: message }, "nothing to slash");
  return name === DAILY ? DAILY_SECONDS : undefined;
}
