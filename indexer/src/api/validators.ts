import { db } from "ponder:api";
import schema from "ponder:schema";
import { Hono } from "hono";
import { and, asc, desc, eq, gt, or } from "ponder";
import { z } from "zod";
import { type Finality, finalityLabel } from "../finalityLabel.ts";
import { earnedSince, worthOf } from "../staking/stakeArithmetic.ts";
import { inJson } from "./inJson.ts";
import { hexOf, integer, place, refusal } from "./parameters.ts";
import { readFinality } from "./readFinality.ts";

const MAXIMUM_LIMIT = 500;

const { epochMember, stakeDelegation, stakingEpoch, unbonding, unbondingSum, validator } = schema;

const limit = integer(MAXIMUM_LIMIT).pipe(z.number().min(1, "must be at least 1")).default(100);
const listSchema = z.strictObject({
  "in-set": z.literal("true", { error: "must be true, or left out" }).optional(),
  limit,
  after: place,
});
const oneSchema = z.strictObject({ owner: hexOf(40), limit });

/** `GET /validators`: in the order in which they registered, each with its weight in the latest snapshot. */
export const validatorRoutes = new Hono().get("/validators", async (context) => {
  const query = listSchema.safeParse(context.req.query());
  if (!query.success) return context.json(refusal(query.error), 400);
  const { after, "in-set": inSet, limit: most } = query.data;
  const finality = await readFinality();
  const [block = 0, logIndex = 0] = after ?? [];
  const behind = or(
    gt(validator.blockNumber, BigInt(block)),
    and(eq(validator.blockNumber, BigInt(block)), gt(validator.logIndex, logIndex)),
  );
  const [latest] = await db.select().from(stakingEpoch).orderBy(desc(stakingEpoch.epoch)).limit(1);
  const rows = await db
    .select({ validator, member: epochMember })
    .from(validator)
    .leftJoin(
      epochMember,
      and(eq(epochMember.validator, validator.owner), eq(epochMember.epoch, latest?.epoch ?? -1n)),
    )
    .where(
      and(
        ...(inSet === undefined ? [] : [eq(validator.isInSet, true)]),
        ...(after === undefined ? [] : [behind]),
      ),
    )
    .orderBy(asc(validator.blockNumber), asc(validator.logIndex))
    .limit(most + 1);
  const shown = rows.slice(0, most);
  const last = shown.at(-1)?.validator;
  const next =
    rows.length > most && last !== undefined ? `${last.blockNumber}-${last.logIndex}` : null;
  return context.json({
    epoch:
      latest === undefined
        ? null
        : {
            ...inJson({ row: latest, finality }),
            isPossible: latest.total >= latest.minimumTotalStake,
          },
    validators: shown.map(({ member, validator: row }) => ({
      ...inJson({ row, finality }),
      weight: member === null ? null : String(member.stake),
    })),
    next,
  });
});

/** `GET /validators/<owner>`: a validator, and what everybody's shares of its pool are worth as of its last event. */
validatorRoutes.get("/validators/:owner", async (context) => {
  const query = oneSchema.safeParse({ ...context.req.query(), owner: context.req.param("owner") });
  if (!query.success) return context.json(refusal(query.error), 400);
  const { limit: most, owner } = query.data;
  const finality = await readFinality();
  // One statement: a block that is indexed meanwhile cannot come between two of them.
  const rows = await db
    .select({ pool: validator, row: stakeDelegation })
    .from(validator)
    .leftJoin(stakeDelegation, eq(stakeDelegation.validator, validator.owner))
    .where(eq(validator.owner, owner))
    .orderBy(desc(stakeDelegation.shares), asc(stakeDelegation.delegator))
    .limit(most);
  const [first] = rows;
  if (first === undefined) return context.json({ error: `owner: ${owner} is no validator` }, 404);
  const { pool } = first;
  const leaving = await db
    .select({ row: unbonding, sum: unbondingSum })
    .from(unbonding)
    .innerJoin(
      unbondingSum,
      and(eq(unbondingSum.validator, unbonding.validator), eq(unbondingSum.epoch, unbonding.epoch)),
    )
    .where(and(eq(unbonding.validator, owner), gt(unbonding.shares, 0n)))
    .orderBy(asc(unbonding.epoch), asc(unbonding.delegator))
    .limit(most);
  return context.json({
    validator: inJson({ row: pool, finality }),
    delegations: rows.flatMap(({ row }) =>
      row === null
        ? []
        : [
            {
              ...inJson({ row, finality }),
              stake: String(worthOf(row.shares, pool)),
              rewards: String(row.owed + earnedSince(row, pool.rewardPerShare)),
              finality: labelOf([row, pool], finality),
            },
          ],
    ),
    unbonding: leaving.map(({ row, sum }) => ({
      ...inJson({ row, finality }),
      amount: String(worthOf(row.shares, { stake: sum.amount, shares: sum.shares })),
      finality: labelOf([row, sum], finality),
    })),
  });
});

/** What follows from two rows is no more final than the younger one. */
function labelOf(
  [first, second]: readonly [{ rowBlock: bigint }, { rowBlock: bigint }],
  finality: Finality,
): string {
  const { rowBlock: block } = first.rowBlock > second.rowBlock ? first : second;
  return finalityLabel({ block, finality });
}
