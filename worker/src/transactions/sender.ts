import type { TransactionReceipt } from "ethers";
import { answerOf } from "../chain/rpcErrors.ts";
import type { AccountContext } from "./accountContext.ts";
import { readChainView } from "./readChainView.ts";
import { sendTransaction } from "./sendTransaction.ts";
import { tendAccount } from "./tendAccount.ts";

export type Mined = { purpose: string; receipt: TransactionReceipt };

/** All that a role without jobs of its own knows of transactions. A purpose names one call. */
export type Sender = {
  /** address that pays */
  readonly account: string;
  /**
   * Sends a call; its transaction is recorded before it leaves. Returns its hash and nonce, or undefined while gas is
   * above the ceiling. @throws WouldRevertError, RetryableError
   */
  send(call: {
    purpose: string;
    to: string;
    data: string;
  }): Promise<{ hash: string; nonce: number } | undefined>;
  /** Looks after everything that was sent; returns what was mined, with its confirmations, since the last time. */
  tend(): Promise<Mined[]>;
  /** Hashes of what is recorded and not known to be mined, by purpose. */
  listOpen(): Promise<ReadonlyMap<string, string>>;
  /** Receipt of a transaction that was mined; undefined before it has its confirmations. */
  findReceipt(hash: string): Promise<TransactionReceipt | undefined>;
  /** The same of whatever was mined under a nonce: what was sent first may have been replaced with higher fees. */
  findMined(parameters: { nonce: number }): Promise<TransactionReceipt | undefined>;
};

export function createSender(context: AccountContext): Sender {
  const { chain, confirmations, store, wallet } = context;
  const findReceipt = async (hash: string) => {
    const receipt = await answerOf(chain.provider.getTransactionReceipt(hash));
    if (receipt === null) return undefined;
    const head = await answerOf(chain.provider.getBlockNumber());
    return head - receipt.blockNumber + 1 < confirmations ? undefined : receipt;
  };
  return {
    account: wallet.address,
    async send(call) {
      const view = await readChainView(context);
      return await sendTransaction({ context, view, ...call });
    },
    async tend() {
      const mined: Mined[] = [];
      const view = await readChainView(context);
      await tendAccount({ context, view, onMined: (transaction) => mined.push(transaction) });
      return mined;
    },
    async listOpen() {
      const open = await store.listOpen();
      return new Map(open.map(({ purpose, transaction }) => [purpose, transaction.hash]));
    },
    findReceipt,
    async findMined({ nonce }) {
      for (const { hash } of await store.listAttempts(nonce)) {
        const receipt = await findReceipt(hash);
        if (receipt !== undefined) return receipt;
      }
      return undefined;
    },
  };
}
