import type { Database, Queryable } from "../storage/database.ts";

/** A leaf that somebody waits for, as an event told. */
export type LeafRequest = {
  pageId: string;
  place: number;
  requester: string;
  /** last second for an answer, in unix seconds */
  deadline: bigint;
};

const INSERT = `INSERT INTO leaf_requests (page_id, place, block_number, requester, deadline)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING`;

export async function insertRequest(
  tx: Queryable,
  { block, deadline, pageId, place, requester }: LeafRequest & { block: number },
): Promise<void> {
  await tx.query(INSERT, [pageId, place, block, requester, String(deadline)]);
}

/** Nobody waits for this leaf any more. */
export async function endRequest(
  queryable: Queryable,
  { pageId, place }: Pick<LeafRequest, "pageId" | "place">,
): Promise<void> {
  const sql =
    "UPDATE leaf_requests SET ended_at = now() WHERE page_id = $1 AND place = $2 AND ended_at IS NULL";
  await queryable.query(sql, [pageId, place]);
}

/** Leaves that somebody waits for, as far as is known: the chain has the last word. Those that are due first at the front. */
export async function listRequests(parameters: {
  database: Database;
  limit: number;
}): Promise<LeafRequest[]> {
  const rows = await parameters.database.query(
    `SELECT page_id, place, requester, deadline::text FROM leaf_requests
    WHERE ended_at IS NULL ORDER BY deadline, page_id, place LIMIT $1`,
    [parameters.limit],
  );
  return rows.map((row) => ({
    pageId: row.page_id as string,
    place: Number(row.place),
    requester: row.requester as string,
    deadline: BigInt(row.deadline as string),
  }));
}

/** How many leaves of a page an account has asked for, and how many of those nobody has shown yet. */
export async function countRequests(parameters: {
  database: Database;
  pageId: string;
  requester: string;
}): Promise<{ made: number; open: number }> {
  const { database, pageId, requester } = parameters;
  const [row] = await database.query(
    `SELECT count(*)::integer AS made, count(*) FILTER (WHERE ended_at IS NULL)::integer AS open
    FROM leaf_requests WHERE page_id = $1 AND requester = $2`,
    [pageId, requester],
  );
  return { made: Number(row?.made), open: Number(row?.open) };
}
