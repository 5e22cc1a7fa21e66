import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

const nonce = z.int().min(0);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);

const recordSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("begin"),
    format: z.literal(1),
    chainId: z.int(),
    deployer: z.string(),
    gitCommit: z.string(),
  }),
  /** written before a transaction is sent; `afterBlock` is the head at that time */
  z.strictObject({
    type: z.literal("intent"),
    step: z.string(),
    nonce,
    dataHash: hash,
    afterBlock: z.int().min(0),
  }),
  z.strictObject({ type: z.literal("sent"), step: z.string(), nonce, hash }),
  z.strictObject({
    type: z.literal("mined"),
    step: z.string(),
    nonce,
    hash,
    block: z.int(),
    dataHash: hash,
  }),
  /** the nonce went to a transaction that did not do the step */
  z.strictObject({ type: z.literal("void"), step: z.string(), nonce }),
]);
type JournalRecord = z.infer<typeof recordSchema>;
type RecordOf<T extends JournalRecord["type"]> = Extract<JournalRecord, { type: T }>;

export type Intent = Omit<RecordOf<"intent">, "type">;
export type Mined = Omit<RecordOf<"mined">, "type">;

/** What is known of one step. */
type Progress = {
  /** sent or about to be */
  intent?: Intent;
  /** of the intent's nonce */
  hashes: string[];
  mined?: Mined;
  /** of everything that was ever meant to be sent for the step */
  dataHashes: Set<string>;
};

/**
 * The journal of a deployment: a line for each thing that is about to happen or has happened, on the disk before the
 * next one begins. A step is bound to a nonce before it is sent, and a nonce is mined once; so whatever dies, and
 * whichever answer is lost, the chain's transaction of that nonce says whether the step has happened.
 */
export class Journal {
  readonly #path: string | undefined;
  readonly #progress = new Map<string, Progress>();
  #begin: RecordOf<"begin"> | undefined;

  /** Without a path it is kept in memory: for a rehearsal. */
  private constructor(path: string | undefined) {
    this.#path = path;
  }

  static inMemory(): Journal {
    return new Journal(undefined);
  }

  /** Error: `deploy.badJournal`, with file and line. A line that a death cut short is dropped. */
  static open(path: string): Journal {
    const journal = new Journal(path);
    if (!existsSync(path)) return journal;
    const content = readFileSync(path);
    const end = content.lastIndexOf("\n") + 1;
    if (end < content.length) truncateSync(path, end);
    content
      .subarray(0, end)
      .toString("utf8")
      .split("\n")
      .forEach((line, index) => {
        if (line !== "") journal.#apply(parseRecord({ path, line, number: index + 1 }));
      });
    return journal;
  }

  get isEmpty(): boolean {
    return this.#begin === undefined;
  }

  get path(): string {
    return this.#path ?? "memory";
  }

  /** Who began it, with which commit. */
  get origin(): Readonly<Pick<RecordOf<"begin">, "deployer" | "gitCommit">> | undefined {
    return this.#begin;
  }

  begin(origin: Omit<RecordOf<"begin">, "type" | "format">): void {
    this.#write({ type: "begin", format: 1, ...origin });
  }

  intend(intent: Intent): void {
    this.#write({ type: "intent", ...intent });
  }

  sent(sent: Omit<RecordOf<"sent">, "type">): void {
    this.#write({ type: "sent", ...sent });
  }

  mined(mined: Mined): void {
    this.#write({ type: "mined", ...mined });
  }

  void(step: string, usedNonce: number): void {
    this.#write({ type: "void", step, nonce: usedNonce });
  }

  progressOf(step: string): Readonly<Progress> {
    return this.#progress.get(step) ?? { hashes: [], dataHashes: new Set() };
  }

  minedSteps(): readonly Mined[] {
    return [...this.#progress.values()].flatMap(({ mined }) => mined ?? []);
  }

  /** The highest nonce that belongs to a step. */
  get lastNonce(): number | undefined {
    const nonces = [...this.#progress.values()].flatMap(({ intent, mined }) => [
      intent?.nonce ?? -1,
      mined?.nonce ?? -1,
    ]);
    const last = Math.max(-1, ...nonces);
    return last === -1 ? undefined : last;
  }

  /** Forgets everything: the chain that it was about is gone. */
  discard(): void {
    this.#progress.clear();
    this.#begin = undefined;
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }

  #write(record: JournalRecord): void {
    this.#apply(record);
    if (this.#path === undefined) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const file = openSync(this.#path, "a");
    try {
      writeSync(file, `${JSON.stringify(record)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  #apply(record: JournalRecord): void {
    if (record.type === "begin") {
      this.#begin = record;
      return;
    }
    const { type, ...rest } = record;
    const before = this.progressOf(rest.step);
    const progress: Progress = { ...before, hashes: [...before.hashes] };
    this.#progress.set(rest.step, progress);
    if (record.type === "intent") {
      const { type: _, ...intent } = record;
      if (before.intent?.nonce !== intent.nonce) progress.hashes = [];
      progress.intent = intent;
      delete progress.mined;
      progress.dataHashes = new Set([...before.dataHashes, intent.dataHash]);
    } else if (record.type === "sent") {
      progress.hashes.push(record.hash);
    } else if (record.type === "mined") {
      const { type: _, ...mined } = record;
      progress.mined = mined;
      delete progress.intent;
    } else {
      delete progress.intent;
      delete progress.mined;
      progress.hashes = [];
    }
  }
}

function parseRecord(parameters: { path: string; line: string; number: number }): JournalRecord {
  const { path, line, number } = parameters;
  const fail = (reason: string): never => {
    throw new BaseError({
      code: "deploy.badJournal",
      message: `${path}:${number}: ${reason}; restore the file as the deployment left it`,
    });
  };
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return fail("not JSON");
  }
  const parsed = recordSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return fail(`${issue?.path.join(".")}: ${issue?.message}`);
}
