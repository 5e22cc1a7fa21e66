import {
  BATCH_SETTLEMENT_ADDRESS,
  CHANNEL_DOMAIN,
  CHANNEL_TYPES,
  ERC3009_COLLECTOR_ADDRESS,
  VOUCHER_TYPES,
} from "@haca/protocol/channelGates";
import { RECEIVE_TYPES } from "@haca/protocol/signedPayments";
import { concatHex, keccak, keccakText, sliceHex, wordOf } from "../../bytes.ts";
import { addressWord } from "../../typedData.ts";
import { hashTypedData, type TypedData } from "../hashTypedData.ts";
import type { ReadPins } from "../paymentPins.ts";

/** A payment channel of x402's scheme `batch-settlement`: its id is a hash of all of it. Addresses are in lower case. */
export type Channel = {
  payer: string;
  /** whose key signs vouchers: the payer's own */
  payerAuthorizer: string;
  /** the gate, which claims no more than the prices of settled results */
  receiver: string;
  receiverAuthorizer: string;
  token: string;
  /** seconds from a payer's wish to withdraw to the withdrawal */
  withdrawDelay: number;
  salt: string;
};

/** What brings tokens into a channel, by EIP-3009. */
export type ChannelDeposit = {
  amount: string;
  validBefore: string;
  /** of which the authorization's nonce is made */
  salt: string;
  signature: string;
};

const domainOf = (chainId: string): TypedData["domain"] => ({
  ...CHANNEL_DOMAIN,
  chainId: Number(chainId),
  verifyingContract: BATCH_SETTLEMENT_ADDRESS.toLowerCase(),
});

export const channelIdOf = (chainId: string, channel: Channel): string =>
  hashTypedData({
    ...{ domain: domainOf(chainId), types: CHANNEL_TYPES, primaryType: "ChannelConfig" },
    message: { ...channel, withdrawDelay: String(channel.withdrawDelay) },
  });

/** So much may be claimed of a channel in all. */
export const voucherData = (
  chainId: string,
  voucher: { channelId: string; sum: string },
): TypedData => ({
  ...{ domain: domainOf(chainId), types: VOUCHER_TYPES, primaryType: "Voucher" },
  message: { channelId: voucher.channelId, maxClaimableAmount: voucher.sum },
});

/** What a payer signs so that tokens come into this channel and no other, once. */
export const depositData = (
  { chainId, token }: Pick<ReadPins, "chainId" | "token">,
  of: { payer: string; channelId: string } & Omit<ChannelDeposit, "signature">,
): TypedData => ({
  domain: {
    ...{ name: token.name, version: token.version, chainId: Number(chainId) },
    verifyingContract: token.address,
  },
  types: RECEIVE_TYPES,
  primaryType: "ReceiveWithAuthorization",
  message: {
    ...{ from: of.payer, to: ERC3009_COLLECTOR_ADDRESS.toLowerCase(), value: of.amount },
    ...{ validAfter: "0", validBefore: of.validBefore },
    nonce: keccak(of.channelId, of.salt),
  },
});

/** The requester of a channel's results: the last 20 bytes of its id. */
export const channelAccount = (channelId: string): string => sliceHex(channelId, 12);

const CONFIG = "(address,address,address,address,address,uint40,bytes32)";
const configWords = (channel: Channel): readonly string[] => [
  ...[channel.payer, channel.payerAuthorizer, channel.receiver].map(addressWord),
  ...[channel.receiverAuthorizer, channel.token].map(addressWord),
  ...[wordOf(BigInt(channel.withdrawDelay)), channel.salt],
];
const callOf = (signature: string, ...words: readonly string[]): { to: string; data: string } => ({
  to: BATCH_SETTLEMENT_ADDRESS,
  data: concatHex(sliceHex(keccakText(signature), 0, 4), ...words),
});

/**
 * The payer's way out of a channel: two transactions, `withdrawDelay` seconds apart, of what was not claimed by the second.
 * @param amount smallest units, at most what is in the channel
 */
export const withdrawalOf = (
  channel: Channel,
  amount: bigint,
): { begin: { to: string; data: string }; end: { to: string; data: string } } => ({
  begin: callOf(`initiateWithdraw(${CONFIG},uint128)`, ...configWords(channel), wordOf(amount)),
  end: callOf(`finalizeWithdraw(${CONFIG})`, ...configWords(channel)),
});
