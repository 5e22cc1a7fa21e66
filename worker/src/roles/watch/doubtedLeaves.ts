import type { Database } from "../../storage/database.ts";
import type { DoubtedLeaf } from "../../verifier/rerunModels.ts";
import { COLUMNS, pageOf, type WatchedPage } from "../../verifier/watchedPages.ts";

const INSERT = `INSERT INTO doubted_leaves (page_id, place, is_wrong, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
RETURNING place`;

/** Notes of which leaves a proof is to be demanded: on disk when this returns. Returns how many are new. */
export async function noteDoubts(parameters: {
  database: Database;
  pageId: string;
  doubted: readonly DoubtedLeaf[];
}): Promise<number> {
  const { database, doubted, pageId } = parameters;
  return await database.transaction(async (tx) => {
    let added = 0;
    for (const { isWrong, place, reason } of doubted) {
      added += (await tx.query(INSERT, [pageId, place, isWrong, reason])).length;
    }
    return added;
  });
}

/** Pending pages with doubted leaves, those that end first at the front. */
export async function listDoubtedPages(parameters: {
  database: Database;
  limit: number;
}): Promise<WatchedPage[]> {
  const rows = await parameters.database.query(
    `SELECT ${COLUMNS} FROM watched_pages p
    WHERE closed_at IS NULL AND state = 'pending'
      AND EXISTS (SELECT 1 FROM doubted_leaves d WHERE d.page_id = p.page_id)
    ORDER BY p.ends_at, p.page_id LIMIT $1`,
    [parameters.limit],
  );
  return rows.map(pageOf);
}

/** Doubted leaves of a page, those that are wrong for certain first. */
export async function listDoubts(parameters: {
  database: Database;
  pageId: string;
}): Promise<DoubtedLeaf[]> {
  const rows = await parameters.database.query(
    `SELECT place, is_wrong, reason FROM doubted_leaves WHERE page_id = $1
    ORDER BY is_wrong DESC, doubted_at, place`,
    [parameters.pageId],
  );
  return rows.map((row) => ({
    place: Number(row.place),
    isWrong: row.is_wrong as boolean,
    reason: row.reason as string,
  }));
}
