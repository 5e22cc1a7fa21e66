import { AbiCoder, Interface, keccak256, TypedDataEncoder } from "ethers";
import {
  BATCH_SETTLEMENT_ADDRESS,
  CHANNEL_DOMAIN,
  CHANNEL_TYPES,
  VOUCHER_TYPES,
} from "./channelGates.ts";

/** Seconds that x402's contract lets a payer wait for a withdrawal at most. */
export const MAXIMUM_WITHDRAW_DELAY = 2_592_000;

const CONFIG =
  "(address payer, address payerAuthorizer, address receiver, address receiverAuthorizer, address token, uint40 withdrawDelay, bytes32 salt)";

/** Of x402's contract of channels, what is asked and sent here besides what the contracts here call. */
export const batchSettlement = new Interface([
  `function deposit(${CONFIG} config, uint128 amount, address collector, bytes collectorData)`,
  `function initiateWithdraw(${CONFIG} config, uint128 amount)`,
  `function finalizeWithdraw(${CONFIG} config)`,
  "function channels(bytes32 channelId) view returns (uint128 balance, uint128 totalClaimed)",
  "function pendingWithdrawals(bytes32 channelId) view returns (uint128 amount, uint40 initiatedAt)",
  "function receivers(address receiver, address token) view returns (uint128 claimed, uint128 settled)",
  `event ChannelCreated(bytes32 indexed channelId, ${CONFIG} config)`,
]);

/** A payment channel, as `IBatchSettlement.ChannelConfig`. Its id is a hash of all of it. */
export type Channel = {
  payer: string;
  /** whose key signs vouchers; the zero address: the payer, as a contract */
  payerAuthorizer: string;
  receiver: string;
  receiverAuthorizer: string;
  token: string;
  /** seconds from a payer's wish to withdraw to the withdrawal */
  withdrawDelay: bigint;
  salt: string;
};

/** What a payer has signed for a channel: so much may be claimed of it in all. */
export type ChannelVoucher = { channel: Channel; maxClaimableAmount: bigint; signature: string };

const domainOf = (chainId: bigint) => ({
  ...CHANNEL_DOMAIN,
  chainId,
  verifyingContract: BATCH_SETTLEMENT_ADDRESS,
});

/** The id of a channel, as x402's contract on the chain computes it: bytes32. */
export const channelIdOf = (parameters: { chainId: bigint; channel: Channel }): string =>
  TypedDataEncoder.hash(domainOf(parameters.chainId), CHANNEL_TYPES, parameters.channel);

/** EIP-712 digest of a voucher: what the channel's `payerAuthorizer` signs. */
export function voucherDigest(parameters: {
  chainId: bigint;
  voucher: Pick<ChannelVoucher, "channel" | "maxClaimableAmount">;
}): string {
  const { chainId, voucher } = parameters;
  const { channel, maxClaimableAmount } = voucher;
  const value = { channelId: channelIdOf({ chainId, channel }), maxClaimableAmount };
  return TypedDataEncoder.hash(domainOf(chainId), VOUCHER_TYPES, value);
}

/** Nonce of the EIP-3009 authorization by which a deposit with this salt comes into a channel. */
export const depositNonceOf = (parameters: { channelId: string; salt: bigint }): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "uint256"],
      [parameters.channelId, parameters.salt],
    ),
  );
