import { StartError } from "../errors.ts";
import type { Database } from "../storage/database.ts";
import type { NewJob } from "./job.ts";

const CLAIM_IDENTITY = `INSERT INTO identity (chain_id, genesis_hash, settlement, node)
VALUES ($1, $2, $3, $4)
ON CONFLICT (singleton) DO NOTHING`;
const READ_IDENTITY = "SELECT chain_id::text, genesis_hash, settlement, node FROM identity";

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
  await database.query(CLAIM_IDENTITY, Object.values(expected));
  const [row] = await database.query(READ_IDENTITY);
  for (const [field, value] of Object.entries(expected)) {
    if (row?.[field] === value) continue;
    throw new StartError({
      code: "database.otherIdentity",
      message: `the queue belongs to ${field.replace("_", " ")} ${row?.[field]}, this worker serves ${value}: use another HACA_DATA_DIR or database`,
    });
  }
}

const SKIP_REQUEST_NONCES = `UPDATE identity
SET next_request_nonce = greatest(next_request_nonce, $1::numeric)
RETURNING next_request_nonce::text AS next`;

/** Makes `minimum` the lowest nonce that a new request can have; never goes back. Returns the next nonce. */
export async function skipRequestNonces(parameters: {
  database: Database;
  minimum: bigint;
}): Promise<bigint> {
  const [row] = await parameters.database.query(SKIP_REQUEST_NONCES, [
    parameters.minimum.toString(),
  ]);
  return BigInt(row?.next as string);
}

const ALLOCATE_REQUEST_NONCE = `UPDATE identity
SET next_request_nonce = next_request_nonce + 1
RETURNING (next_request_nonce - 1)::text AS nonce`;
const INSERT_JOB = `INSERT INTO jobs (
  request_id, nonce, model, version, version_id, requester, price, answered_at, input_words, output_words,
  signature
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;

/**
 * Allocates the next request nonce and inserts the job that `create` makes for it, in one transaction: a
 * nonce is never given twice and, where `create` throws, not used up. On disk when this returns.
 */
export async function acceptJob(parameters: {
  database: Database;
  create: (nonce: bigint) => Promise<NewJob>;
}): Promise<NewJob> {
  const { database, create } = parameters;
  return await database.transaction(async (tx) => {
    const [row] = await tx.query(ALLOCATE_REQUEST_NONCE);
    const job = await create(BigInt(row?.nonce as string));
    await tx.query(INSERT_JOB, [
      job.requestId,
      job.nonce.toString(),
      job.model,
      job.version,
      job.versionId,
      job.requester,
      job.price.toString(),
      job.timestamp.toString(),
      job.inputWords.map(String),
      job.outputWords.map(String),
      job.signature,
    ]);
    return job;
  });
}
