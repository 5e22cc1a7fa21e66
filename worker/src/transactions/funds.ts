import { formatEther, type Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import type { ChainClock } from "../chain/chainClock.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import type { Metrics } from "../metrics/createMetrics.ts";

/** Gas limit that is reckoned with before a settlement was estimated. */
const USUAL_GAS = 350_000n;
/** Settlements that the account should be able to pay for. */
const RESERVE = 20n;

/** `low`: less than twenty settlements are paid for; `empty`: not even one is, so that proofs wait. */
export type FundsState = "unknown" | "ok" | "low" | "empty";

export type FundsView = { account: string; balanceWei: string | null; state: FundsState };

/**
 * Whether the node's account can pay for what the node answers. A settlement is reckoned at what nodes ask an account to
 * hold for it: its gas limit at the highest fee that it offers. The log says so when that changes.
 */
export class Funds {
  readonly #account: string;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  #balance: bigint | undefined;
  #state: FundsState = "unknown";
  #gasLimit = USUAL_GAS;

  constructor(parameters: { account: string; metrics: Metrics; logger: Logger }) {
    this.#account = parameters.account;
    this.#metrics = parameters.metrics;
    this.#logger = parameters.logger;
  }

  get view(): FundsView {
    const balanceWei = this.#balance?.toString() ?? null;
    return { account: this.#account, balanceWei, state: this.#state };
  }

  /**
   * Takes note of the balance and of what a settlement costs at the moment. Returns whether one can be paid for.
   * @param parameters.gasLimit of a settlement that was estimated, where there is one
   */
  observe(parameters: { balance: bigint; maxFeePerGas: bigint; gasLimit?: bigint }): boolean {
    const { balance, gasLimit, maxFeePerGas } = parameters;
    this.#balance = balance;
    this.#gasLimit = gasLimit ?? this.#gasLimit;
    const cost = this.#gasLimit * maxFeePerGas;
    const state = balance < cost ? "empty" : balance < cost * RESERVE ? "low" : "ok";
    this.#metrics.accountBalance.set(Number(balance));
    this.#metrics.accountUnfunded.set(state === "empty" ? 1 : 0);
    if (state !== this.#state) this.#report({ state, cost });
    this.#state = state;
    return state !== "empty";
  }

  #report(parameters: { state: FundsState; cost: bigint }): void {
    const { state, cost } = parameters;
    const figures = {
      account: this.#account,
      balance: formatEther(this.#balance ?? 0n),
      settlementCosts: formatEther(cost),
    };
    if (state === "empty") {
      this.#logger.error(figures, "the account cannot pay for a settlement: proofs wait; fund it");
    } else if (state === "low") {
      this.#logger.warn(figures, "the account is low: it pays for less than 20 settlements");
    } else if (this.#state !== "unknown") {
      this.#logger.info(figures, "the account is funded again");
    }
  }
}

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
