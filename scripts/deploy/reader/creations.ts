import { BaseError } from "@haca/protocol/baseError";
import { getCreateAddress } from "ethers";
import type { Report } from "../../lib/progress.ts";
import type { ChainReader, Transaction } from "./chainReader.ts";

/**
 * The first block in which an account has code, by bisection. Error `chain.prunedState` where the endpoint keeps no
 * old state.
 */
export async function firstBlockWithCode(parameters: {
  reader: ChainReader;
  address: string;
  head: number;
}): Promise<number> {
  const { reader, address, head } = parameters;
  let without = -1;
  let withCode = head;
  while (withCode - without > 1) {
    const middle = Math.floor((without + withCode) / 2);
    if (await reader.hadCode(address, middle)) withCode = middle;
    else without = middle;
  }
  return withCode;
}

/** Contracts that need no other may be some blocks older than the one that a deployment is named by. */
const BLOCKS_BEFORE = 256;

/** Transactions that created contracts, each found by whatever the endpoint still knows. */
export class Creations {
  readonly #reader: ChainReader;
  readonly #head: number;
  readonly #report: Report;
  readonly #found = new Map<string, Transaction>();
  /** blocks that were read whole */
  #scannedTo: number;

  /** @param parameters.from where the deployment began, more or less */
  constructor(parameters: { reader: ChainReader; from: number; head: number; report: Report }) {
    this.#reader = parameters.reader;
    this.#head = parameters.head;
    this.#report = parameters.report;
    this.#scannedTo = Math.max(parameters.from - BLOCKS_BEFORE, 0) - 1;
  }

  /**
   * The transaction that created a contract itself; undefined if none did (another contract created it).
   * @param parameters.hints transactions that may be it; not trusted
   * @param parameters.until block in which it is known to exist
   */
  async find(parameters: {
    address: string;
    hints?: readonly (string | undefined)[];
    until: number;
  }): Promise<Transaction | undefined> {
    const { address, hints = [], until } = parameters;
    const known = this.#found.get(address);
    if (known !== undefined) return known;
    for (const hint of hints) {
      if (hint === undefined || (await this.#reader.createdBy(hint)) !== address) continue;
      const transaction = await this.#reader.transaction(hint);
      if (transaction !== undefined) return this.#remember(address, transaction);
    }
    try {
      const block = await firstBlockWithCode({
        ...{ reader: this.#reader, address, head: this.#head },
      });
      await this.#scan(block);
    } catch (error) {
      if (!(error instanceof BaseError) || error.code !== "chain.prunedState") throw error;
      // Without old state, the blocks of the deployment are read one after another.
      while (this.#scannedTo < until && !this.#found.has(address)) {
        this.#scannedTo += 1;
        this.#report(`transactions of block ${this.#scannedTo} of ${until}`);
        await this.#scan(this.#scannedTo);
      }
    }
    return this.#found.get(address);
  }

  #remember(address: string, transaction: Transaction): Transaction {
    this.#found.set(address, transaction);
    return transaction;
  }

  async #scan(block: number): Promise<void> {
    for (const transaction of await this.#reader.transactionsOf(block)) {
      if (transaction.to !== null) continue;
      this.#remember(getCreateAddress(transaction), transaction);
    }
  }
}
