import type { Database, Queryable } from "../storage/database.ts";

/** A leaf, or the proof of one, that somebody waits for, as an event told. */
export type LeafRequest = {
  pageId: string;
  place: number;
  wants: "leaf" | "proof";
  requester: string;
  /** last second for an answer, in unix seconds */
  deadline: bigint;
};

/** One as an event told. */
type Told = LeafRequest & {
  block: number;
  /** in smallest units of OPG */
  deposit: bigint;
};

const INSERT = `INSERT INTO leaf_requests (page_id, place, wants, block_number, requester, deadline, deposit)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING`;

export async function insertRequest(
  tx: Queryable,
  { deposit, block, deadline, pageId, place, requester, wants }: Told,
): Promise<void> {
  const values = [pageId, place, wants, block, requester, String(deadline), String(deposit)];
  await tx.query(INSERT, values);
}

const END = `UPDATE leaf_requests SET ended_at = now()
WHERE page_id = $1 AND place = $2 AND wants = $3 AND ended_at IS NULL`;

/** Nobody waits for this any more. */
export async function endRequest(
  queryable: Queryable,
  { pageId, place, wants }: Pick<LeafRequest, "pageId" | "place" | "wants">,
): Promise<void> {
  await queryable.query(END, [pageId, place, wants]);
}

/** What somebody waits for, as far as is known: the chain has the last word. Those that are due first at the front. */
export async function listRequests(parameters: {
  database: Database;
  limit: number;
}): Promise<LeafRequest[]> {
  const rows = await parameters.database.query(
    `SELECT r.page_id, r.place, r.wants, r.requester, r.deadline::text FROM leaf_requests r
    WHERE r.ended_at IS NULL ORDER BY r.deadline, r.page_id, r.place LIMIT $1`,
    [parameters.limit],
  );
  return rows.map((row) => ({
    pageId: row.page_id as string,
    place: Number(row.place),
    wants: row.wants as LeafRequest["wants"],
    requester: row.requester as string,
    deadline: BigInt(row.deadline as string),
  }));
}

/** How often an account has asked for leaves of a page, or for proofs, for how much of that it still waits, and its deposits. */
export async function countRequests(parameters: {
  database: Database;
  pageId: string;
  requester: string;
  wants: LeafRequest["wants"];
}): Promise<{ made: number; open: number; deposit: bigint }> {
  const { database, pageId, requester, wants } = parameters;
  const [row] = await database.query(
    `SELECT count(*)::integer AS made, count(*) FILTER (WHERE ended_at IS NULL)::integer AS open,
      coalesce(sum(deposit), 0)::text AS deposit
    FROM leaf_requests WHERE page_id = $1 AND requester = $2 AND wants = $3`,
    [pageId, requester, wants],
  );
  return {
    ...{ made: Number(row?.made), open: Number(row?.open) },
    deposit: BigInt((row?.deposit as string | undefined) ?? "0"),
  };
}
