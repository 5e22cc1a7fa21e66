import { StartError } from "../errors.ts";
import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const CLAIM = readSql(import.meta.url, "claimIdentity.sql");
const READ = "SELECT chain_id::text, genesis_hash, settlement, node FROM identity";

/** What a queue belongs to: its nonces and signatures mean nothing anywhere else. */
export type Identity = { chainId: bigint; genesisHash: string; settlement: string; node: string };

/**
 * Ties an empty queue to a chain, contract and node; refuses one that is tied to others. The genesis hash
 * tells a development chain that was started afresh from the one before it.
 * @throws StartError `database.otherIdentity`
 */
export async function claimIdentity(parameters: {
  database: Database;
  identity: Identity;
}): Promise<void> {
  const { database, identity } = parameters;
  const expected = {
    chain_id: identity.chainId.toString(),
    genesis_hash: identity.genesisHash,
    settlement: identity.settlement,
    node: identity.node,
  };
  await database.query(CLAIM, Object.values(expected));
  const [row] = await database.query(READ);
  for (const [field, value] of Object.entries(expected)) {
    if (row?.[field] === value) continue;
    throw new StartError({
      code: "database.otherIdentity",
      message: `the queue belongs to ${field.replace("_", " ")} ${row?.[field]}, this worker serves ${value}: use another HACA_DATA_DIR or database`,
    });
  }
}
