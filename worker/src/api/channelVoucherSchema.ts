import { MAXIMUM_WITHDRAW_DELAY } from "@haca/protocol/channels";
import { getAddress, isAddress } from "ethers";
import { z } from "zod";

const address = z
  .string()
  .refine((text) => isAddress(text), "must be an address")
  .transform((text) => getAddress(text));

const amount = z
  .string()
  .regex(/^\d{1,39}$/, { error: "must be a decimal number of 39 digits at most", abort: true })
  .transform(BigInt)
  .refine((value) => value < 1n << 128n, "must be below 2^128");

const channel = z.strictObject({
  ...{ payer: address, payerAuthorizer: address, receiver: address, receiverAuthorizer: address },
  token: address,
  /** seconds */
  withdrawDelay: z.int().min(0).max(MAXIMUM_WITHDRAW_DELAY).transform(BigInt),
  salt: z
    .string()
    .regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
    .toLowerCase(),
});

/** What a gateway orders to be given back of a channel. */
export const channelRefundSchema = z.strictObject({
  channel,
  number: z.int().min(0),
  kept: amount,
  most: amount.nullable(),
});

/** A voucher of a payment channel, by which what a result costs is claimed. */
export const channelVoucherSchema = z.strictObject({
  channel,
  maxClaimableAmount: amount,
  signature: z.string().regex(/^0x[0-9a-fA-F]{130}$/, "must have 65 bytes, as 0x and hex digits"),
});
