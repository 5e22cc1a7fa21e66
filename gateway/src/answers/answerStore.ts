import type { Logger } from "pino";
import { QueueError, RefusedRequestError, StartError } from "../gatewayError.ts";
import type { SignedResult } from "../profile/signAnswer.ts";
import type { ResultQueue } from "../queue/resultQueue.ts";
import { openAnswer, type Repeat, resultIn, type StoredAnswer, sealAnswer } from "./answerFile.ts";
import { AnswerFolder, type AnswerState } from "./answerFolder.ts";

/** Answers that are kept at most. */
const MAXIMUM_COUNT = 10_000;

/** An answer that is being made, and who hears of it. */
export type Making = {
  resolve: (answer: StoredAnswer) => void;
  reject: (error: Error) => void;
};

type Entry = {
  /** of the request under the key */
  mark: string;
  /** of the file; undefined while there is none */
  file: { state: AnswerState; size: number } | undefined;
  /** while it is being made or read */
  answer: Promise<StoredAnswer> | undefined;
};

type Queue = Pick<ResultQueue, "deliver">;

/**
 * Hands results in, and keeps the answers of requests that can be repeated: the latest, as many as there is room for. Such an
 * answer is on disk before its result is handed in, and its result with the worker before anybody sees it. Wherever the process
 * is killed, the same request has the same answer and the same result afterwards, or neither was there.
 */
export class AnswerStore {
  readonly #folder: AnswerFolder;
  readonly #maximumBytes: number;
  readonly #queue: Queue;
  readonly #logger: Logger;
  /** by name, the oldest first */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  private constructor(parameters: {
    folder: AnswerFolder;
    maximumBytes: number;
    queue: Queue;
    logger: Logger;
  }) {
    this.#folder = parameters.folder;
    this.#maximumBytes = parameters.maximumBytes;
    this.#queue = parameters.queue;
    this.#logger = parameters.logger;
  }

  /**
   * Opens the folder, and returns when the results that an earlier process may not have handed in are with the worker. While
   * that is away, it waits.
   * @throws StartError where the folder cannot be used, or the worker takes nothing from this gateway
   */
  static async open(parameters: {
    folder: string;
    maximumBytes: number;
    queue: Queue;
    logger: Logger;
  }): Promise<AnswerStore> {
    const { logger } = parameters;
    const folder = new AnswerFolder(parameters.folder);
    const { found, unreadable } = await folder.open().catch((cause: NodeJS.ErrnoException) => {
      const message = `HACA_GATEWAY_ANSWERS: ${parameters.folder}: cannot be used: ${cause.code}`;
      throw new StartError({ code: "answers.noFolder", message, cause });
    });
    if (unreadable > 0) logger.warn({ unreadable }, "removed answers that cannot be read");
    const store = new AnswerStore({ ...parameters, folder });
    for (const { header, name, size, state } of found) {
      store.#entries.set(name, { mark: header.mark, file: { state, size }, answer: undefined });
      store.#bytes += size;
    }
    for (const { header, name, state } of found) {
      if (state === "pending") await store.#recover(name, header.result);
    }
    await store.#makeRoom();
    return store;
  }

  /**
   * The answer that a request has had or is about to have; or what it is to be made with.
   * @throws RefusedRequestError where the key was used for another request
   */
  enter(repeat: Repeat): { before: Promise<StoredAnswer> } | { making: Making } {
    const entry = this.#entries.get(repeat.name);
    if (entry === undefined) return { making: this.#begin(repeat) };
    if (entry.mark !== repeat.mark) throw otherRequest();
    entry.answer ??= this.#read(repeat, entry).finally(() => {
      entry.answer = undefined;
    });
    return { before: entry.answer };
  }

  /**
   * Returns when the result is with the worker; before that, where the request can be repeated, the answer is on disk.
   * @throws QueueError; RefusedRequestError where there is no room on the disk
   */
  async handIn(parameters: {
    repeat: Repeat | undefined;
    answer: StoredAnswer;
    result: SignedResult;
  }): Promise<void> {
    const { answer, repeat, result } = parameters;
    const entry = repeat && this.#entries.get(repeat.name);
    if (entry === undefined || repeat === undefined) return await this.#queue.deliver(result);
    const bytes = sealAnswer({ repeat, answer, result });
    try {
      await this.#folder.write(repeat.name, bytes);
    } catch (cause) {
      this.#logger.error({ reason: (cause as NodeJS.ErrnoException).code }, "no answer is kept");
      throw notKept(cause);
    }
    entry.file = { state: "pending", size: bytes.length };
    this.#bytes += bytes.length;
    await this.#deliver(repeat.name, result);
    await this.#makeRoom();
  }

  /**
   * Whether there is an answer under a name; when this returns, its result is with the worker.
   * @throws QueueError where that does not take it
   */
  async secure(name: string): Promise<boolean> {
    const entry = this.#entries.get(name);
    if (entry?.file === undefined) return false;
    const { state } = entry.file;
    if (state === "pending") {
      await this.#deliver(name, resultIn(await this.#folder.read(name, state)));
    }
    return true;
  }

  /** Forgets an answer whose result is not to be handed in any more. */
  async discard(name: string): Promise<void> {
    if (this.#entries.get(name)?.file?.state === "pending") await this.#forget(name);
  }

  #begin(repeat: Repeat): Making {
    let resolve: Making["resolve"] = () => undefined;
    let reject: Making["reject"] = () => undefined;
    const answer = new Promise<StoredAnswer>((onAnswer, onError) => {
      resolve = onAnswer;
      reject = onError;
    });
    const entry: Entry = { mark: repeat.mark, file: undefined, answer };
    this.#entries.set(repeat.name, entry);
    const end = () => {
      entry.answer = undefined;
      // Of what failed nothing is kept, and the key is free again.
      if (entry.file === undefined && this.#entries.get(repeat.name) === entry) {
        this.#entries.delete(repeat.name);
      }
    };
    answer.then(end, end);
    return { resolve, reject };
  }

  async #read({ name, ...repeat }: Repeat, entry: Entry): Promise<StoredAnswer> {
    const state = entry.file?.state ?? "kept";
    let opened: ReturnType<typeof openAnswer>;
    try {
      opened = openAnswer(await this.#folder.read(name, state), { name, ...repeat });
    } catch (cause) {
      await this.#forget(name);
      throw unreadable(cause);
    }
    if (state === "pending") await this.#deliver(name, opened.result);
    return opened.answer;
  }

  /** Of a result that the worker refuses no answer is kept. One that it did not take in time is handed in again. */
  async #deliver(name: string, result: SignedResult): Promise<void> {
    try {
      await this.#queue.deliver(result);
    } catch (error) {
      if (error instanceof QueueError && error.code === "queue.refused") await this.#forget(name);
      throw error;
    }
    const file = this.#entries.get(name)?.file;
    try {
      await this.#folder.confirm(name);
      if (file !== undefined) file.state = "kept";
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code;
      this.#logger.warn({ reason }, "a result will be handed in again");
    }
  }

  /** Hands in what an earlier process may not have handed in. */
  async #recover(name: string, result: SignedResult): Promise<void> {
    const { requestId } = result.message;
    for (;;) {
      try {
        await this.#deliver(name, result);
        this.#logger.info({ requestId }, "handed in a result of an earlier process");
        return;
      } catch (error) {
        if (!(error instanceof QueueError)) throw error;
        const { code, message } = error;
        this.#logger.warn({ requestId, code }, "a result of an earlier process is not taken");
        if (code === "queue.refused") return;
        if (code !== "queue.away") {
          throw new StartError({ code, message: `HACA_GATEWAY_QUEUE: ${message}`, cause: error });
        }
      }
    }
  }

  async #forget(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    this.#bytes -= entry?.file?.size ?? 0;
    await this.#folder.remove(name);
  }

  /** Lets go of the oldest whose results are with the worker. */
  async #makeRoom(): Promise<void> {
    for (const [name, { answer, file }] of this.#entries) {
      if (this.#bytes <= this.#maximumBytes && this.#entries.size <= MAXIMUM_COUNT) return;
      if (answer === undefined && file?.state === "kept") await this.#forget(name);
    }
  }
}

const otherRequest = (): RefusedRequestError =>
  new RefusedRequestError({
    status: 400,
    code: "idempotency.otherRequest",
    field: "idempotency-key",
    message: "idempotency-key: was used for another request",
  });

const notKept = (cause: unknown): RefusedRequestError =>
  new RefusedRequestError({
    status: 503,
    code: "answers.notKept",
    message: "the gateway cannot keep the answer for the idempotency-key, and gives none",
    retryAfter: 1,
    cause,
  });

const unreadable = (cause: unknown): RefusedRequestError =>
  new RefusedRequestError({
    status: 500,
    code: "answers.unreadable",
    message: "the answer under the idempotency-key can no longer be read; the key is free again",
    cause,
  });
