import { BaseError } from "@haca/protocol/baseError";
import type { NetworkConnection } from "hardhat/types/network";
import { firstLine } from "../../lib/words.ts";

export type ChainTransaction = {
  hash: string;
  from: string;
  to: string | null;
  input: string;
  nonce: string;
  blockNumber: string | null;
};
export type Receipt = { status: string; blockNumber: string; transactionHash: string };

/** How many blocks are read one by one for a transaction, where the endpoint keeps no old state. */
const SCAN_LIMIT = 50_000;
/** Endpoints behind one name are not at one head; a transaction is looked for from this many blocks earlier. */
const HEAD_MARGIN = 32;

const toHex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** The account that deploys, and what the chain knows of its transactions. */
export class Account {
  readonly address: string;
  readonly #connection: NetworkConnection;

  constructor(parameters: { address: string; connection: NetworkConnection }) {
    this.address = parameters.address;
    this.#connection = parameters.connection;
  }

  async request<T>(method: string, params: unknown[]): Promise<T> {
    return (await this.#connection.provider.request({ method, params })) as T;
  }

  /** Transactions of the account that are mined; with `pending`, those that wait, too. */
  async count(block: "latest" | "pending" | number): Promise<number> {
    const tag = typeof block === "number" ? toHex(block) : block;
    return Number(await this.request("eth_getTransactionCount", [this.address, tag]));
  }

  async head(): Promise<number> {
    return Number(await this.request("eth_blockNumber", []));
  }

  receipt(hash: string): Promise<Receipt | null> {
    return this.request("eth_getTransactionReceipt", [hash]);
  }

  transaction(hash: string): Promise<ChainTransaction | null> {
    return this.request("eth_getTransactionByHash", [hash]);
  }

  /** What the transaction would take; fails as the transaction would. */
  async estimate(transaction: { to?: string; data: string }): Promise<bigint> {
    return BigInt(await this.request("eth_estimateGas", [{ from: this.address, ...transaction }]));
  }

  /** Returns the hash. */
  send(transaction: { to?: string; data: string; nonce: number; gas: bigint }): Promise<string> {
    const { nonce, gas, ...rest } = transaction;
    return this.request("eth_sendTransaction", [
      { from: this.address, ...rest, nonce: toHex(nonce), gas: toHex(gas) },
    ]);
  }

  /**
   * The mined transaction with a nonce of the account: by bisection of the account's count where the endpoint keeps
   * old state, otherwise block by block. The nonce must be taken. Error: `deploy.cannotFind`.
   * @param parameters.after a block before it
   */
  async find(parameters: { nonce: number; after: number }): Promise<ChainTransaction> {
    const { nonce } = parameters;
    const after = Math.max(0, parameters.after - HEAD_MARGIN);
    const head = await this.head();
    const block = await this.#blockOf({ nonce, after, head }).catch(() => undefined);
    if (block !== undefined) {
      const found = await this.#inBlock(block, nonce);
      if (found !== undefined) return found;
    }
    for (let number = head; number >= after && head - number < SCAN_LIMIT; number -= 1) {
      const found = await this.#inBlock(number, nonce);
      if (found !== undefined) return found;
    }
    throw new BaseError({
      code: "deploy.cannotFind",
      message: `transaction ${nonce} of ${this.address} is mined, but this endpoint does not show it (it keeps no state of old blocks, and it is none of the last ${Math.min(SCAN_LIMIT, head - after + 1)}): run again with an archive endpoint`,
    });
  }

  /** The first block after which the account has sent more than `nonce` transactions. */
  async #blockOf(parameters: { nonce: number; after: number; head: number }): Promise<number> {
    let low = parameters.after;
    let high = parameters.head;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.count(middle)) > parameters.nonce) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  async #inBlock(number: number, nonce: number): Promise<ChainTransaction | undefined> {
    const block = await this.request<{ transactions: ChainTransaction[] } | null>(
      "eth_getBlockByNumber",
      [toHex(number), true],
    );
    return block?.transactions.find(
      (transaction) =>
        transaction.from.toLowerCase() === this.address.toLowerCase() &&
        Number(transaction.nonce) === nonce,
    );
  }
}

/** Words with which nodes say that a nonce is mined already, or that they hold a transaction with it. */
const NONCE_IN_USE =
  /nonce.{0,20}too low|nonce has already|already known|known transaction|already imported|underpriced|AlreadyKnown|OldNonce/i;

/** Whether a node refused a transaction because one with its nonce is there. */
export const isNonceInUse = (error: unknown): boolean => NONCE_IN_USE.test(firstLine(error));
