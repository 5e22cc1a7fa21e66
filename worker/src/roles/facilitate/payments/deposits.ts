import { channelGateAbi, channelGatesAbi } from "@haca/protocol/abi";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement, channelIdOf } from "@haca/protocol/channels";
import { isSameHex } from "@haca/protocol/isSameHex";
import type { PaymentRequirements, SettleResponse } from "@x402/core/types";
import { AbiCoder, getAddress, Interface } from "ethers";
import type { PublicClient } from "viem";
import type { PaymentCall } from "./paymentProtocol.ts";
import {
  collectorOf,
  DEPOSIT_SCHEME,
  type Deposit,
  depositIn,
  type PaymentRequest,
} from "./paymentRequest.ts";
import { ViewCaller } from "./viewCaller.ts";

const tokenInterface = new Interface([
  "function authorizationState(address authorizer, bytes32 nonce) view returns (bool)",
]);
const gatesInterface = new Interface(channelGatesAbi);
const gateInterface = new Interface(channelGateAbi);

type Refusal = { reason: string; message: string };

/** How a channel stands: amounts are smallest units, the time unix seconds, 0 where no withdrawal is asked for. */
export type ChannelState = { balance: string; totalClaimed: string; withdrawRequestedAt: number };
/** A gate of this deployment, and the least delay of withdrawals that channels to it should have now. */
export type GateState = {
  gate: string;
  node: string;
  payee: string;
  feeBps: number;
  kinds: number;
  leastWithdrawDelay: number;
  /** by which deposits are brought */
  depositMethods: readonly ("eip3009" | "permit2")[];
};
/** The call that brings a deposit; `isDone` where somebody has brought it already. */
export type FoundDeposit = { call: PaymentCall; isDone: boolean } | { answer: SettleResponse };

/**
 * Deposits into payment channels of gates of this deployment, by an authorization of EIP-3009 or a permit of Permit2 that names the
 * channel; and what whoever serves channels has to know of the chain.
 */
export class Deposits {
  /** address of ChannelGates */
  readonly gates: string;
  readonly #chainId: bigint;
  readonly #caller: ViewCaller;
  readonly #receivers: readonly string[];
  readonly #leastDeposit: bigint;
  readonly #methods: GateState["depositMethods"];

  constructor(parameters: {
    gates: string;
    chainId: number;
    client: PublicClient;
    /** that pays the gas */
    account: string;
    /** payees of the gates whose channels deposits are brought to */
    receivers: readonly string[];
    /** smallest units */
    leastDeposit: bigint;
    /** whether Permit2 and x402's collector of deposits by it are there */
    takesPermits: boolean;
  }) {
    this.gates = parameters.gates;
    this.#chainId = BigInt(parameters.chainId);
    this.#caller = new ViewCaller(parameters);
    this.#receivers = parameters.receivers.map((receiver) => receiver.toLowerCase());
    this.#leastDeposit = parameters.leastDeposit;
    this.#methods = parameters.takesPermits ? ["eip3009", "permit2"] : ["eip3009"];
  }

  isDeposit = ({ scheme }: PaymentRequirements): boolean => scheme === DEPOSIT_SCHEME;

  /** Why a deposit is not brought, whatever its authorization is worth. @throws RetryableError */
  async refusalOf({ payload, requirements }: PaymentRequest): Promise<Refusal | undefined> {
    const deposit = depositIn(payload.payload);
    if (deposit === undefined) {
      return { reason: "invalid_payload", message: "is no deposit into a channel" };
    }
    const { amount, channel, channelId } = deposit;
    if (amount < this.#leastDeposit) {
      const message = `deposit.amount: must be ${this.#leastDeposit} or more for this facilitator to bring it`;
      return refused("deposit_below_min_deposit", message);
    }
    if (!isSameHex(channelIdOf({ chainId: this.#chainId, channel }), channelId)) {
      return refused("channel_id_mismatch", "voucher.channelId: is not made of this channel");
    }
    if (!isSameHex(channel.receiver, requirements.payTo)) {
      return refused("receiver_mismatch", "channelConfig.receiver: must be payTo");
    }
    if (!isSameHex(channel.receiverAuthorizer, channel.receiver)) {
      const message = "channelConfig.receiverAuthorizer: must be the gate";
      return refused("receiver_authorizer_mismatch", message);
    }
    if (!isSameHex(channel.token, requirements.asset)) {
      return refused("token_mismatch", "channelConfig.token: must be the asset");
    }
    const { misfit } = collectorOf(deposit);
    if (misfit !== undefined) {
      return refused(misfit, "permit2Authorization: is not for this deposit by x402's collector");
    }
    const gate = await this.readGate(channel.receiver);
    if (gate === undefined || !this.#receivers.includes(gate.payee.toLowerCase())) {
      const message = `payTo: this facilitator brings no deposits to ${channel.receiver}`;
      return { reason: "invalid_payment_requirements", message };
    }
    return undefined;
  }

  /** What brings a deposit that was not refused. @throws RetryableError */
  async find({ payer, payload, nonce, requirements }: PaymentRequest): Promise<FoundDeposit> {
    const deposit = depositIn(payload.payload);
    if (deposit === undefined) throw new Error("no deposit");
    const { amount, channel } = deposit;
    const values = [channel, amount, collectorOf(deposit).collector, collectorDataOf(deposit)];
    const data = batchSettlement.encodeFunctionData("deposit", values);
    const call = { to: BATCH_SETTLEMENT_ADDRESS, data };
    const isDone = !(await this.#isTaken(data));
    const { by } = deposit.signed;
    // Of a permit of Permit2's nobody tells what it was used for.
    const isUsed =
      isDone &&
      by === "transfer" &&
      (await this.#isUsed({ payer, nonce, token: requirements.asset }));
    if (!isDone || isUsed) {
      return { call, isDone };
    }
    return {
      answer: {
        ...{ success: false, errorReason: reasonOf("deposit_simulation_failed"), payer },
        ...{ errorMessage: "the contract would not take the deposit", transaction: "" },
        network: requirements.network,
      },
    };
  }

  /** How a channel stands in the latest block. @throws RetryableError */
  async readChannel(channelId: string): Promise<ChannelState> {
    const [balance, totalClaimed] = await this.#readChannels("channels", channelId);
    const [, initiatedAt] = await this.#readChannels("pendingWithdrawals", channelId);
    return {
      ...{ balance: String(balance), totalClaimed: String(totalClaimed) },
      withdrawRequestedAt: Number(initiatedAt),
    };
  }

  /** A gate of this deployment; undefined where the address is none. @throws RetryableError */
  async readGate(address: string): Promise<GateState | undefined> {
    const answer = await this.#caller.call(address, gateInterface.encodeFunctionData("terms"));
    const read = (): { node: string; payee: string; feeBps: bigint; kinds: bigint } | undefined => {
      try {
        return gateInterface.decodeFunctionResult("terms", answer ?? "0x")[0].toObject();
      } catch {
        // Something else, or nothing, is there.
        return undefined;
      }
    };
    const terms = read();
    if (terms === undefined) return undefined;
    // Anybody can write a contract that has terms: a gate's address is made of them.
    const [gate] = await this.#readGates("gateOf", terms);
    if (getAddress(address) !== gate) return undefined;
    const [least] = await this.#readGates("leastWithdrawDelay");
    const { feeBps, kinds, node, payee } = terms;
    return {
      ...{ gate: getAddress(address), node, payee, feeBps: Number(feeBps), kinds: Number(kinds) },
      leastWithdrawDelay: Number(least),
      depositMethods: this.#methods,
    };
  }

  async #readGates(name: string, ...values: unknown[]): Promise<readonly unknown[]> {
    return await this.#caller.view(gatesInterface, this.gates, name, ...values);
  }

  async #readChannels(name: string, ...values: unknown[]): Promise<readonly unknown[]> {
    return await this.#caller.view(batchSettlement, BATCH_SETTLEMENT_ADDRESS, name, ...values);
  }

  async #isUsed(parameters: { payer: string; nonce: bigint; token: string }): Promise<boolean> {
    const { nonce, payer, token } = parameters;
    const values = [payer, `0x${nonce.toString(16).padStart(64, "0")}`];
    const data = tokenInterface.encodeFunctionData("authorizationState", values);
    return BigInt((await this.#caller.call(token, data)) || "0x0") === 1n;
  }

  /** Whether the contract takes a deposit now. It answers nothing to one that it takes. */
  async #isTaken(data: string): Promise<boolean> {
    return (await this.#caller.call(BATCH_SETTLEMENT_ADDRESS, data)) !== undefined;
  }
}

/** What the collector is given. No approval by EIP-2612 comes with a permit. */
function collectorDataOf({ signature, signed }: Deposit): string {
  const coder = AbiCoder.defaultAbiCoder();
  if (signed.by === "permit2") {
    const values = [signed.nonce, signed.deadline, signature, "0x"];
    return coder.encode(["uint256", "uint256", "bytes", "bytes"], values);
  }
  const { salt, validAfter, validBefore } = signed;
  const values = [validAfter, validBefore, salt, signature];
  return coder.encode(["uint256", "uint256", "uint256", "bytes"], values);
}

/** As the protocol's library has them. */
const reasonOf = (what: string): string => `invalid_batch_settlement_evm_${what}`;
const refused = (what: string, message: string): Refusal => ({ reason: reasonOf(what), message });
