import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StartError } from "../gatewayError.ts";

/** Lines beyond those of the entries that are kept, after which the file is written anew. */
const SLACK_LINES = 10_000;

const forgetSchema = z.strictObject({ forget: z.string() });
/** An entry as it is now, or the id of one that is forgotten. */
type Line<Entry> = Entry | z.output<typeof forgetSchema>;
type Waiting<Entry> = { line: Line<Entry>; resolve: () => void; reject: (error: Error) => void };

/** What a journal is of. */
export type JournalOf<Entry> = {
  /** name of its file */
  file: string;
  /** what one of its lines is, in a word */
  what: string;
  schema: z.ZodType<Entry>;
  /** whether an entry is of use still, when the file is written anew */
  isKept: (entry: Entry) => boolean;
};

/**
 * Entries of payers, the latest of each id, in a file of one line a change. Every change is on disk when its promise is
 * fulfilled; changes that come together are written together.
 */
export class Journal<Entry extends { id: string; payer: string }> {
  readonly #folder: string;
  readonly #of: JournalOf<Entry>;
  readonly #entries = new Map<string, Entry>();
  readonly #byPayer = new Map<string, Set<string>>();
  readonly #waiting: Waiting<Entry>[] = [];
  #file: FileHandle | undefined;
  #lines = 0;
  #isWriting = false;
  #flushing: Promise<void> | undefined;
  #isClosed = false;

  protected constructor(folder: string, of: JournalOf<Entry>) {
    this.#folder = folder;
    this.#of = of;
  }

  /** Reads what an earlier process has written. @throws StartError where the folder cannot be used, or the file is no journal */
  protected async load(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await this.#read();
      await this.#rewrite();
    } catch (cause) {
      if (cause instanceof StartError) throw cause;
      const { code } = cause as NodeJS.ErrnoException;
      const message = `HACA_GATEWAY_ANSWERS: ${this.#folder}: cannot be used: ${code}`;
      throw new StartError({ code: "payments.noFolder", message, cause });
    }
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** The latest entries of a payer. */
  of(payer: string): Entry[] {
    const ids = this.#byPayer.get(payer) ?? [];
    return [...ids].flatMap((id) => this.#entries.get(id) ?? []);
  }

  /** Notes an entry as it is now. At once for who asks here; on disk when it returns. @throws where the disk takes nothing */
  async put(entry: Entry): Promise<void> {
    const before = this.#entries.get(entry.id);
    this.#keep(entry);
    try {
      await this.#write(entry);
    } catch (error) {
      if (before === undefined) this.#drop(entry.id);
      throw error;
    }
  }

  /** Frees an id, as if nothing had been noted under it. */
  async forget(id: string): Promise<void> {
    this.#drop(id);
    await this.#write({ forget: id });
  }

  /** What was to be noted is on disk when it returns; nothing is noted any more: the folder may be another process's then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#flushing;
    await this.#file?.close();
  }

  #keep(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    const ids = this.#byPayer.get(entry.payer) ?? new Set();
    this.#byPayer.set(entry.payer, ids.add(entry.id));
  }

  #drop(id: string): void {
    const { payer = "" } = this.#entries.get(id) ?? {};
    this.#entries.delete(id);
    const ids = this.#byPayer.get(payer);
    ids?.delete(id);
    if (ids?.size === 0) this.#byPayer.delete(payer);
  }

  async #read(): Promise<void> {
    const path = join(this.#folder, this.#of.file);
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    // What follows the last line break was never confirmed to anybody.
    const lines = text.split("\n").slice(0, -1);
    for (const [index, line] of lines.entries()) {
      const read = this.#lineOf(line);
      if (read === undefined) {
        const message = `HACA_GATEWAY_ANSWERS: ${path}: line ${index + 1} is no ${this.#of.what}`;
        throw new StartError({ code: "payments.malformed", message });
      }
      if ("forget" in read) this.#drop(read.forget);
      else this.#keep(read);
    }
  }

  #lineOf(text: string): Line<Entry> | undefined {
    try {
      const json: unknown = JSON.parse(text);
      const forgotten = forgetSchema.safeParse(json);
      return forgotten.success ? forgotten.data : this.#of.schema.parse(json);
    } catch {
      return undefined;
    }
  }

  async #write(line: Line<Entry>): Promise<void> {
    if (this.#isClosed) throw new Error(`${this.#of.file} is closed`);
    const written = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
    });
    if (!this.#isWriting) this.#flushing = this.#flush();
    await written;
  }

  async #flush(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const list = this.#waiting.splice(0);
      try {
        await this.#append(list.map(({ line }) => line));
        for (const { resolve } of list) resolve();
      } catch (error) {
        // Half a line may be there: the next is written into a file of its own.
        await this.#file?.close().catch(() => undefined);
        this.#file = undefined;
        for (const { reject } of list) reject(error as Error);
      }
    }
    this.#isWriting = false;
  }

  async #append(lines: readonly Line<Entry>[]): Promise<void> {
    if (this.#file === undefined || this.#lines > 2 * this.#entries.size + SLACK_LINES) {
      // What is to be written is among the entries already, or is not any more.
      await this.#rewrite();
      return;
    }
    // Unlike `write` it goes on where the disk takes a part.
    await this.#file.appendFile(textOf(lines));
    await this.#file.datasync();
    this.#lines += lines.length;
  }

  /** Writes all that is still of use into a new file, which takes the old one's place. */
  async #rewrite(): Promise<void> {
    for (const entry of this.all()) {
      if (!this.#of.isKept(entry)) this.#drop(entry.id);
    }
    const entries = this.all();
    const path = join(this.#folder, this.#of.file);
    const temporary = `${path}.tmp`;
    await rm(temporary, { force: true });
    const file = await open(temporary, "ax", 0o600);
    try {
      await file.appendFile(textOf(entries));
      await file.sync();
      await rename(temporary, path);
      const folder = await open(this.#folder, "r");
      await folder.sync().finally(() => folder.close());
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#lines = entries.length;
  }
}

const textOf = (lines: readonly object[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");
