import { RefusedRequestError } from "../gatewayError.ts";

/** An answer as it was sent, for whoever sends the same request again under the same key. */
export type StoredAnswer = { type: string; salt: string; text: string };

/** An answer that is being made, and who hears of it. */
export type Making = {
  answer: Promise<StoredAnswer>;
  resolve: (answer: StoredAnswer) => void;
  reject: (error: Error) => void;
};

export function beginMaking(): Making {
  let resolve: Making["resolve"] = () => undefined;
  let reject: Making["reject"] = () => undefined;
  const answer = new Promise<StoredAnswer>((onAnswer, onError) => {
    resolve = onAnswer;
    reject = onError;
  });
  // Where nobody asks again, nobody hears of a failure here.
  answer.catch(() => undefined);
  return { answer, resolve, reject };
}

type Entry = {
  /** hash of everything that makes the request the same */
  request: string;
  answer: Promise<StoredAnswer>;
  /** units of text; 0 while it is being made */
  size: number;
};

/** Answers under `idempotency-key`, in memory: the latest, as many as there is room for. */
export class StoredAnswers {
  readonly #maximumSize: number;
  readonly #maximumCount: number;
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  constructor(limits: { size: number; count: number }) {
    this.#maximumSize = limits.size;
    this.#maximumCount = limits.count;
  }

  /**
   * The answer under a key, also one that is being made.
   * @throws RefusedRequestError where the key was used for another request
   */
  find(key: string, request: string): Promise<StoredAnswer> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.request === request) return entry.answer;
    throw new RefusedRequestError({
      status: 400,
      code: "idempotency.otherRequest",
      field: "idempotency-key",
      message: "idempotency-key: was used for another request",
    });
  }

  /** Notes that an answer is being made. Where that fails, the key is free again. */
  begin(key: string, request: string, answer: Promise<StoredAnswer>): void {
    const entry: Entry = { request, answer, size: 0 };
    this.#entries.set(key, entry);
    answer.then(
      ({ text }) => {
        entry.size = text.length;
        this.#size += entry.size;
        this.#makeRoom();
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
  }

  /** Lets go of the oldest that are made. */
  #makeRoom(): void {
    for (const [key, { size }] of this.#entries) {
      if (this.#size <= this.#maximumSize && this.#entries.size <= this.#maximumCount) return;
      if (size === 0) continue;
      this.#entries.delete(key);
      this.#size -= size;
    }
  }
}
