import { randomBytes } from "node:crypto";
import { challengeCommitment, type PageLeaf } from "@haca/protocol/pageSettlement";
import { hexlify } from "ethers";
import type { Database, Row } from "../../storage/database.ts";
import type { BadLeaf } from "../../verifier/judgeContent.ts";

/** How a challenge ended. */
export type ChallengeOutcome = "won" | "forestalled" | "late" | "withdrawn";

export type PageChallenge = {
  pageId: string;
  leaf: PageLeaf;
  reason: string;
  challenger: string;
  salt: string;
  commitment: string;
};

const BIGINT = /^-?\d+n$/;

/** A leaf as JSON, its numbers beyond 2^53 as text that says so. */
const encodeLeaf = (leaf: PageLeaf): string =>
  JSON.stringify(leaf, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
const decodeLeaf = (text: string): PageLeaf =>
  JSON.parse(text, (_, value: unknown) =>
    typeof value === "string" && BIGINT.test(value) ? BigInt(value.slice(0, -1)) : value,
  ) as PageLeaf;

const INSERT = `INSERT INTO page_challenges (page_id, place, reason, leaf, challenger, salt, commitment)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (page_id) DO UPDATE
SET place = excluded.place, reason = excluded.reason, leaf = excluded.leaf, challenger = excluded.challenger,
    salt = excluded.salt, commitment = excluded.commitment, state = 'open', made_at = now(), ended_at = NULL
WHERE page_challenges.state = 'withdrawn'
RETURNING page_id`;

/**
 * Makes a challenge to a page, with a salt that nobody else knows: on disk when this returns, and before anything of it
 * leaves. One that there is stays. Returns whether this call made it.
 */
export async function makeChallenge(parameters: {
  database: Database;
  pageId: string;
  bad: BadLeaf;
  challenger: string;
}): Promise<boolean> {
  const { bad, challenger, database, pageId } = parameters;
  const { leaf, leafHash, reason } = bad;
  const salt = hexlify(randomBytes(32));
  const { index } = leaf;
  const commitment = challengeCommitment({ pageId, index, leafHash, challenger, salt });
  const values = [pageId, index, reason, encodeLeaf(leaf), challenger, salt, commitment];
  return (await database.query(INSERT, values)).length > 0;
}

const COLUMNS = "page_id, reason, leaf, challenger, salt, commitment";

/** Challenges that have no end yet, the oldest first. */
export async function listChallenges(parameters: {
  database: Database;
  limit: number;
}): Promise<PageChallenge[]> {
  const sql = `SELECT ${COLUMNS} FROM page_challenges WHERE state = 'open' ORDER BY made_at, page_id LIMIT $1`;
  return (await parameters.database.query(sql, [parameters.limit])).map(challengeOf);
}

const END = `UPDATE page_challenges SET state = $2, ended_at = now()
WHERE page_id = $1 AND state = 'open'
RETURNING page_id`;

/** Returns whether this call was the first to say so. */
export async function endChallenge(parameters: {
  database: Database;
  pageId: string;
  outcome: ChallengeOutcome;
}): Promise<boolean> {
  const { database, outcome, pageId } = parameters;
  return (await database.query(END, [pageId, outcome])).length > 0;
}

/** Challenges by state, for `/health`. */
export async function countChallenges(parameters: {
  database: Database;
}): Promise<Record<"open" | ChallengeOutcome, number>> {
  const sql = "SELECT state, count(*)::integer AS count FROM page_challenges GROUP BY state";
  const counts = { open: 0, won: 0, forestalled: 0, late: 0, withdrawn: 0 };
  for (const { count, state } of await parameters.database.query(sql)) {
    counts[state as keyof typeof counts] = Number(count);
  }
  return counts;
}

const challengeOf = (row: Row): PageChallenge => ({
  pageId: row.page_id as string,
  leaf: decodeLeaf(row.leaf as string),
  reason: row.reason as string,
  challenger: row.challenger as string,
  salt: row.salt as string,
  commitment: row.commitment as string,
});
