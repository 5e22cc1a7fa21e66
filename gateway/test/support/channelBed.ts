import { type Channel, channelIdOf } from "@haca/protocol/channels";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import {
  decodePaymentRequiredHeader,
  decodePaymentResponseHeader,
  decodePaymentSignatureHeader,
  encodePaymentSignatureHeader,
} from "@x402/core/http";
import type { PaymentPayload } from "@x402/core/types";
import { toClientEvmSigner } from "@x402/evm";
import {
  BatchSettlementEvmScheme,
  InMemoryClientChannelStorage,
  signVoucher,
} from "@x402/evm/batch-settlement/client";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import type { Hex } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { PaymentSettings } from "../../src/payments/paymentSettings.ts";
import type { ResultSigner } from "../../src/profile/resultSigner.ts";
import { answering, SIGNER } from "./bed.ts";
import { fetchNoting, PAYEE, PaidBed, QUESTION, TRANSACTION } from "./paidBed.ts";

const NETWORK = "eip155:31337";
export const GATE = `0x${"66".repeat(20)}`;
export const DELAY = 518_400;
const PATHS = { path: "channel/chat/completions" };

/** What a payment by channel says. */
export type Signed = {
  type: "deposit" | "refund" | "voucher";
  channelConfig: Channel;
  voucher: { channelId: Hex; maxClaimableAmount: string; signature: Hex };
  deposit?: { amount: string; authorization?: object };
};
type State = { balance: string; totalClaimed: string; withdrawRequestedAt: number };
const EMPTY: State = { balance: "0", totalClaimed: "0", withdrawRequestedAt: 0 };

/** What a facilitator says of the gate. */
const gateOf = ({ teeId }: ResultSigner) => ({
  ...{ gate: GATE, node: nodeOfEnclave(teeId), payee: PAYEE },
  ...{ feeBps: 250, kinds: 68, leastWithdrawDelay: DELAY },
});

/** A gateway that is paid by channels, over a facilitator that says of the chain what the test does. */
export class ChannelBed {
  readonly paid: PaidBed;
  /** by id, in small letters */
  readonly states = new Map<string, State>();
  gate: object;

  private constructor(paid: PaidBed, signer: ResultSigner) {
    this.paid = paid;
    this.gate = gateOf(signer);
  }

  /** For one test. */
  static async start(
    changes: Partial<PaymentSettings> = {},
    signer: ResultSigner = SIGNER,
  ): Promise<ChannelBed> {
    const channel = {
      ...{ gate: GATE, withdrawDelay: DELAY, minDeposit: undefined, minRefund: undefined },
    };
    const paid = await PaidBed.start({ channel, routes: ["escrow"], ...changes }, signer);
    const bed = new ChannelBed(paid, signer);
    const supported = paid.facilitator.handler;
    paid.facilitator.handler = (response, request) => {
      const { body, path } = request;
      const [, what, id = ""] = path.split("/");
      if (what === "gates") return answering(bed.gate)(response, request);
      if (what === "channels") return answering(bed.states.get(id) ?? EMPTY)(response, request);
      if (what === "settle") bed.#deposit(JSON.parse(body).paymentPayload.payload as Signed);
      return supported(response, request);
    };
    return bed;
  }

  /** Changes what the chain says of a channel. */
  change(channelId: string, change: Partial<State>): void {
    const id = channelId.toLowerCase();
    this.states.set(id, { ...(this.states.get(id) ?? EMPTY), ...change });
  }

  #deposit({ deposit, voucher }: Signed): void {
    const { balance } = this.states.get(voucher.channelId.toLowerCase()) ?? EMPTY;
    const sum = BigInt(balance) + BigInt(deposit?.amount ?? 0);
    this.change(voucher.channelId, { balance: String(sum) });
  }

  post(body: object, payer: { paying?: typeof fetch; headers?: Record<string, string> } = {}) {
    const { headers, paying } = payer;
    return this.paid.post(body, headers, { ...PATHS, ...(paying && { paying }) });
  }

  /** Deposits that the facilitator was asked to bring. */
  get deposits(): number {
    return this.paid.settled.length;
  }
}

/** A stock client of x402 that pays by channel, with a key of its own. */
export class ChannelPayer {
  readonly account: PrivateKeyAccount;
  /** headers of the payments that it made */
  readonly payments: string[] = [];
  readonly paying: typeof fetch;
  readonly #client: BatchSettlementEvmScheme;

  /**
   * @param bed whose chain it reads, where it reads one
   * @param before a client of the same payer; it knows nothing of what that one did
   * @param method of its deposits; the first that is offered if left out
   */
  constructor(bed?: ChannelBed, before?: ChannelPayer, method?: string) {
    this.account = before?.account ?? privateKeyToAccount(generatePrivateKey());
    const readContract = async ({ args }: { args?: readonly unknown[] }) => {
      const state = bed?.states.get(String(args?.[0]).toLowerCase()) ?? EMPTY;
      return [BigInt(state.balance), BigInt(state.totalClaimed)];
    };
    const signer = toClientEvmSigner(this.account, bed && ({ readContract } as never));
    const storage = new InMemoryClientChannelStorage();
    const client = new BatchSettlementEvmScheme(signer, { storage });
    this.#client = client;
    this.paying = wrapFetchWithPaymentFromConfig(fetchNoting(this.payments), {
      schemes: [{ network: NETWORK, client }],
      spendControls: false,
      ...(method !== undefined && {
        paymentRequirementsSelector: (_, offers) =>
          offers.find(({ extra }) => extra.assetTransferMethod === method) as never,
      }),
    });
  }

  /** Asks for what is left of its channel, or for so much. */
  async refund(bed: ChannelBed, amount?: bigint) {
    return await this.#client.refund(`${bed.paid.gateway.url}/v1/${PATHS.path}`, {
      fetch: fetchNoting(this.payments),
      ...(amount === undefined ? {} : { amount: String(amount) }),
    });
  }

  /** Its last payment, to be sent again by whomever. */
  get last(): { headers: Record<string, string> } {
    return headerOf(this.payments.at(-1) ?? "");
  }

  get signed(): Signed[] {
    return this.payments.map((payment) => signedIn(payment));
  }

  /** What it would sign for the offer of a refusal, with another sum, or of another channel. */
  async sign(
    response: Response,
    change: { sum: bigint; channel?: Partial<Channel>; by?: ChannelPayer },
  ): Promise<{ headers: Record<string, string> }> {
    const [accepted] = offersIn(response);
    const { address } = this.account;
    const channel = {
      ...{ payer: address, payerAuthorizer: address, receiver: GATE, receiverAuthorizer: GATE },
      ...{ token: accepted?.asset ?? "", withdrawDelay: DELAY, salt: `0x${"00".repeat(32)}` },
      ...change.channel,
    } as Channel;
    const channelId = channelIdOf({ chainId: 31_337n, channel }) as Hex;
    const signer = toClientEvmSigner((change.by ?? this).account);
    const voucher = await signVoucher(signer, channelId, String(change.sum), NETWORK);
    const payload = { type: "voucher", channelConfig: channel, voucher };
    return headerOf(
      encodePaymentSignatureHeader({ x402Version: 2, accepted, payload } as PaymentPayload),
    );
  }
}

const headerOf = (payment: string) => ({ headers: { "payment-signature": payment } });
export const signedIn = (payment: string): Signed =>
  decodePaymentSignatureHeader(payment).payload as Signed;
/** The payment with another payload. */
export const changed = (payment: string, change: (signed: Signed) => object) => {
  const decoded = decodePaymentSignatureHeader(payment);
  const payload = change(decoded.payload as Signed) as Record<string, unknown>;
  return headerOf(encodePaymentSignatureHeader({ ...decoded, payload }));
};

const requiredIn = (response: Response) =>
  decodePaymentRequiredHeader(response.headers.get("payment-required") ?? "");
/** The offers of a refusal. */
export const offersIn = (response: Response) => requiredIn(response).accepts;
/** x402's reason of a refusal. */
export const reasonIn = (response: Response) => requiredIn(response).error;

/** What an answer says that it has cost, and what the channel's answers have in all; and by which deposit. */
export function chargedIn(response: Response): [string, string, string] {
  const { extra, transaction } = decodePaymentResponseHeader(
    response.headers.get("payment-response") ?? "",
  ) as unknown as {
    transaction: string;
    extra: { chargedAmount: string; channelState: { chargedCumulativeAmount: string } };
  };
  return [extra.chargedAmount, extra.channelState.chargedCumulativeAmount, transaction];
}
export { TRANSACTION };

/** An upstream that fails. */
export const FAILED = answering({ error: { message: "no" } }, 500);
/** Another question than `QUESTION`, for the same price. */
export const other = { ...QUESTION, n: 1 };
/** x402's reason for a voucher whose sum does not follow what was charged. */
export const OTHER_SUM = "invalid_batch_settlement_evm_cumulative_amount_mismatch";
