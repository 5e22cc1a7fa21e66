import { EVIDENCE_WINDOW } from "@haca/protocol/pageSettlement";
import type { Due } from "./watchContext.ts";

/**
 * A page that is final can still be disproved, but who relied on it has done so: what counts is its end. One that is past its
 * end and pending waits for what somebody else has asked for, and ends soon after that: now is its time.
 */
const NEXT_END = `SELECT min(CASE
  WHEN p.ends_at >= $1::numeric THEN p.ends_at
  WHEN p.state = 'pending' AND EXISTS (
    SELECT 1 FROM leaf_requests r WHERE r.page_id = p.page_id AND r.ended_at IS NULL
  ) THEN $1::numeric
  ELSE p.ends_at + $2::numeric
END)::text AS due
FROM watched_pages p
WHERE p.closed_at IS NULL AND (
  EXISTS (SELECT 1 FROM page_challenges c WHERE c.page_id = p.page_id AND c.state = 'open')
  OR p.state = 'pending' AND EXISTS (SELECT 1 FROM doubted_leaves d WHERE d.page_id = p.page_id)
)`;

/** Challenges and demands: the end of their pages. */
export const nextEnd: Due = async ({ context, now }) => {
  const { database } = context;
  const [row] = await database.query(NEXT_END, [String(now), String(EVIDENCE_WINDOW)]);
  return dueIn(row);
};

/** The end that requests of others have moved on does not count: it is not there for another request. */
const NEXT_REQUEST = `SELECT min(last_request)::text AS due FROM watched_pages
WHERE closed_at IS NULL AND state = 'pending' AND verdict = 'unreadable' AND last_request >= $1::numeric`;

/** Requests for leaves: the last second for them. */
export const nextRequest: Due = async ({ context, now }) => {
  const { database, requestLeaves } = context;
  if (requestLeaves === 0) return undefined;
  return dueIn((await database.query(NEXT_REQUEST, [String(now)]))[0]);
};

const NEXT_ANSWER = `SELECT min(r.deadline)::text AS due FROM leaf_requests r
JOIN watched_pages p ON p.page_id = r.page_id
WHERE r.ended_at IS NULL AND r.wants = 'leaf' AND r.requester <> $2 AND r.deadline >= $1::numeric
  AND p.closed_at IS NULL AND p.state = 'pending' AND p.content IS NOT NULL`;

/** Leaves that somebody else has asked for, and that are known here: the last second for an answer. */
export const nextAnswer: Due = async ({ context, now }) => {
  const { answersRequests, database, senders } = context;
  if (!answersRequests) return undefined;
  return dueIn((await database.query(NEXT_ANSWER, [String(now), senders.calm.account]))[0]);
};

/** What the role `watch` has to do in time. */
export const WATCH_DUES: readonly Due[] = [nextEnd, nextRequest, nextAnswer];

/** Of a row with a time, or with none. */
export const dueIn = (row: Record<string, unknown> | undefined): bigint | undefined =>
  row?.due == null ? undefined : BigInt(row.due as string);
