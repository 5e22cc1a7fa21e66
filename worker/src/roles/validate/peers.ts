import { ATTESTATION_TYPES, stakingDomain } from "@haca/protocol/validatorStaking";
import { Signature, verifyTypedData } from "ethers";
import { z } from "zod";
import { describeError } from "../../errors.ts";
import { backoffMs } from "../../repeat.ts";
import { latestBlock } from "../../verifier/pageViews.ts";
import { epochOf, frozenSet } from "../../verifier/stakingViews.ts";
import { type Attestation, claimPages, keepAttestation } from "./attestations.ts";
import type { ValidateContext } from "./validateContext.ts";

/** For one answer of a peer, from the first byte that is sent to the last one that comes. */
const TIMEOUT_MS = 5_000;
/** A set's signatures have less than 6 kB. */
const MAXIMUM_BYTES = 16_384;
const BACKOFF = { baseMs: 1_000, maximumMs: 60_000 };
/** Pages that a pass asks about, and until each is asked about again. */
const LIMIT = 32;
const REST_SECONDS = 2;

const answerSchema = z.object({
  attestations: z
    .array(
      z.object({
        key: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
        signature: z.string().regex(/^0x[0-9a-fA-F]{128}$/),
      }),
    )
    .max(64),
});

/** Another validator's HTTP server. Nothing that it says is taken for anything; signatures speak for themselves. */
export class Peer {
  readonly url: string;
  readonly #now: () => number;
  #failures = 0;
  #restUntil = 0;

  constructor(url: string, now: () => number = () => performance.now()) {
    this.url = url.replace(/\/+$/, "");
    this.#now = now;
  }

  /** Left alone for a while after each failure. */
  get isResting(): boolean {
    return this.#now() < this.#restUntil;
  }

  /** What it says are signatures for a page; none where it has none. @throws where it fails, or says something else */
  async ask(pageId: string, signal: AbortSignal): Promise<Attestation[]> {
    try {
      const found = await this.#fetch(pageId, signal);
      this.#failures = 0;
      return found;
    } catch (error) {
      this.#failures += 1;
      this.#restUntil = this.#now() + backoffMs({ ...BACKOFF, failures: this.#failures });
      throw error;
    }
  }

  async #fetch(pageId: string, stopping: AbortSignal): Promise<Attestation[]> {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(`${this.url}/attestations/${pageId}`, {
      ...{ redirect: "error", signal },
    });
    if (response.status === 404) {
      await response.body?.cancel();
      return [];
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`status ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    // Leaving the loop by an error ends the connection.
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > MAXIMUM_BYTES) throw new Error(`an answer of more than ${MAXIMUM_BYTES} bytes`);
      chunks.push(chunk);
    }
    return answerSchema.parse(JSON.parse(Buffer.concat(chunks).toString("utf8"))).attestations;
  }
}

/** Who made a signature for a page; undefined for whatever is none. */
export function signerOf(parameters: {
  chainId: bigint;
  staking: string;
  pageId: string;
  signature: string;
}): string | undefined {
  const { pageId, signature } = parameters;
  try {
    const whole = Signature.from(signature);
    return verifyTypedData(stakingDomain(parameters), ATTESTATION_TYPES, { pageId }, whole);
  } catch {
    return undefined;
  }
}

/**
 * Asks peers for their signatures of pages that this validator has signed, and keeps those of members of the set. Peers are
 * asked side by side, so that one that hangs holds up nobody for longer than its time.
 */
export function createCollectPass(
  context: ValidateContext,
  signal: AbortSignal,
): () => Promise<boolean> {
  const { database, key, logger, peers } = context;
  return async () => {
    const claimed = { database, key: key.address, restSeconds: REST_SECONDS, limit: LIMIT };
    const pages = peers.length === 0 ? [] : await claimPages({ ...claimed, purpose: "collect" });
    if (pages.length === 0) return false;
    const head = await latestBlock(context);
    const set = await frozenSet({ context, epoch: epochOf(BigInt(head.timestamp)), head });
    if (set === undefined) return false;
    const keys = new Set(set.members.map((member) => member.key));
    // This validator's own is here before anybody else has it.
    keys.delete(key.address);
    await Promise.all(
      peers.map(async (peer) => {
        for (const { pageId } of pages) {
          if (peer.isResting || signal.aborted) return;
          const found = await peer.ask(pageId, signal).catch((error: unknown) => {
            const words = describeError(error);
            logger.warn({ peer: new URL(peer.url).host, error: words }, "peer of no use: later");
            return [];
          });
          await keepGenuine({ context, pageId, found, keys });
        }
      }),
    );
    return false;
  };
}

async function keepGenuine(parameters: {
  context: ValidateContext;
  pageId: string;
  found: readonly Attestation[];
  /** of the set's members */
  keys: ReadonlySet<string>;
}): Promise<void> {
  const { context, found, keys, pageId } = parameters;
  const { chain, database, logger, staking } = context;
  for (const { signature } of found) {
    const key = signerOf({ chainId: chain.chainId, staking, pageId, signature });
    if (key === undefined || !keys.has(key)) continue;
    const kept = { database, pageId, attestation: { key, signature } };
    if (await keepAttestation(kept)) logger.info({ page: pageId, key }, "signature of a peer");
  }
}
