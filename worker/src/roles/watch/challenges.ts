import { randomBytes } from "node:crypto";
import { challengeCommitment, type PageLeaf } from "@haca/protocol/pageSettlement";
import { hexlify } from "ethers";
import type { Database, Row } from "../../storage/database.ts";
import type { BadLeaf, OtherResult } from "../../verifier/judgeContent.ts";
import { decodeLeaf, encodeLeaf } from "../../verifier/leafText.ts";

/** How a challenge ended. */
export type ChallengeOutcome = "won" | "forestalled" | "late" | "withdrawn";

export type PageChallenge = {
  pageId: string;
  leaf: PageLeaf;
  /** what was signed for the request besides the leaf; absent where the leaf is wrong by itself */
  other?: Pick<OtherResult, "result" | "signature">;
  reason: string;
  challenger: string;
  salt: string;
  commitment: string;
};

const INSERT = `INSERT INTO page_challenges (page_id, place, reason, leaf, challenger, salt, commitment, other)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (page_id) DO UPDATE
SET place = excluded.place, reason = excluded.reason, leaf = excluded.leaf, challenger = excluded.challenger,
    salt = excluded.salt, commitment = excluded.commitment, other = excluded.other, state = 'open', made_at = now(), ended_at = NULL
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
  const { leaf, leafHash, other, reason } = bad;
  const salt = hexlify(randomBytes(32));
  const { index } = leaf;
  const commitment = challengeCommitment({
    ...{ pageId, index, leafHash, challenger, salt },
    ...(other === undefined ? {} : { otherLeafHash: other.leafHash }),
  });
  const shown = other && { result: other.result, signature: other.signature };
  const values = [
    ...[pageId, index, reason, encodeLeaf(leaf), challenger, salt, commitment],
    shown === undefined ? null : encodeLeaf(shown),
  ];
  return (await database.query(INSERT, values)).length > 0;
}

const COLUMNS = "page_id, reason, leaf, challenger, salt, commitment, other";

/** Challenges that have no end yet, the oldest first. */
export async function listChallenges(parameters: {
  database: Database;
  limit: number;
}): Promise<PageChallenge[]> {
  const sql = `SELECT ${COLUMNS} FROM page_challenges WHERE state = 'open' ORDER BY made_at, page_id LIMIT $1`;
  return (await parameters.database.query(sql, [parameters.limit])).map(challengeOf);
}

/** Whether a page is being challenged. */
export async function isChallenged(parameters: {
  database: Database;
  pageId: string;
}): Promise<boolean> {
  const { database, pageId } = parameters;
  const sql = "SELECT 1 FROM page_challenges WHERE page_id = $1 AND state = 'open'";
  return (await database.query(sql, [pageId])).length > 0;
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
  ...(row.other === null ? {} : { other: decodeLeaf(row.other as string) }),
  reason: row.reason as string,
  challenger: row.challenger as string,
  salt: row.salt as string,
  commitment: row.commitment as string,
});
