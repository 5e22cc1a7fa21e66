import type { PageHeader } from "@haca/protocol/pageSettlement";
import type { Database, Queryable, Row } from "../storage/database.ts";

export type WatchedState = "pending" | "final" | "rejected" | "disproved" | "released";
export type PageVerdict = "unread" | "unreadable" | "unjudged" | "good" | "bad";

/** A page as it was proposed, and as it was at the last look. */
export type WatchedPage = {
  pageId: string;
  header: PageHeader;
  state: WatchedState;
  /** last second in which it is pending, in unix seconds */
  endsAt: bigint;
  /** text of its blob, once it was read */
  content: string | null;
  verdict: PageVerdict;
  /** whose account got the reward; null where nobody has refuted it, as far as events were read */
  refutedBy: string | null;
  lastError: string | null;
  /** seconds for which its blob could not be read; null where it can */
  unreadableSeconds: number | null;
};

/** A page as its proposal's event has it. */
export type Proposed = { pageId: string; block: number; header: PageHeader; endsAt: bigint };

/** What `pageOf` reads. */
export const COLUMNS = `page_id, kind, tee_id, ledger_page::text, bitmap::text, root, blob_id, proposer, fee::text, state,
  ends_at::text, refuted_by, content, verdict, last_error,
  extract(epoch FROM now() - unreadable_since)::double precision AS unreadable_seconds`;

const INSERT = `INSERT INTO watched_pages (
  page_id, block_number, kind, tee_id, ledger_page, bitmap, root, blob_id, proposer, fee, ends_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (page_id) DO NOTHING`;

export async function insertProposed(tx: Queryable, proposed: Proposed): Promise<void> {
  const { block, endsAt, header, pageId } = proposed;
  const { bitmap, blobId, fee, kind, ledgerPage, proposer, root, teeId } = header;
  await tx.query(INSERT, [
    ...[pageId, block, Number(kind), teeId, String(ledgerPage), String(bitmap), root, blobId],
    ...[proposer, String(fee), String(endsAt)],
  ]);
}

export async function recordRefuter(
  tx: Queryable,
  { challenger, pageId }: { pageId: string; challenger: string },
): Promise<void> {
  const sql = "UPDATE watched_pages SET refuted_by = $2 WHERE page_id = $1";
  await tx.query(sql, [pageId, challenger]);
}

/** Pages that something has happened to are looked at soon. */
export async function wakePages(tx: Queryable, pageIds: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE watched_pages SET look_after = now(), sign_after = now(), collect_after = now(), slash_after = now()
    WHERE page_id = ANY ($1::text[])`,
    [[...pageIds]],
  );
}

/** The same of open pages at some places of the ledger. */
export async function wakeLedgerPages(
  database: Database,
  ledgerPages: readonly bigint[],
): Promise<void> {
  await database.query(
    "UPDATE watched_pages SET look_after = now() WHERE closed_at IS NULL AND ledger_page = ANY ($1::numeric[])",
    [ledgerPages.map(String)],
  );
}

const CLAIM_LOOKS = `UPDATE watched_pages SET look_after = now() + make_interval(secs => $1)
WHERE page_id IN (
  SELECT page_id FROM watched_pages
  WHERE closed_at IS NULL AND look_after <= now()
  ORDER BY verdict <> 'unread', ends_at, page_id
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING ${COLUMNS}`;

/** Pages that are due for a look, for this process alone; of one that dies meanwhile they are due again after `restSeconds`. */
export async function claimLooks(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<WatchedPage[]> {
  const { database, limit, restSeconds } = parameters;
  return (await database.query(CLAIM_LOOKS, [restSeconds, limit])).map(pageOf);
}

const RECORD_LOOK = `UPDATE watched_pages
SET state = $2, ends_at = $3, verdict = $4, content = coalesce($5, content), last_error = $6,
    attested_at = nullif($8::bigint, 0), signers = nullif($9::integer, 0),
    last_request = $10, short_until = $11,
    unreadable_since = CASE WHEN $4 = 'unreadable' THEN coalesce(unreadable_since, now()) END,
    looked_at = now(), judged_at = CASE WHEN $4 IN ('good', 'bad') THEN now() ELSE judged_at END,
    look_after = now() + make_interval(secs => $7)
WHERE page_id = $1`;

/** What a look has found. */
export async function recordLook(parameters: {
  database: Database;
  pageId: string;
  found: {
    state: WatchedState;
    endsAt: bigint;
    /** when a quorum vouched for it, and who: both zero where none did */
    attestedAt: bigint;
    signers: bigint;
    lastRequest: bigint;
    /** last second in which a quorum makes it final earlier */
    shortUntil: bigint;
    verdict: PageVerdict;
    /** what was read for the first time */
    content?: string;
    error?: string;
  };
  /** until the next one */
  restSeconds: number;
}): Promise<void> {
  const { database, found, pageId, restSeconds } = parameters;
  const { attestedAt, content, endsAt, error, lastRequest, shortUntil, signers, state, verdict } =
    found;
  await database.query(RECORD_LOOK, [
    ...[pageId, state, String(endsAt), verdict, content ?? null, error ?? null, restSeconds],
    ...[String(attestedAt), Number(signers), String(lastRequest), String(shortUntil)],
  ]);
}

const CLOSE = `WITH forgotten AS (DELETE FROM shown_leaves WHERE page_id = $1)
UPDATE watched_pages SET state = $2, closed_at = now(), content = NULL
WHERE page_id = $1 AND closed_at IS NULL
RETURNING page_id`;

/** Nothing can become of a page any more. Returns whether this call was the first to say so. */
export async function closePage(parameters: {
  database: Database;
  pageId: string;
  state: WatchedState;
}): Promise<boolean> {
  const { database, pageId, state } = parameters;
  return (await database.query(CLOSE, [pageId, state])).length > 0;
}

/** A look before that says nothing of now: nobody may have been running since. */
const FRESH = "looked_at > now() - interval '2 minutes'";

/** Pending pages whose blob could not be read a moment ago, those that end first at the front. */
export async function listUnreadable(parameters: {
  database: Database;
  limit: number;
}): Promise<WatchedPage[]> {
  const { database, limit } = parameters;
  const rows = await database.query(
    `SELECT ${COLUMNS} FROM watched_pages p
    WHERE closed_at IS NULL AND verdict = 'unreadable' AND state = 'pending' AND ${FRESH}
    ORDER BY p.ends_at, p.page_id LIMIT $1`,
    [limit],
  );
  return rows.map(pageOf);
}

/** A page that was proposed, closed or not. */
export async function findWatched(parameters: {
  database: Database;
  pageId: string;
}): Promise<WatchedPage | undefined> {
  const { database, pageId } = parameters;
  const sql = `SELECT ${COLUMNS} FROM watched_pages WHERE page_id = $1`;
  const [row] = await database.query(sql, [pageId]);
  return row && pageOf(row);
}

const COUNT = `SELECT verdict, count(*)::integer AS count FROM watched_pages WHERE closed_at IS NULL GROUP BY verdict`;

/** Open pages by verdict, and the block up to which events were read; -1 before the first. */
export async function countWatched(parameters: {
  database: Database;
}): Promise<{ verdicts: Record<PageVerdict, number>; block: number }> {
  const { database } = parameters;
  const verdicts = { unread: 0, unreadable: 0, unjudged: 0, good: 0, bad: 0 };
  for (const { count, verdict } of await database.query(COUNT)) {
    verdicts[verdict as PageVerdict] = Number(count);
  }
  const [row] = await database.query("SELECT max(number)::text AS block FROM followed_blocks");
  return { verdicts, block: Number(row?.block ?? -1) };
}

export function pageOf(row: Row): WatchedPage {
  const big = (value: unknown): bigint => BigInt(value as string);
  return {
    pageId: row.page_id as string,
    header: {
      kind: BigInt(row.kind as number),
      teeId: row.tee_id as string,
      ledgerPage: big(row.ledger_page),
      bitmap: big(row.bitmap),
      root: row.root as string,
      blobId: row.blob_id as string,
      proposer: row.proposer as string,
      fee: big(row.fee),
    },
    state: row.state as WatchedState,
    endsAt: big(row.ends_at),
    refutedBy: row.refuted_by as string | null,
    content: row.content as string | null,
    verdict: row.verdict as PageVerdict,
    lastError: row.last_error as string | null,
    unreadableSeconds: row.unreadable_seconds === null ? null : Number(row.unreadable_seconds),
  };
}
