import { StartError } from "../errors.ts";
import type { Database } from "../storage/database.ts";
import { addHiddenInputs } from "./hiddenInputs.ts";
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

/** Jobs that share a transaction at most: nobody waits long for the lock that it holds. */
const MAXIMUM_TOGETHER = 64;
const LOCK_NEXT_NONCE = "SELECT next_request_nonce::text AS next FROM identity FOR NO KEY UPDATE";
const INSERT_JOBS = `WITH used AS (
  UPDATE identity SET next_request_nonce = next_request_nonce + cardinality($1::text[])
)
INSERT INTO jobs (
  request_id, nonce, model, version, version_id, requester, price, answered_at, signature, input_words,
  output_words, is_optimistic, state, proven_at
)
SELECT request_id, nonce::numeric, model, version, version_id, requester, price::numeric, answered_at::bigint,
  signature, input_words::text[], output_words::text[], is_optimistic,
  CASE WHEN is_optimistic THEN 'proven' ELSE 'accepted' END, CASE WHEN is_optimistic THEN now() END
FROM unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::boolean[]
) AS given (
  request_id, nonce, model, version, version_id, requester, price, answered_at, signature, input_words, output_words,
  is_optimistic
)`;

type Waiting = {
  create: (nonce: bigint) => Promise<NewJob>;
  resolve: (job: NewJob) => void;
  reject: (error: unknown) => void;
};

/** What came while a transaction of its database is at work, and shares the next one. */
const queues = new WeakMap<Database, Waiting[]>();

/**
 * Allocates the next request nonce and inserts the job that `create` makes for it, in one transaction: a
 * nonce is never given twice and, where `create` throws, not used up. On disk when this returns. One for an optimistic page
 * needs no proof first, and begins as proven.
 *
 * Nonces come one after another, and so would the commits that give them out: requests that come meanwhile share one.
 */
export async function acceptJob(parameters: {
  database: Database;
  create: (nonce: bigint) => Promise<NewJob>;
}): Promise<NewJob> {
  const { create, database } = parameters;
  return await new Promise((resolve, reject) => {
    const one = { create, resolve, reject };
    const queue = queues.get(database);
    if (queue !== undefined) queue.push(one);
    else void acceptAll({ database, queue: [one] });
  });
}

async function acceptAll(parameters: { database: Database; queue: Waiting[] }): Promise<void> {
  const { database, queue } = parameters;
  queues.set(database, queue);
  while (queue.length > 0) {
    await acceptTogether({ database, group: queue.splice(0, MAXIMUM_TOGETHER) });
  }
  queues.delete(database);
}

/** Stores what can be made; where the database fails, none of them is stored. Never throws: each hears of its own. */
async function acceptTogether(parameters: {
  database: Database;
  group: readonly Waiting[];
}): Promise<void> {
  const { database, group } = parameters;
  try {
    const made = await database.transaction(async (tx) => {
      const [row] = await tx.query(LOCK_NEXT_NONCE);
      let nonce = BigInt(row?.next as string);
      const jobs = new Map<Waiting, NewJob>();
      for (const one of group) {
        try {
          jobs.set(one, await one.create(nonce));
          nonce += 1n;
        } catch (error) {
          one.reject(error);
        }
      }
      const made = [...jobs.values()];
      // Lists of different lengths cannot be rows of one array: each comes as PostgreSQL writes it.
      const list = (words: readonly bigint[]) => `{${words.join(",")}}`;
      if (made.length > 0) {
        await tx.query(INSERT_JOBS, [
          ...columnsOf(made),
          made.map(({ inputWords }) => list(inputWords)),
          made.map(({ outputWords }) => list(outputWords)),
          made.map(({ isOptimistic = false }) => isOptimistic),
        ]);
        await addHiddenInputs({ database: tx, jobs: made });
      }
      return jobs;
    });
    for (const [one, job] of made) one.resolve(job);
  } catch (error) {
    for (const one of group) one.reject(error);
  }
}

/** What every job is inserted with, whatever shows its result to be right: `request_id` to `answered_at`, and `signature`. */
export function columnsOf(jobs: readonly NewJob[]): string[][] {
  const column = (read: (job: NewJob) => unknown) => jobs.map((job) => String(read(job)));
  return [
    column(({ requestId }) => requestId),
    column(({ nonce }) => nonce),
    column(({ model }) => model),
    column(({ version }) => version),
    column(({ versionId }) => versionId),
    column(({ requester }) => requester),
    column(({ price }) => price),
    column(({ timestamp }) => timestamp),
    column(({ signature }) => signature),
  ];
}
