import { db } from "ponder:api";
import schema from "ponder:schema";
import { placeInLedger } from "@haca/protocol/requestId";
import { Hono } from "hono";
import { and, asc, eq, gt, isNull, or } from "ponder";
import { z } from "zod";
import { type Finality, finalityLabel } from "../finalityLabel.ts";
import { type PageStanding, pageState, worthOf } from "../pages/pageState.ts";
import { inJson } from "./inJson.ts";
import { hexOf, integer, now, place, refusal, time } from "./parameters.ts";
import { readFinality } from "./readFinality.ts";

const MAXIMUM_LIMIT = 500;

const { page, settlement } = schema;

const idSchema = z.strictObject({ id: hexOf(64), at: time });
const listSchema = z.strictObject({
  node: hexOf(40).optional(),
  proposer: hexOf(40).optional(),
  at: time,
  limit: integer(MAXIMUM_LIMIT).pipe(z.number().min(1, "must be at least 1")).default(100),
  after: place,
});

type Row = typeof page.$inferSelect;

/** `GET /pages`: pages in the order in which they were proposed, each with its state at a time. */
export const pageRoutes = new Hono().get("/pages", async (context) => {
  const query = listSchema.safeParse(context.req.query());
  if (!query.success) return context.json(refusal(query.error), 400);
  const { after, at = now(), limit, node, proposer } = query.data;
  const finality = await readFinality();
  const [block = 0, logIndex = 0] = after ?? [];
  const behind = or(
    gt(page.blockNumber, BigInt(block)),
    and(eq(page.blockNumber, BigInt(block)), gt(page.logIndex, logIndex)),
  );
  const rows = await db
    .select()
    .from(page)
    .where(
      and(
        ...(node === undefined ? [] : [eq(page.nodeAddress, node)]),
        ...(proposer === undefined ? [] : [eq(page.proposer, proposer)]),
        ...(after === undefined ? [] : [behind]),
      ),
    )
    .orderBy(asc(page.blockNumber), asc(page.logIndex))
    .limit(limit + 1);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next =
    rows.length > limit && last !== undefined ? `${last.blockNumber}-${last.logIndex}` : null;
  return context.json({
    at: String(at),
    pages: shown.map((row) => withState({ row, standing: row, at, finality })),
    next,
  });
});

/** `GET /pages/<id>`: a page with its results, as far as its blob was read. */
pageRoutes.get("/pages/:id", async (context) => {
  const query = idSchema.safeParse({ ...context.req.query(), id: context.req.param("id") });
  if (!query.success) return context.json(refusal(query.error), 400);
  const { at = now(), id } = query.data;
  const finality = await readFinality();
  // One statement: a block that is indexed meanwhile cannot come between two of them.
  const rows = await db
    .select({ page, settlement })
    .from(page)
    .leftJoin(settlement, eq(settlement.pageId, page.id))
    .where(eq(page.id, id))
    .orderBy(asc(settlement.nonce));
  const [found] = rows;
  if (found === undefined) return context.json({ error: `id: no page ${id} was proposed` }, 404);
  const results = rows.flatMap(({ settlement: row }) =>
    row === null ? [] : [withState({ row, standing: found.page, at, finality })],
  );
  return context.json({
    at: String(at),
    page: withState({ row: found.page, standing: found.page, at, finality }),
    results,
  });
});

/**
 * `GET /requests/<id>`: what became of a request. Whether a page took it follows from the chain alone, so that this needs no
 * blob.
 */
pageRoutes.get("/requests/:id", async (context) => {
  const query = idSchema.safeParse({ ...context.req.query(), id: context.req.param("id") });
  if (!query.success) return context.json(refusal(query.error), 400);
  const { at = now(), id } = query.data;
  const finality = await readFinality();
  const { page: ledgerPage, bit } = placeInLedger(id);
  const [settled] = await db
    .select()
    .from(settlement)
    .where(
      and(eq(settlement.requestId, id), eq(settlement.verified, true), isNull(settlement.pageId)),
    );
  const answer = { requestId: id, at: String(at) };
  if (settled !== undefined) {
    const { verification, batched, transactionHash } = settled;
    const how = { verification, batched, transactionHash, pageId: null, blob: null };
    const label = finalityLabel({ block: settled.rowBlock, finality });
    return context.json({ ...answer, state: "final", until: null, ...how, finality: label });
  }
  const pages = await db.select().from(page).where(eq(page.ledgerPage, ledgerPage));
  const taking = pages.find(
    ({ bitmap, outcome }) => (bitmap & bit) !== 0n && outcome !== "rejected",
  );
  if (taking === undefined) return context.json({ ...answer, state: "none", until: null });
  const { id: pageId, kind: verification, blob, transactionHash } = taking;
  const {
    state,
    until,
    finality: label,
  } = withState({
    ...{ row: taking, standing: taking, at, finality },
  }) as { state: string; until: string | null; finality: string };
  const how = { verification, batched: false, transactionHash, pageId, blob };
  return context.json({ ...answer, state, until, ...how, finality: label });
});

/** A row of a page, or of a result in it, with the state that the page has at a time. */
function withState(parameters: {
  row: { rowBlock: bigint };
  standing: PageStanding & Pick<Row, "rowBlock" | "kind" | "attestedAt">;
  at: bigint;
  finality: Finality;
}): object {
  const { at, finality, row, standing } = parameters;
  const { state, until } = pageState({ page: standing, at });
  // A state is no more final than the younger one of the rows that say it.
  const { rowBlock: block } = row.rowBlock > standing.rowBlock ? row : standing;
  return {
    ...inJson({ row, finality }),
    ...{ state, until: until === null ? null : String(until) },
    worth: worthOf({ page: standing, state }),
    finality: finalityLabel({ block, finality }),
  };
}
