import { BaseError } from "@haca/protocol/baseError";
import { heartbeatMessage, sessionHeartbeatDigest } from "@haca/protocol/teeMessages";
import type { Wallet } from "ethers";
import { ChainClock } from "../../chain/chainClock.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import { describeError, RetryableError } from "../../errors.ts";
import { type LastSent, sendCall } from "./callRegistry.ts";
import { fetchHeartbeat } from "./enclaveClient.ts";
import { ensureSession } from "./ensureSession.ts";
import { type HeartbeatContext, readRegistry } from "./heartbeatContext.ts";

/**
 * One heartbeat per pass. The enclave signs its own time with its own key at every one: without that answer, checked
 * by the registry, nothing is sent, so that a session key cannot keep a dead enclave alive. What is sent is the session
 * key's signature over the same time, which costs half; the enclave's own where there is no session key.
 *
 * A pass that fails throws a RetryableError and is counted by reason.
 */
export function createHeartbeatPass(parameters: {
  context: HeartbeatContext;
}): () => Promise<boolean> {
  const { context } = parameters;
  const lastSent: { value: LastSent } = { value: undefined };
  const clock = new ChainClock();
  return async () => {
    try {
      await beat({ context, clock, lastSent });
      return false;
    } catch (error) {
      context.metrics.failures.inc({
        reason: error instanceof BaseError ? error.code : "internal",
      });
      if (!(error instanceof BaseError) || error instanceof RetryableError) throw error;
      const { code, message } = error;
      throw new RetryableError({ code, message, cause: error });
    }
  };
}

async function beat(parameters: {
  context: HeartbeatContext;
  clock: ChainClock;
  lastSent: { value: LastSent };
}): Promise<void> {
  const { context, clock, lastSent } = parameters;
  const { teeId, provider, domain, metrics, logger } = context;
  const block = await answerOf(provider.getBlock("latest"));
  // A chain without traffic may have no recent block; the next one has the time of day, as the chain has it.
  if (block !== null) clock.observe(block.timestamp);
  const now = BigInt(clock.seconds());
  const session = await sessionOrNone({ context, now, lastSent });
  const { timestamp, signature } = await livingEnclave(context);
  const [node] = await readRegistry({ context, name: "nodeOf", values: [teeId] });
  if (timestamp <= (node as { lastHeartbeatAt: bigint }).lastHeartbeatAt) {
    // The registry would take it, without effect: the gas is better kept.
    logger.info({ teeId }, "the registry has this heartbeat already");
    return;
  }
  const call =
    session === undefined
      ? { name: "heartbeat", values: [teeId, timestamp, signature] }
      : {
          name: "heartbeatBySession",
          values: [
            teeId,
            timestamp,
            session.signingKey.sign(sessionHeartbeatDigest({ domain, teeId, timestamp }))
              .serialized,
          ],
        };
  const { gasUsed, hash } = await sendCall({ context, ...call, lastSent });
  metrics.lastHeartbeat.set(Number(timestamp));
  metrics.sent.inc({ path: session === undefined ? "attested" : "session" });
  logger.info(
    {
      teeId,
      call: call.name,
      timestamp: Number(timestamp),
      gas: Number(gasUsed),
      transaction: hash,
    },
    "heartbeat",
  );
}

/** A session key is a saving, not a need: whatever keeps the node from having one, the heartbeat goes out. */
async function sessionOrNone(parameters: {
  context: HeartbeatContext;
  now: bigint;
  lastSent: { value: LastSent };
}): Promise<Wallet | undefined> {
  const { context } = parameters;
  try {
    return await ensureSession(parameters);
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    context.metrics.failures.inc({ reason: `session.${error.code}` });
    context.logger.warn(
      { teeId: context.teeId, error: describeError(error) },
      "no session key: the enclave's own key signs this heartbeat",
    );
    return undefined;
  }
}

async function livingEnclave(context: HeartbeatContext) {
  const { teeId } = context;
  const answer = await fetchHeartbeat({ url: context.enclaveUrl });
  const message = heartbeatMessage({ teeId, timestamp: answer.timestamp });
  const values = [teeId, message, answer.signature];
  const [isSigned] = await readRegistry({ context, name: "isSignedBy", values });
  if (isSigned === true) return answer;
  throw new RetryableError({
    code: "enclave.otherKey",
    message: `HACA_ENCLAVE_URL: what answers does not have the key of node ${teeId}; an enclave that was restarted is a new node`,
  });
}
