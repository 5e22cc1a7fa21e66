import { type ChannelVoucher, channelIdOf } from "@haca/protocol/channels";
import { z } from "zod";

const MAXIMUM_DELAY = 2_592_000;

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text.toLowerCase());
const word = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .transform((text) => text.toLowerCase());
const uint128 = z
  .string()
  .regex(/^\d{1,39}$/, { abort: true })
  .transform(BigInt)
  .refine((value) => value < 1n << 128n);
const uint256 = z
  .string()
  .regex(/^\d{1,78}$/, { abort: true })
  .transform(BigInt)
  .refine((value) => value < 1n << 256n);
const signature = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2}){1,8192}$/)
  .transform((text) => text.toLowerCase());

/** Of EIP-3009, as a client signs it for a deposit. */
const authorizationSchema = z.looseObject({
  ...{ validAfter: uint256, validBefore: uint256, salt: word, signature },
});
/** What is looked at must be what is brought. */
const NONE = z.undefined().optional();
/** Of Permit2, as a client signs it for a deposit. */
const permitSchema = z.looseObject({
  ...{ from: address, spender: address, nonce: uint256, deadline: uint256, signature },
  permitted: z.looseObject({ token: address, amount: uint256 }),
  witness: z.looseObject({ channelId: word }),
});
const channelSchema = z.looseObject({
  ...{ payer: address, payerAuthorizer: address, receiver: address, receiverAuthorizer: address },
  ...{ token: address, withdrawDelay: z.int().min(0).max(MAXIMUM_DELAY), salt: word },
});
const voucherSchema = z.looseObject({ channelId: word, maxClaimableAmount: uint128, signature });
const shared = { channelConfig: channelSchema, voucher: voucherSchema };
const payloadSchema = z.union([
  z.looseObject({ type: z.literal("voucher"), ...shared }),
  z.looseObject({
    ...{ type: z.literal("deposit"), ...shared },
    deposit: z.looseObject({
      amount: uint128,
      authorization: z.union([
        z.looseObject({
          ...{ erc3009Authorization: authorizationSchema, permit2Authorization: NONE },
        }),
        z.looseObject({ ...{ permit2Authorization: permitSchema, erc3009Authorization: NONE } }),
      ]),
    }),
  }),
]);

const refundSchema = z.looseObject({
  ...{ type: z.literal("refund"), ...shared, amount: uint128.optional() },
});

type Parsed = z.output<typeof payloadSchema>;
type Deposited = Extract<Parsed, { type: "deposit" }>;

/** Smallest units, and what a facilitator is given to bring them: what was read, and nothing else that the client has sent. */
export type ChannelDeposit = {
  amount: bigint;
  method: DepositMethod;
  payload: Record<string, unknown>;
};
/** By which a deposit comes into a channel, as x402 has them. */
export type DepositMethod = "eip3009" | "permit2";

/** What a client of x402's scheme `batch-settlement` brings. Nothing of it is verified. */
export type ChannelPayload = {
  /** as the client names the channel, which its terms may not make */
  claimedId: string;
  channelId: string;
  voucher: ChannelVoucher;
  /** what is to come into the channel before; undefined: nothing is */
  deposit: ChannelDeposit | undefined;
};

/** What a client brings that wants something back: smallest units; undefined: all that is left. */
export type RefundPayload = Omit<ChannelPayload, "deposit"> & { amount: bigint | undefined };

/** Reads a payload; undefined where it is no voucher, and no deposit by EIP-3009 or Permit2 with one. */
export function readChannelPayload(payload: unknown, chainId: bigint): ChannelPayload | undefined {
  const parsed = payloadSchema.safeParse(payload);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  return {
    ...signedIn(data, chainId),
    deposit: data.type === "deposit" ? depositOf(data) : undefined,
  };
}

/** The same of a request for a refund. */
export function readRefundPayload(payload: unknown, chainId: bigint): RefundPayload | undefined {
  const parsed = refundSchema.safeParse(payload);
  return parsed.success
    ? { ...signedIn(parsed.data, chainId), amount: parsed.data.amount }
    : undefined;
}

function signedIn(parsed: Pick<Parsed, "channelConfig" | "voucher">, chainId: bigint) {
  const { channelConfig, voucher } = parsed;
  const { payer, payerAuthorizer, receiver, receiverAuthorizer, salt, token } = channelConfig;
  const channel = {
    ...{ payer, payerAuthorizer, receiver, receiverAuthorizer, token, salt },
    withdrawDelay: BigInt(channelConfig.withdrawDelay),
  };
  const { maxClaimableAmount } = voucher;
  return {
    ...{ claimedId: voucher.channelId, channelId: channelIdOf({ chainId, channel }) },
    voucher: { channel, maxClaimableAmount, signature: voucher.signature },
  };
}

/** The same deposit has the same text, whatever else stands beside it: a facilitator knows it again by that. */
function depositOf(parsed: Deposited): ChannelDeposit {
  const { channelConfig, deposit, voucher } = parsed;
  const { payer, payerAuthorizer, receiver, receiverAuthorizer } = channelConfig;
  const { salt: channelSalt, token, withdrawDelay } = channelConfig;
  const { authorization } = deposit;
  return {
    amount: deposit.amount,
    method: authorization.erc3009Authorization !== undefined ? "eip3009" : "permit2",
    payload: {
      type: "deposit",
      channelConfig: {
        ...{ payer, payerAuthorizer, receiver, receiverAuthorizer, token, withdrawDelay },
        salt: channelSalt,
      },
      voucher: {
        ...{ channelId: voucher.channelId, signature: voucher.signature },
        maxClaimableAmount: String(voucher.maxClaimableAmount),
      },
      deposit: { amount: String(deposit.amount), authorization: authorizationOf(authorization) },
    },
  };
}

function authorizationOf(authorization: Deposited["deposit"]["authorization"]) {
  if (authorization.erc3009Authorization !== undefined) {
    const { salt, signature: signed, validAfter, validBefore } = authorization.erc3009Authorization;
    const period = { validAfter: String(validAfter), validBefore: String(validBefore) };
    return { erc3009Authorization: { ...period, salt, signature: signed } };
  }
  const { deadline, from, nonce, permitted, spender, witness } = authorization.permit2Authorization;
  const { token, amount } = permitted;
  return {
    permit2Authorization: {
      ...{ from, spender, nonce: String(nonce), deadline: String(deadline) },
      permitted: { token, amount: String(amount) },
      witness: { channelId: witness.channelId },
      signature: authorization.permit2Authorization.signature,
    },
  };
}
