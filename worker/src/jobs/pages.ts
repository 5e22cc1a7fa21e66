import type { PageHeader } from "@haca/protocol/pageSettlement";
import type { Database, Row } from "../storage/database.ts";
import { type Job, jobOf } from "./job.ts";
import type { MinedReceipt } from "./transactionStore.ts";

/** A page as it was proposed. */
export type ProposedPage = {
  pageId: string;
  header: PageHeader;
  /** last second in which it is pending, in unix seconds */
  endsAt: bigint;
};

/** What became of a page that was pending, or of the bond of one that was final. */
export type PageDecision = "final" | "rejected" | "disproved" | "released";

const RECORD_PENDING = `WITH mined AS (
  UPDATE attempts SET block_number = $3, block_hash = $4, gas_used = $5 WHERE hash = $2
  RETURNING transaction_id
), page AS (
  INSERT INTO pages (
    page_id, transaction_id, kind, tee_id, ledger_page, bitmap, root, blob_id, proposer, fee, ends_at, renew_after
  )
  SELECT $6, transaction_id, $7, $8, $9, $10, $11, $12, $13, $14, $15, now() + make_interval(secs => $16)
  FROM mined
  ON CONFLICT (page_id) DO NOTHING
)
UPDATE jobs
SET state = 'pending', page_id = $6, last_error = NULL, leased_by = NULL, leased_until = NULL, claims = 0,
    claims_alone = 0, run_after = now()
WHERE request_id = ANY ($1::text[])
  AND transaction_id = (SELECT transaction_id FROM attempts WHERE hash = $2)
  AND state = 'submitted'
RETURNING request_id`;

/**
 * submitted -> pending, for those of a transaction's jobs that the page took which it proposed.
 * Returns the jobs that this call moved, by their request ids.
 */
export async function recordPending(parameters: {
  database: Database;
  requestIds: readonly string[];
  mined: MinedReceipt;
  page: ProposedPage;
  /** when the page's blob is stored again */
  renewSeconds: number;
}): Promise<string[]> {
  const { database, mined, page, renewSeconds, requestIds } = parameters;
  const { endsAt, header, pageId } = page;
  const rows = await database.query(RECORD_PENDING, [
    ...[[...requestIds], mined.hash, mined.blockNumber, mined.blockHash, mined.gasUsed.toString()],
    ...[
      pageId,
      Number(header.kind),
      header.teeId,
      String(header.ledgerPage),
      String(header.bitmap),
    ],
    ...[header.root, header.blobId, header.proposer, String(header.fee), String(endsAt)],
    renewSeconds,
  ]);
  return rows.map(({ request_id }) => request_id as string);
}

/** Of a row that `pageOf` reads. */
export const PAGE_COLUMNS = `page_id, state, kind, tee_id, ledger_page::text, bitmap::text, root, blob_id, proposer, fee::text,
  ends_at::text`;
const READ_PAGE = `SELECT ${PAGE_COLUMNS} FROM pages WHERE page_id = $1`;
const READ_RESULTS = `SELECT job_records.*
FROM job_records
WHERE request_id IN (
  SELECT c.request_id FROM transaction_jobs c JOIN pages p ON p.transaction_id = c.transaction_id WHERE p.page_id = $1
)
ORDER BY nonce::numeric`;

/** A page that was proposed, and the jobs of all of its results in the order of their places. */
export async function readPage(parameters: {
  database: Pick<Database, "query">;
  pageId: string;
}): Promise<{ page: ProposedPage; jobs: Job[] } | undefined> {
  const { database, pageId } = parameters;
  const [row] = await database.query(READ_PAGE, [pageId]);
  if (row === undefined) return undefined;
  const jobs = (await database.query(READ_RESULTS, [pageId])).map(jobOf);
  return { page: pageOf(row), jobs };
}

/** Which pages are looked at: those that are pending; those that are final and whose bond is due. */
export type PageLook = "pending" | "due";

const CLAIM_LOOKS = `UPDATE pages SET look_after = now() + make_interval(secs => $1)
WHERE page_id IN (
  SELECT page_id FROM pages
  WHERE look_after <= now()
    AND CASE WHEN $2 = 'pending' THEN state = 'pending' ELSE state = 'final' AND ends_at < $3::numeric END
  ORDER BY look_after
  LIMIT $4
  FOR UPDATE SKIP LOCKED
)
RETURNING ${PAGE_COLUMNS}`;

/** Pages that it is time to look at; nobody else does for so long, whatever becomes of this process. */
export async function claimLooks(parameters: {
  database: Database;
  look: PageLook;
  /** unix seconds that the end of a page has to be before, to be due */
  endedBefore?: bigint;
  restSeconds: number;
  limit: number;
}): Promise<ProposedPage[]> {
  const { database, endedBefore = 0n, limit, look, restSeconds } = parameters;
  const values = [restSeconds, look, String(endedBefore), limit];
  return (await database.query(CLAIM_LOOKS, values)).map(pageOf);
}

const CLAIM_RENEWALS = `UPDATE pages SET renew_after = now() + make_interval(secs => $1)
WHERE page_id IN (
  SELECT page_id FROM pages
  WHERE state IN ('pending', 'final') AND renew_after <= now()
  ORDER BY renew_after
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING ${PAGE_COLUMNS}`;

/** Pages whose blobs are to be stored again, at the latest after the rest if it fails. */
export async function claimRenewals(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<ProposedPage[]> {
  const { database, limit, restSeconds } = parameters;
  return (await database.query(CLAIM_RENEWALS, [restSeconds, limit])).map(pageOf);
}

/** Notes that a page's blob was stored again. */
export async function recordRenewal(parameters: {
  database: Database;
  pageId: string;
  renewSeconds: number;
}): Promise<void> {
  const { database, pageId, renewSeconds } = parameters;
  const statement =
    "UPDATE pages SET renew_after = now() + make_interval(secs => $2) WHERE page_id = $1";
  await database.query(statement, [pageId, renewSeconds]);
}

/** Notes that a page ends later, because somebody has asked for a leaf of it, or earlier, because it was attested. */
export async function recordEnd(parameters: {
  database: Database;
  pageId: string;
  endsAt: bigint;
}): Promise<void> {
  const { database, endsAt, pageId } = parameters;
  await database.query("UPDATE pages SET ends_at = $2 WHERE page_id = $1", [
    pageId,
    String(endsAt),
  ]);
}

/** What a page can come from to what it comes to. */
const FROM: Readonly<Record<PageDecision, readonly string[]>> = {
  final: ["pending"],
  rejected: ["pending"],
  disproved: ["pending", "final"],
  released: ["pending", "final"],
};
/** The proof of a job that was demanded, where it was made. */
const DEMANDED_PROOF = "(SELECT d.proof FROM demands d WHERE d.request_id = jobs.request_id)";
const DECIDE = `WITH decided AS (
  UPDATE pages SET state = $2 WHERE page_id = $1 AND state = ANY ($3::text[]) RETURNING page_id
), closed AS (
  UPDATE demands SET is_open = false WHERE page_id IN (SELECT page_id FROM decided)
)
UPDATE jobs
SET state = CASE
      WHEN $2 <> 'rejected' THEN 'settled'
      WHEN is_optimistic AND ${DEMANDED_PROOF} IS NULL THEN 'accepted'
      ELSE 'proven'
    END,
    proof = CASE WHEN $2 = 'rejected' AND is_optimistic THEN ${DEMANDED_PROOF} ELSE proof END,
    is_optimistic = is_optimistic AND $2 <> 'rejected',
    settled_at = CASE WHEN $2 = 'rejected' THEN NULL ELSE now() END,
    transaction_id = CASE WHEN $2 = 'rejected' THEN NULL ELSE transaction_id END,
    submitted_at = CASE WHEN $2 = 'rejected' THEN NULL ELSE submitted_at END,
    settle_alone = settle_alone OR $2 = 'rejected',
    last_error = CASE WHEN $2 = 'rejected' THEN 'the page was rejected' END
WHERE page_id IN (SELECT page_id FROM decided) AND state = 'pending'
RETURNING request_id`;

/**
 * pending -> settled, for the jobs of a page that is final, whatever came after that; pending -> proven, each to be settled
 * alone, for those of one that was rejected; accepted, where a proof is to be made first. Returns the jobs that this call moved.
 */
export async function decidePage(parameters: {
  database: Database;
  pageId: string;
  decision: PageDecision;
}): Promise<string[]> {
  const { database, decision, pageId } = parameters;
  const rows = await database.query(DECIDE, [pageId, decision, [...FROM[decision]]]);
  return rows.map(({ request_id }) => request_id as string);
}

/** A row of `pages`. */
export function pageOf(row: Row): ProposedPage {
  const text = (name: string): string => row[name] as string;
  return {
    pageId: text("page_id"),
    endsAt: BigInt(text("ends_at")),
    header: {
      kind: BigInt(row.kind as number),
      teeId: text("tee_id"),
      ledgerPage: BigInt(text("ledger_page")),
      bitmap: BigInt(text("bitmap")),
      root: text("root"),
      blobId: text("blob_id"),
      proposer: text("proposer"),
      fee: BigInt(text("fee")),
    },
  };
}
