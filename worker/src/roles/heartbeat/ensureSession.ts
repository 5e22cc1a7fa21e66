import { rmSync } from "node:fs";
import type { Wallet } from "ethers";
import { type LastSent, sendCall } from "./callRegistry.ts";
import { fetchCertification } from "./enclaveClient.ts";
import { type HeartbeatContext, readRegistry } from "./heartbeatContext.ts";
import { makeSessionKey, readSessionKey } from "./sessionKeyFile.ts";

type Interval = { from: bigint; until: bigint };

/**
 * A session key that the registry takes for two more heartbeats at least: the kept one, or a new one, certified by
 * the enclave. Whether a key is certified is the chain's to say, so no crash can leave file and chain in disagreement.
 * @param parameters.now unix seconds that the next block can have
 * @throws RefusedError, RetryableError or EnclaveError where there is none to be had
 */
export async function ensureSession(parameters: {
  context: HeartbeatContext;
  now: bigint;
  lastSent: { value: LastSent };
}): Promise<Wallet> {
  const { context, now, lastSent } = parameters;
  const { chainId, registry, teeId, sessionPath, sessionSeconds, intervalSeconds } = context;
  const kept = readSessionKey(sessionPath);
  const interval = kept && (await intervalOf({ context, key: kept.address }));
  if (kept !== undefined && interval !== undefined && interval.from !== 0n) {
    const needed = BigInt(Math.min(2 * intervalSeconds, Math.floor(sessionSeconds / 2)));
    if (now + needed < interval.until) {
      context.metrics.sessionUntil.set(Number(interval.until));
      return kept;
    }
    // Its interval is never written a second time.
    rmSync(sessionPath);
  }
  context.metrics.sessionUntil.set(0);
  const wallet = readSessionKey(sessionPath) ?? makeSessionKey(sessionPath);
  const key = wallet.address;
  const until = now + BigInt(sessionSeconds);
  const [last] = await readRegistry({ context, name: "sessionCounter", values: [teeId] });
  const counter = (last as bigint) + 1n;
  // This machine is no enclave: a key that lies here must not speak in results.
  const session = { chainId, registry, key, signsResults: false, until, counter };
  const signature = await fetchCertification({ url: context.enclaveUrl, session });
  const { gasUsed, hash } = await sendCall({
    context,
    name: "certifySessionKey",
    values: [teeId, key, false, until, counter, signature],
    lastSent,
  });
  context.metrics.sessionUntil.set(Number(until));
  context.logger.info(
    { teeId, key, until: Number(until), gas: Number(gasUsed), transaction: hash },
    "session key certified",
  );
  return wallet;
}

async function intervalOf(parameters: {
  context: HeartbeatContext;
  key: string;
}): Promise<Interval> {
  const { context, key } = parameters;
  const values = [context.teeId, key];
  const [interval] = await readRegistry({ context, name: "sessionKey", values });
  return interval as Interval;
}
