import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StartError } from "../gatewayError.ts";
import { type Grant, grantSchema } from "./grant.ts";

const FILE = "payments.journal";
const TEMPORARY = "payments.journal.tmp";
/** Lines beyond those of the grants that are kept, after which the file is written anew. */
const SLACK_LINES = 10_000;
/** Time for which an ended grant is kept. Its payment cannot be used any more by far then, and is taken for no new one. */
const KEEP_MS = 86_400_000;

/** A grant as it is now, or the id of one that is forgotten. */
const lineSchema = z.union([grantSchema, z.strictObject({ forget: z.string() })]);
type Line = z.output<typeof lineSchema>;
type Waiting = { line: Line; resolve: () => void; reject: (error: Error) => void };

/**
 * Which payment was granted for which request: one grant for each nonce of a payer. Every change is on disk when its promise is
 * fulfilled; changes that come together are written together.
 */
export class GrantLedger {
  readonly #folder: string;
  readonly #grants = new Map<string, Grant>();
  readonly #byPayer = new Map<string, Set<string>>();
  readonly #waiting: Waiting[] = [];
  #file: FileHandle | undefined;
  #lines = 0;
  #isWriting = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws StartError where the folder cannot be used, or its journal is not one */
  static async open(folder: string): Promise<GrantLedger> {
    const ledger = new GrantLedger(folder);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await ledger.#load();
      await ledger.#rewrite();
    } catch (cause) {
      if (cause instanceof StartError) throw cause;
      const { code } = cause as NodeJS.ErrnoException;
      const message = `HACA_GATEWAY_ANSWERS: ${folder}: cannot be used: ${code}`;
      throw new StartError({ code: "payments.noFolder", message, cause });
    }
    return ledger;
  }

  find(id: string): Grant | undefined {
    return this.#grants.get(id);
  }

  all(): Grant[] {
    return [...this.#grants.values()];
  }

  /** The latest grants of a payer. */
  of(payer: string): Grant[] {
    const ids = this.#byPayer.get(payer) ?? [];
    return [...ids].flatMap((id) => this.#grants.get(id) ?? []);
  }

  /** Notes a grant as it is now. At once for who asks here; on disk when it returns. @throws where the disk takes nothing */
  async put(grant: Grant): Promise<void> {
    const before = this.#grants.get(grant.id);
    this.#keep(grant);
    try {
      await this.#write(grant);
    } catch (error) {
      if (before === undefined) this.#drop(grant.id);
      throw error;
    }
  }

  /** Frees a nonce whose payment was refused, and took nothing. */
  async forget(id: string): Promise<void> {
    this.#drop(id);
    await this.#write({ forget: id });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #keep(grant: Grant): void {
    this.#grants.set(grant.id, grant);
    const ids = this.#byPayer.get(grant.payer) ?? new Set();
    this.#byPayer.set(grant.payer, ids.add(grant.id));
  }

  #drop(id: string): void {
    const { payer = "" } = this.#grants.get(id) ?? {};
    this.#grants.delete(id);
    const ids = this.#byPayer.get(payer);
    ids?.delete(id);
    if (ids?.size === 0) this.#byPayer.delete(payer);
  }

  async #load(): Promise<void> {
    const path = join(this.#folder, FILE);
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    // What follows the last line break was never confirmed to anybody.
    const lines = text.split("\n").slice(0, -1);
    for (const [index, line] of lines.entries()) {
      const read = readLine(line);
      if (read === undefined) {
        const message = `HACA_GATEWAY_ANSWERS: ${path}: line ${index + 1} is no grant`;
        throw new StartError({ code: "payments.malformed", message });
      }
      if ("forget" in read) this.#drop(read.forget);
      else this.#keep(read);
    }
  }

  async #write(line: Line): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
    });
    void this.#flush();
    await written;
  }

  async #flush(): Promise<void> {
    if (this.#isWriting) return;
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

  async #append(lines: readonly Line[]): Promise<void> {
    if (this.#file === undefined || this.#lines > 2 * this.#grants.size + SLACK_LINES) {
      // What is to be written is among the grants already, or is not any more.
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
    const oldest = Date.now() - KEEP_MS;
    for (const { at, id, route, state } of this.all()) {
      // Of a transfer that was never known to be made, whoever made it would have come again by now.
      const isOver = state === "answered" || state === "ended";
      if (at < oldest && (isOver || (state === "opening" && route === "exact"))) this.#drop(id);
    }
    const grants = this.all();
    const temporary = join(this.#folder, TEMPORARY);
    await rm(temporary, { force: true });
    const file = await open(temporary, "ax", 0o600);
    try {
      await file.appendFile(textOf(grants));
      await file.sync();
      await rename(temporary, join(this.#folder, FILE));
      const folder = await open(this.#folder, "r");
      await folder.sync().finally(() => folder.close());
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#lines = grants.length;
  }
}

const textOf = (lines: readonly Line[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

function readLine(text: string): Line | undefined {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
