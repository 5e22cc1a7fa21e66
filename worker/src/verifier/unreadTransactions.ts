import type { Database } from "../storage/database.ts";

const UNREAD = `SELECT 1 FROM transactions t JOIN attempts a ON a.transaction_id = t.id
WHERE starts_with(t.purpose, $1) AND right(t.purpose, length($2)) = $2
  AND a.block_number > (SELECT coalesce(max(number), -1) FROM followed_blocks)
LIMIT 1`;

/**
 * Whether a transaction of this account is mined whose event was not read yet: what is counted by events lacks it. Of those whose
 * purposes begin and end so.
 */
export async function hasUnread(parameters: {
  database: Database;
  begin: string;
  end: string;
}): Promise<boolean> {
  const { begin, database, end } = parameters;
  return (await database.query(UNREAD, [begin, end])).length > 0;
}
