import type { Logger } from "pino";
import type { Grant } from "./grant.ts";
import type { GrantLedger } from "./grantLedger.ts";

const ACCEPTED = 202;
const PAUSE_MS = 15_000;

/**
 * Tells the worker of payments whose requests had no answer, so that it gives them back. What it was not told yet stands in the
 * ledger, and is told until the worker has it.
 */
export class Cancellations {
  readonly #ledger: GrantLedger;
  readonly #logger: Logger;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timer: NodeJS.Timeout;
  #isTelling = false;

  constructor(parameters: {
    ledger: GrantLedger;
    logger: Logger;
    /** the worker that takes the results */
    queue: { url: string; secret: string | undefined };
  }) {
    const { ledger, logger, queue } = parameters;
    this.#ledger = ledger;
    this.#logger = logger;
    this.#url = `${queue.url}/v1/payments/cancelled`;
    const authorization = queue.secret && { authorization: `Bearer ${queue.secret}` };
    this.#headers = { "content-type": "application/json", ...authorization };
    this.#timer = setInterval(() => void this.tell(), PAUSE_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Tells all that there is; what fails is told later. */
  async tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        if (!(await this.#tellOne(next))) break;
        await this.#ledger.put({ ...next, state: "ended" });
      }
    } catch (error) {
      this.#logger.error({ err: error }, "cancelled payments are not noted");
    } finally {
      this.#isTelling = false;
    }
  }

  #next(): Grant | undefined {
    return this.#ledger.all().find(({ state }) => state === "failed");
  }

  async #tellOne({ nonce, payer, validUntil }: Grant): Promise<boolean> {
    try {
      const response = await fetch(this.#url, {
        ...{ method: "POST", headers: this.#headers, redirect: "error" },
        body: JSON.stringify({ payer, nonce, validUntil }),
        signal: AbortSignal.timeout(PAUSE_MS),
      });
      await response.body?.cancel();
      if (response.status === ACCEPTED) return true;
      this.#logger.warn({ status: response.status }, "the worker takes no cancelled payments");
    } catch {
      this.#logger.warn("the worker that cancels payments does not answer");
    }
    return false;
  }
}
