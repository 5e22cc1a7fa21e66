import { BaseError } from "@haca/protocol/baseError";
import { describeError, RetryableError } from "../../errors.ts";
import { EnclaveError, fetchObservation } from "../heartbeat/enclaveClient.ts";
import type { DataNodeContext, WatchedFeed } from "./dataNodeContext.ts";

/**
 * Has the enclave look at each source and keeps what it signs. A source that fails keeps no other from being looked at; what
 * was seen before stays, and counts as long as the contract lets it.
 */
export function createObservePass(context: DataNodeContext): () => Promise<boolean> {
  const { feeds, logger } = context;
  return async () => {
    const failures: EnclaveError[] = [];
    for (const feed of feeds) {
      const failure = await observe({ context, feed });
      if (failure === undefined) continue;
      logger.warn({ feed: feed.feedId, error: describeError(failure) }, "not observed");
      failures.push(failure);
    }
    const [first] = failures;
    if (first !== undefined && failures.length === feeds.length) {
      throw new RetryableError({ code: first.code, message: first.message, cause: first });
    }
    return false;
  };
}

async function observe(parameters: {
  context: DataNodeContext;
  feed: WatchedFeed;
}): Promise<EnclaveError | undefined> {
  const { context, feed } = parameters;
  const { chainId, contract, enclaveUrl, latest, metrics, teeId } = context;
  const { feedId } = feed;
  try {
    const asked = { ...feed, chainId, feeds: contract.address };
    const observation = await fetchObservation({ url: enclaveUrl, feed: asked });
    if (observation.teeId !== teeId) {
      throw new EnclaveError({
        code: "enclave.other",
        message: `enclave: ${observation.teeId} answers, and not ${teeId}: start again for another enclave`,
      });
    }
    latest.set(feedId, observation);
    metrics.observations.inc({ feed: feedId, outcome: "made" });
    return undefined;
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    metrics.observations.inc({ feed: feedId, outcome: "failed" });
    return error;
  }
}
