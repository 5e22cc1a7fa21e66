import type { Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import type { ChainClock } from "../chain/chainClock.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import type { Metrics } from "../metrics/createMetrics.ts";
import type { Funds } from "./funds.ts";

/** One look at what the node's account holds, and at whether this machine's clock is the chain's. */
export function createAccountPass(parameters: {
  chain: Chain;
  clock: ChainClock;
  funds: Funds;
  wallet: Wallet;
  metrics: Metrics;
  logger: Logger;
}): () => Promise<boolean> {
  const { chain, clock, funds, logger, metrics, wallet } = parameters;
  const { provider } = chain;
  return async () => {
    const [block, balance] = await Promise.all([
      answerOf(provider.getBlock("latest")),
      answerOf(provider.getBalance(wallet.address)),
    ]);
    if (block === null) return false;
    funds.observe({ balance, maxFeePerGas: 2n * (block.baseFeePerGas ?? 0n) });
    const before = clock.aheadSeconds;
    clock.observe(block.timestamp);
    const aheadSeconds = clock.aheadSeconds;
    metrics.clockAhead.set(aheadSeconds);
    if (aheadSeconds !== 0 && before === 0) {
      logger.warn(
        { aheadSeconds },
        "this machine's clock is not the chain's: results get the chain's time",
      );
    } else if (aheadSeconds === 0 && before !== 0) {
      logger.info("this machine's clock is the chain's again");
    }
    return false;
  };
}
