import { setTimeout as pause } from "node:timers/promises";
import { QueueError } from "../gatewayError.ts";
import type { LegacySigned } from "./legacyParts.ts";

const FIRST_PAUSE_MS = 50;
const MAXIMUM_WORDS = 300;

export type LegacyFacilitatorSettings = {
  /** without a slash at the end */
  url: string;
  /** how long an answer is handed in again before it is given up */
  withinMs: number;
};

/** Who settles answers of the profile `legacy`, in batches. It believes the registry alone. */
export class LegacyFacilitator {
  readonly #url: string;
  readonly #withinMs: number;

  constructor({ url, withinMs }: LegacyFacilitatorSettings) {
    this.#url = url;
    this.#withinMs = withinMs;
  }

  /**
   * Returns when the answer is on the facilitator's disk. The same answer can be handed in any number of times.
   * @throws QueueError `facilitator.refused` where it refuses it, `facilitator.away` where it has not taken it in time
   */
  async deliver(signed: LegacySigned): Promise<void> {
    const deadline = AbortSignal.timeout(this.#withinMs);
    for (let wait = FIRST_PAUSE_MS; ; wait *= 2) {
      if (await this.#offer(signed, deadline)) return;
      await pause(wait, undefined, { signal: deadline }).catch(() => undefined);
      if (deadline.aborted) throw away();
    }
  }

  /** Whether it answers. */
  async isThere(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(this.#withinMs);
      const response = await fetch(`${this.#url}/health`, { redirect: "error", signal });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  /** False: try again. */
  async #offer(signed: LegacySigned, signal: AbortSignal): Promise<boolean> {
    let status: number;
    let words: string;
    try {
      const response = await fetch(`${this.#url}/settle_data`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-settlement-type": "batch",
          "x-settlement-data": Buffer.from(JSON.stringify(submissionOf(signed))).toString("base64"),
        },
        ...{ body: "{}", redirect: "error", signal },
      });
      status = response.status;
      words = reasonIn(await response.text());
    } catch {
      return false;
    }
    // 200 is what others answer.
    if (status === 202 || status === 200) return true;
    if (status >= 500 || status === 429) return false;
    const message = `the facilitator does not take the answer, so that there is none: ${words}`;
    throw new QueueError({ status: 500, code: "facilitator.refused", message });
  }
}

const submissionOf = (signed: LegacySigned) => ({
  tee_id: signed.teeId,
  input_hash: signed.inputHash.slice(2),
  output_hash: signed.outputHash.slice(2),
  tee_signature: signed.signature,
  tee_timestamp: Number(signed.timestamp),
  timestamp: Number(signed.timestamp),
});

function reasonIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") return error.replaceAll(/\s+/g, " ").slice(0, MAXIMUM_WORDS);
  } catch {
    // It says nothing that can be read.
  }
  return "it does not say why";
}

const away = (): QueueError =>
  new QueueError({
    status: 503,
    code: "facilitator.away",
    message: "the facilitator does not take answers now, and without it there is none",
    retryAfter: 1,
  });
