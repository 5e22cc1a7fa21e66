import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashResult } from "@haca/protocol/inferenceResult";
import type { TypedDataDomain } from "ethers";
import type { Logger } from "pino";
import { describeError } from "../../errors.ts";
import { parseReceipt, type SignedReceipt } from "./parseReceipt.ts";

/** Files that are kept at most, and what each may have, in bytes: the words of a model's input are in there. */
const MAXIMUM_FILES = 10_000;
const MAXIMUM_BYTES = 1_048_576;

/** A receipt that somebody gave this watcher. */
export type HeldReceipt = SignedReceipt & {
  /** its file */
  name: string;
  /** EIP-712 digest */
  digest: string;
  /** pages in which it shows nothing, as the contract said */
  readonly vainFor: Set<string>;
};

type Known = { version: string; receipt: HeldReceipt | undefined };

/**
 * Receipts in a folder, `*.json`. A file is read when it is new or has changed; one that is no receipt is named in the log,
 * once, and left out.
 */
export class ReceiptFolder {
  readonly #path: string;
  readonly #domain: TypedDataDomain;
  readonly #logger: Logger;
  #files = new Map<string, Known>();
  #byRequest = new Map<string, HeldReceipt[]>();
  #excess = 0;

  constructor(parameters: { path: string; domain: TypedDataDomain; logger: Logger }) {
    this.#path = parameters.path;
    this.#domain = parameters.domain;
    this.#logger = parameters.logger;
  }

  /** Receipts for a request. */
  of(requestId: string): readonly HeldReceipt[] {
    return this.#byRequest.get(requestId) ?? [];
  }

  /** Reads what is new, forgets what is gone, and returns the receipts that were not there before. */
  async look(): Promise<HeldReceipt[]> {
    const names = await this.#list();
    if (names === undefined) return [];
    const files = new Map<string, Known>();
    const added: HeldReceipt[] = [];
    for (const name of names) {
      const known = await this.#read(name);
      if (known === undefined) continue;
      files.set(name, known);
      if (known.receipt !== undefined && this.#files.get(name) !== known) added.push(known.receipt);
    }
    this.#files = files;
    this.#byRequest = groupByRequest(files.values());
    return added;
  }

  /** Undefined where the folder cannot be read: what was there before stays. */
  async #list(): Promise<string[] | undefined> {
    let names: string[];
    try {
      names = (await readdir(this.#path)).filter((name) => name.endsWith(".json")).sort();
    } catch (error) {
      const fields = { folder: this.#path, error: describeError(error) };
      this.#logger.warn(fields, "HACA_RECEIPTS: the folder cannot be read");
      return undefined;
    }
    const excess = Math.max(0, names.length - MAXIMUM_FILES);
    if (excess > this.#excess) {
      const fields = { files: names.length, most: MAXIMUM_FILES };
      this.#logger.warn(
        fields,
        "HACA_RECEIPTS: too many files, those that come last by name are left out",
      );
    }
    this.#excess = excess;
    return names.slice(0, MAXIMUM_FILES);
  }

  /** Undefined of a file that is gone meanwhile. */
  async #read(name: string): Promise<Known | undefined> {
    const before = this.#files.get(name);
    const path = join(this.#path, name);
    let version = "unknown";
    try {
      const { isFile, mtimeMs, size } = await stat(path).then((found) => ({
        ...{ isFile: found.isFile(), mtimeMs: found.mtimeMs, size: found.size },
      }));
      version = `${mtimeMs} ${size}`;
      if (before?.version === version) return before;
      if (!isFile) throw new TypeError("is no file");
      if (size > MAXIMUM_BYTES) throw new RangeError(`has more than ${MAXIMUM_BYTES} bytes`);
      const signed = parseReceipt(await readFile(path, "utf8"));
      const digest = hashResult({ domain: this.#domain, result: signed.result });
      return { version, receipt: { ...signed, name, digest, vainFor: new Set() } };
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      if (before?.version === version) return before;
      const fields = { file: name, error: describeError(error) };
      this.#logger.warn(fields, "no receipt: left out");
      return { version, receipt: undefined };
    }
  }
}

function groupByRequest(files: Iterable<Known>): Map<string, HeldReceipt[]> {
  const found = new Map<string, HeldReceipt[]>();
  for (const { receipt } of files) {
    if (receipt === undefined) continue;
    const { requestId } = receipt.result;
    found.set(requestId, [...(found.get(requestId) ?? []), receipt]);
  }
  return found;
}
