import type { JsonRpcProvider } from "ethers";
import type { Logger } from "pino";
import { answerOf } from "../../../chain/rpcErrors.ts";
import type { Database } from "../../../storage/database.ts";

const LIST_BLOCKS = `SELECT DISTINCT block_number::text AS number, block_hash AS hash FROM payments
WHERE block_number IS NOT NULL AND finalised_at IS NULL`;
/** What the account sent itself goes back to being sent, the same bytes at once; else somebody else did, and may not again. */
const UNMINE = `UPDATE attempts
SET block_number = NULL, block_hash = NULL, gas_used = NULL, broadcast_at = NULL
FROM payments p
WHERE p.block_hash = $1 AND p.finalised_at IS NULL
  AND attempts.transaction_id = p.transaction_id AND attempts.hash = p.transaction_hash`;
const REOPEN = `UPDATE payments
SET state = CASE WHEN is_own THEN 'sent' ELSE 'accepted' END,
    transaction_id = CASE WHEN is_own THEN transaction_id END,
    transaction_hash = NULL, block_number = NULL, block_hash = NULL, failure = NULL,
    last_error = 'a reorganisation removed the transaction', run_after = now(), updated_at = now()
FROM (
  SELECT p.id AS reopened, EXISTS (
    SELECT 1 FROM attempts a WHERE a.transaction_id = p.transaction_id AND a.hash = p.transaction_hash
  ) AS is_own
  FROM payments p
  WHERE p.block_hash = $1 AND p.finalised_at IS NULL
) found
WHERE id = reopened
RETURNING id::text`;
const FINALISE =
  "UPDATE payments SET finalised_at = now() WHERE block_number <= $1 AND finalised_at IS NULL";

/**
 * Compares the blocks that payments were mined in with the chain's, at each new head. Where one is gone, its payments are under
 * way again, whatever they had come to; those deeper than `reorgBlocks` are final. Returns whether any went back.
 */
export function createPaymentWatch(context: {
  database: Database;
  provider: JsonRpcProvider;
  /** depth to which a reorganisation is watched for */
  reorgBlocks: number;
  logger: Logger;
}): () => Promise<boolean> {
  const { database, logger, provider, reorgBlocks } = context;
  let watched: string | null = null;
  return async () => {
    const blocks = await database.query(LIST_BLOCKS);
    if (blocks.length === 0) return false;
    const head = await answerOf(provider.getBlock("latest"));
    // By hash: a reorganisation can replace a block by another of the same number.
    if (head === null || head.hash === watched) return false;
    let reopened = 0;
    for (const { hash, number } of blocks) {
      const block = await answerOf(provider.getBlock(Number(number)));
      if (block?.hash === hash) continue;
      const ids = await database.transaction(async (tx) => {
        await tx.query(UNMINE, [hash]);
        return await tx.query(REOPEN, [hash]);
      });
      reopened += ids.length;
      logger.warn({ payments: ids.map(({ id }) => id), block: number }, "block reorganised");
    }
    await database.query(FINALISE, [head.number - reorgBlocks]);
    watched = head.hash;
    return reopened > 0;
  };
}
