import { MAXIMUM_OBSERVATIONS, type SignedObservation } from "@haca/protocol/dataFeeds";
import type { Logger } from "pino";
import { describeError } from "../../errors.ts";
import { observationSchema } from "../heartbeat/enclaveClient.ts";

const TIMEOUT_MS = 5_000;
const MAXIMUM_ANSWER = 8_192;

/**
 * A feed's observations of this node and of its peers, one of each node, the newest first, at most as many as a round takes. A
 * peer that does not answer, or not with an observation, is left out; whether one is good is for the contract to say.
 */
export async function gatherObservations(parameters: {
  feedId: string;
  own: SignedObservation;
  peers: readonly string[];
  logger: Logger;
}): Promise<SignedObservation[]> {
  const { feedId, logger, own, peers } = parameters;
  const answers = await Promise.all(
    peers.map(async (peer) => {
      try {
        return await askPeer({ peer, feedId });
      } catch (error) {
        logger.debug({ peer, feed: feedId, error: describeError(error) }, "peer left out");
        return undefined;
      }
    }),
  );
  const seen = new Set([own.teeId]);
  const others = answers
    .filter((answer) => answer !== undefined)
    .sort((a, b) => Number(b.observedAt - a.observedAt))
    .filter(({ teeId }) => !seen.has(teeId) && seen.add(teeId));
  return [own, ...others].slice(0, MAXIMUM_OBSERVATIONS);
}

/** A data node's latest observation of a feed, unjudged. Fails where it has none, or answers with something else. */
export async function askPeer(parameters: {
  peer: string;
  feedId: string;
}): Promise<SignedObservation> {
  const { feedId, peer } = parameters;
  const base = peer.endsWith("/") ? peer : `${peer}/`;
  const response = await fetch(new URL(`observations/${feedId}`, base), {
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAXIMUM_ANSWER) throw new Error(`more than ${MAXIMUM_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return observationSchema.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
}
