import { z } from "zod";
import { backoffMs } from "../../repeat.ts";
import type { Attestation } from "./attestations.ts";

/** For one answer of a peer, from the first byte that is sent to the last one that comes. */
const TIMEOUT_MS = 5_000;
/** A set's signatures have less than 6 kB. */
const MAXIMUM_BYTES = 16_384;
const BACKOFF = { baseMs: 1_000, maximumMs: 60_000 };

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
