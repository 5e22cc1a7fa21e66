import type { Database } from "../../storage/database.ts";
import { COLUMNS, pageOf, type WatchedPage } from "../../verifier/watchedPages.ts";

/** A validator's signature for a page, 64 bytes (EIP-2098). */
export type Attestation = { key: string; signature: string };

const INSERT = `INSERT INTO attestations (page_id, key, signature) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
RETURNING key`;

/** Keeps a signature: on disk when this returns. The first one of a key for a page stays. Returns whether this is it. */
export async function keepAttestation(parameters: {
  database: Database;
  pageId: string;
  attestation: Attestation;
}): Promise<boolean> {
  const { attestation, database, pageId } = parameters;
  const { key, signature } = attestation;
  return (await database.query(INSERT, [pageId, key, signature])).length > 0;
}

const LIST = `SELECT key, signature FROM attestations WHERE page_id = $1 ORDER BY received_at, key LIMIT $2`;
/** As many as a set has members, and those of two sets where it changes. */
const MOST = 42;

/** Signatures for a page that are known here, all of them checked when they came. */
export async function listAttestations(parameters: {
  database: Database;
  pageId: string;
}): Promise<Attestation[]> {
  const rows = await parameters.database.query(LIST, [parameters.pageId, MOST]);
  return rows.map(({ key, signature }) => ({
    key: key as string,
    signature: signature as string,
  }));
}

/** Seconds since the last signature for a page came. */
export async function secondsSinceLast(parameters: {
  database: Database;
  pageId: string;
}): Promise<number> {
  const sql =
    "SELECT extract(epoch FROM now() - max(received_at))::double precision AS age FROM attestations WHERE page_id = $1";
  const [row] = await parameters.database.query(sql, [parameters.pageId]);
  return Number(row?.age ?? 0);
}

/** Pages that wait for a quorum: what a column of theirs says about when they are due again. */
const WAITING = `closed_at IS NULL AND state = 'pending' AND attested_at IS NULL AND kind = 2 AND verdict = 'good'`;
const IS_SIGNED =
  "EXISTS (SELECT 1 FROM attestations a WHERE a.page_id = p.page_id AND a.key = $1)";
const CLAIMS = {
  sign: { column: "sign_after", which: `NOT ${IS_SIGNED}` },
  collect: { column: "collect_after", which: IS_SIGNED },
} as const;

/**
 * Pages that are to be signed, or that peers are to be asked about, for this process alone; each is due again after
 * `restSeconds`.
 */
export async function claimPages(parameters: {
  database: Database;
  /** this validator's */
  key: string;
  purpose: keyof typeof CLAIMS;
  restSeconds: number;
  limit: number;
}): Promise<WatchedPage[]> {
  const { database, key, limit, purpose, restSeconds } = parameters;
  const { column, which } = CLAIMS[purpose];
  const rows = await database.query(
    `UPDATE watched_pages SET ${column} = now() + make_interval(secs => $2)
    WHERE page_id IN (
      SELECT page_id FROM watched_pages p
      WHERE ${WAITING} AND ${column} <= now() AND ${which}
      ORDER BY ${column}, page_id
      LIMIT $3
      FOR UPDATE SKIP LOCKED
    )
    RETURNING ${COLUMNS}`,
    [key, restSeconds, limit],
  );
  return rows.map(pageOf);
}

/** Pages with this validator's signature that wait for a quorum, those that end first at the front. */
export async function listSigned(parameters: {
  database: Database;
  key: string;
  limit: number;
}): Promise<WatchedPage[]> {
  const { database, key, limit } = parameters;
  const rows = await database.query(
    `SELECT ${COLUMNS} FROM watched_pages p WHERE ${WAITING} AND ${IS_SIGNED}
    ORDER BY p.ends_at, p.page_id LIMIT $2`,
    [key, limit],
  );
  return rows.map(pageOf);
}

/** How many pages wait for a quorum, signed by this validator or not. */
export async function countWaiting(parameters: { database: Database }): Promise<number> {
  const sql = `SELECT count(*)::integer AS count FROM watched_pages WHERE ${WAITING}`;
  const [row] = await parameters.database.query(sql);
  return Number(row?.count);
}
