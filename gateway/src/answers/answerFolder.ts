import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type AnswerHeader, readHeader } from "./answerFile.ts";

/** An answer whose result may not be on the worker's disk yet, and one whose result is. */
export type AnswerState = "pending" | "kept";
const STATES: readonly AnswerState[] = ["pending", "kept"];
const FILE = /^([0-9a-f]{64})\.(pending|kept)$/;
const TEMPORARY = ".tmp";

/** A file that was there when the folder was opened. */
export type FoundAnswer = {
  name: string;
  state: AnswerState;
  size: number;
  header: AnswerHeader;
};

/** The files of answers, by name. Each is whole and on disk before it has its name. */
export class AnswerFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What is there, the oldest first. What was not finished, or cannot be read, is removed.
   * @throws where the folder can be neither made nor read
   */
  async open(): Promise<{ found: FoundAnswer[]; unreadable: number }> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    const found: (FoundAnswer & { age: number })[] = [];
    let unreadable = 0;
    for (const entry of await readdir(this.#path)) {
      const path = join(this.#path, entry);
      const [, name, state] = FILE.exec(entry) ?? [];
      if (entry.endsWith(TEMPORARY)) await rm(path, { force: true });
      if (name === undefined) continue;
      try {
        const { mtimeMs: age } = await stat(path);
        found.push({ name, state: state as AnswerState, age, ...(await readHeader(path)) });
      } catch {
        unreadable += 1;
        await rm(path, { force: true });
      }
    }
    return { found: found.sort((a, b) => a.age - b.age), unreadable };
  }

  read(name: string, state: AnswerState): Promise<Buffer> {
    return readFile(this.#fileOf(name, state));
  }

  /** Returns when the answer is on disk, as one whose result may not be with the worker. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.#path, `${name}.${randomUUID()}${TEMPORARY}`);
    try {
      await this.#sync(temporary, "wx", bytes);
      await rename(temporary, this.#fileOf(name, "pending"));
      await this.#sync(this.#path, "r");
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Notes that the result is with the worker. Lost in a crash, it is handed in again, which changes nothing. */
  async confirm(name: string): Promise<void> {
    await rename(this.#fileOf(name, "pending"), this.#fileOf(name, "kept"));
  }

  async remove(name: string): Promise<void> {
    for (const state of STATES) await rm(this.#fileOf(name, state), { force: true });
  }

  #fileOf(name: string, state: AnswerState): string {
    return join(this.#path, `${name}.${state}`);
  }

  async #sync(path: string, flags: "wx" | "r", bytes?: Uint8Array): Promise<void> {
    const file = await open(path, flags, 0o600);
    try {
      if (bytes !== undefined) await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
