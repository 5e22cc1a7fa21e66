import type { Logger } from "pino";
import { type Grant, heldBy } from "./grant.ts";
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
      const refused = new Set<string>();
      for (let next = this.#next(refused); next !== undefined; next = this.#next(refused)) {
        const status = await this.#tellOne(next);
        if (status === ACCEPTED) await this.#ledger.put({ ...next, state: "ended" });
        // Nobody is there to tell of the others either.
        else if (status === undefined) break;
        // Whatever is wrong with one keeps no other from going back.
        else refused.add(next.id);
      }
    } catch (error) {
      this.#logger.error({ err: error }, "cancelled payments are not noted");
    } finally {
      this.#isTelling = false;
    }
  }

  #next(refused: ReadonlySet<string>): Grant | undefined {
    return this.#ledger.all().find(({ id, state }) => state === "failed" && !refused.has(id));
  }

  /** What the worker answers; undefined where it does not. */
  async #tellOne(grant: Grant): Promise<number | undefined> {
    try {
      const response = await fetch(this.#url, {
        ...{ method: "POST", headers: this.#headers, redirect: "error" },
        body: JSON.stringify(heldBy(grant)),
        signal: AbortSignal.timeout(PAUSE_MS),
      });
      await response.body?.cancel();
      const { status } = response;
      if (status !== ACCEPTED) this.#logger.warn({ status }, "a cancelled payment is not taken");
      return status;
    } catch {
      this.#logger.warn("the worker that cancels payments does not answer");
      return undefined;
    }
  }
}
