import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import type { Logger } from "pino";
import type { Facilitator } from "../payments/facilitator.ts";
import type { ChannelPayload } from "./channelPayload.ts";
import { type ChannelRefusalCode, undecidedDeposit } from "./channelRefusals.ts";
import type { ChannelSource, ChannelState } from "./channelSource.ts";

/** How long a deposit that was made may not be seen, until it is taken for one that is used up. */
const UNSEEN_MS = 60_000;

/** What became of a deposit: it is in the channel; or why the request that it came with is not answered. */
export type Brought =
  | { transaction: string; state: ChannelState }
  | { code: ChannelRefusalCode; reason?: string | undefined };

/** Brings deposits into channels to the chain, by the facilitator. */
export class ChannelDeposits {
  readonly #facilitator: Facilitator;
  readonly #source: ChannelSource;
  readonly #minDeposit: bigint | undefined;
  readonly #logger: Logger;
  /** transactions of deposits that this process had made, and when, whose channels have too little as far as was seen */
  readonly #unseen = new Map<string, number>();

  constructor(parameters: {
    facilitator: Facilitator;
    source: ChannelSource;
    minDeposit: bigint | undefined;
    logger: Logger;
  }) {
    this.#facilitator = parameters.facilitator;
    this.#source = parameters.source;
    this.#minDeposit = parameters.minDeposit;
    this.#logger = parameters.logger;
  }

  /**
   * Has a deposit brought to the chain, if it is not too small, and reads how the channel stands then.
   * @param accepted the offer that it is for
   * @throws RefusedRequestError 503 where that is not known in time
   */
  async bring(asked: ChannelPayload, accepted: PaymentRequirements): Promise<Brought> {
    const { channelId, deposit, voucher } = asked;
    if (deposit === undefined) throw new Error("no deposit");
    if (this.#minDeposit !== undefined && deposit.amount < this.#minDeposit) {
      return { code: "channel.smallDeposit" };
    }
    const { errorReason, success, transaction, wasMade } = await this.#facilitator.settle(
      { x402Version: 2, accepted, payload: deposit.payload } satisfies PaymentPayload,
      accepted,
    );
    if (!success) {
      // Of a permit nobody tells by whom it was used: where a stranger has brought it, the channel has it.
      const state = await this.#source.channel(channelId, true);
      return deposit.method === "permit2" && voucher.maxClaimableAmount <= state.balance
        ? { transaction: "", state }
        : { code: "payment.refused", reason: errorReason };
    }
    if (wasMade !== true) this.#logger.info({ channel: channelId, transaction }, "deposited");
    const state = await this.#source.channel(channelId, true);
    if (voucher.maxClaimableAmount <= state.balance) {
      this.#unseen.delete(transaction);
      return { transaction, state };
    }
    if (wasMade !== true) this.#unseen.set(transaction, performance.now());
    // The endpoint that was asked has not seen it yet; what was made long ago is used up.
    if (this.#isUnseen(transaction)) throw undecidedDeposit();
    return { code: "channel.tooLittle" };
  }

  #isUnseen(transaction: string): boolean {
    const oldest = performance.now() - UNSEEN_MS;
    for (const [made, at] of this.#unseen) if (at < oldest) this.#unseen.delete(made);
    return this.#unseen.has(transaction);
  }
}
