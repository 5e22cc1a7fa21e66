import { askFees, type Market, marketOf } from "../chain/readMarket.ts";
import { answerOf, requireSameChain } from "../chain/rpcErrors.ts";
import { RetryableError } from "../errors.ts";
import type { AccountContext } from "./accountContext.ts";

/** The chain as it was when a pass looked at it. */
export type ChainView = {
  /** number and hash of the latest block */
  head: number;
  hash: string;
  market: Market;
  /** nonce of the account's next transaction to be mined, at the head */
  nextNonce: number;
  /** the same at the youngest block that has its confirmations: nonces below it are used up */
  confirmedNonce: number;
};

/** @throws RetryableError, also where the endpoint serves another chain now */
export async function readChainView(context: AccountContext): Promise<ChainView> {
  const { chain, confirmations, wallet } = context;
  const { provider } = chain;
  const [, block, asked] = await Promise.all([
    requireSameChain(chain),
    answerOf(provider.getBlock("latest")),
    askFees(provider),
  ]);
  if (block === null || block.hash === null) {
    throw new RetryableError({ code: "rpc.failed", message: "HACA_RPC_URL: no latest block" });
  }
  // By number, not `latest`: an endpoint of several machines either knows the state of that block or refuses.
  const countAt = (number: number): Promise<number> =>
    answerOf(provider.getTransactionCount(wallet.address, number));
  const confirmed = block.number - confirmations + 1;
  const [nextNonce, confirmedNonce] = await Promise.all([
    countAt(block.number),
    confirmations === 1 ? undefined : countAt(Math.max(0, confirmed)),
  ]);
  return {
    head: block.number,
    hash: block.hash,
    market: marketOf({ asked, baseFee: block.baseFeePerGas ?? 0n }),
    nextNonce,
    confirmedNonce: confirmedNonce ?? nextNonce,
  };
}
