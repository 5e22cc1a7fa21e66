import type { Logger } from "pino";
import { nameOf } from "../answers/answerFile.ts";
import type { AnswerStore } from "../answers/answerStore.ts";
import { QueueError, RefusedRequestError } from "../gatewayError.ts";
import { Cancellations } from "./cancellations.ts";
import type { Grant } from "./grant.ts";
import type { GrantLedger } from "./grantLedger.ts";
import { keyOf } from "./paidRequest.ts";
import { isHeld } from "./payment.ts";

const SWEEP_MS = 30_000;

export type KeptAnswers = Pick<AnswerStore, "discard" | "secure">;

/** Ends grants: as answered, or, where there is no answer, as given back if something holds the money. */
export class GrantEnds {
  readonly #ledger: GrantLedger;
  readonly #answers: KeptAnswers;
  readonly #cancellations: Cancellations;
  readonly #retryMs: number;
  readonly #logger: Logger;
  readonly #sweeper: NodeJS.Timeout;
  /** names of answers that are being made */
  readonly #running = new Set<string>();

  constructor(parameters: {
    ledger: GrantLedger;
    /** where the answers are that were paid for */
    answers: KeptAnswers;
    /** the worker that gives back */
    queue: { url: string; secret: string | undefined };
    /** how long a grant waits for its client */
    retryMs: number;
    onSweep: () => void;
    logger: Logger;
  }) {
    const { answers, ledger, logger, onSweep, queue, retryMs } = parameters;
    this.#ledger = ledger;
    this.#answers = answers;
    this.#cancellations = new Cancellations({ ledger, logger, queue });
    this.#retryMs = retryMs;
    this.#logger = logger;
    this.#sweeper = setInterval(() => {
      onSweep();
      void this.sweep();
    }, SWEEP_MS).unref();
  }

  stop(): void {
    clearInterval(this.#sweeper);
    this.#cancellations.stop();
  }

  /** An answer is being made: nobody ends its grant meanwhile. @param name of the answer */
  begin(name: string): void {
    this.#running.add(name);
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /** The answer is made, or there is none, for that reason: then what is held for its grant goes back. */
  finish(name: string, failed?: { grant: Grant | undefined; error: Error }): void {
    this.#running.delete(name);
    if (failed === undefined) return;
    const { error, grant } = failed;
    if (grant?.state !== "granted" || !isHeld(grant.route)) return;
    // An answer is there, and its result is handed in when the request comes again.
    if (error instanceof RefusedRequestError && error.code === "queue.away") return;
    void this.#fail(grant).then(() => this.#cancellations.tell());
  }

  /** Its result is with the worker. */
  async answered(id: string): Promise<void> {
    await this.#move(id, "answered");
  }

  /** Gives up what nobody has come back for and has no answer, and tells what was not told. */
  async sweep(): Promise<void> {
    const oldest = Date.now() - this.#retryMs;
    for (const grant of this.#ledger.all()) {
      const { at, id, route, state } = grant;
      const isOpen = state === "opening" || state === "granted";
      const isRunning = () => this.isRunning(nameOf(keyOf(grant)));
      if (!isOpen || at > oldest || isRunning()) continue;
      const end = state === "granted" ? await this.#answerOf(grant) : "none";
      if (end === "kept") await this.answered(id);
      else if (end === "none" && isHeld(route) && !isRunning()) await this.#fail(grant);
    }
    await this.#cancellations.tell();
  }

  async #move(id: string, state: Grant["state"]): Promise<void> {
    const grant = this.#ledger.find(id);
    if (grant === undefined) return;
    await this.#ledger.put({ ...grant, state }).catch((error: unknown) => {
      this.#logger.error({ err: error, state }, "a payment's state is not noted");
    });
  }

  /** Notes that a payment goes back, and keeps no answer whose result would take it. */
  async #fail(grant: Grant): Promise<void> {
    await this.#move(grant.id, "failed");
    await this.#answers.discard(nameOf(keyOf(grant))).catch((error: unknown) => {
      this.#logger.error({ err: error }, "an answer that was given up is still there");
    });
  }

  /** Whether there is an answer for a grant whose result is with the worker; it may have lacked the time to be noted, or to be taken. */
  async #answerOf(grant: Grant): Promise<"kept" | "none" | "waiting"> {
    try {
      return (await this.#answers.secure(nameOf(keyOf(grant)))) ? "kept" : "none";
    } catch (error) {
      if (error instanceof QueueError && error.code === "queue.refused") return "none";
      this.#logger.warn({ err: error }, "the result of a paid answer is not handed in yet");
      return "waiting";
    }
  }
}
