import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_COLLECTOR_ADDRESS,
  PERMIT2_COLLECTOR_ADDRESS,
} from "@haca/protocol/channelGates";
import { type Channel, depositNonceOf, MAXIMUM_WITHDRAW_DELAY } from "@haca/protocol/channels";
import { COMMERCE_SCHEME } from "@haca/protocol/commerceEscrows";
import { type CommercePayload, readCommercePayload } from "@haca/protocol/commercePayload";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { getAddress, keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { BadSubmissionError } from "../facilitatorErrors.ts";

/** x402's scheme of payment channels. */
export const DEPOSIT_SCHEME = "batch-settlement";

/** What authorises a payment: EIP-3009, by whatever function, or Permit2. */
export type PaymentMethod = "transfer" | "permit2";

/** What a client of x402 brings to have a payment verified or settled. */
export type PaymentRequest = {
  payload: PaymentPayload;
  requirements: PaymentRequirements;
  method: PaymentMethod;
  /** who pays */
  payer: string;
  /** number of the authorization at its payer, under which it pays once, whatever signature it comes with */
  nonce: bigint;
  /** first second in which it does not pay any more, in unix seconds */
  validUntil: bigint;
  /** what is to be paid, in smallest units */
  amount: bigint;
  /** whom the authorization lets have the token */
  receiver: string;
  /** of all that matters: the same brought again has the same */
  contentHash: string;
};

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const address = z.string().regex(ADDRESS, "must be an address");
const word = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits");
const uint = z
  .string()
  .regex(/^\d{1,78}$/, { error: "must be a decimal number of 78 digits at most", abort: true })
  .refine((text) => BigInt(text) < 1n << 256n, "must be below 2^256");
/** Of a key, or of a contract that is a wallet. */
const signature = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/, "must be 0x and hex digits, two a byte")
  .max(2 + 2 * 8_192, "must have at most 8192 bytes");
const text = z.string().min(1).max(200);

const requirementsSchema = z.looseObject({
  scheme: text,
  network: text,
  asset: address,
  amount: uint,
  payTo: address,
  maxTimeoutSeconds: z.number().positive(),
});
/** EIP-3009. */
const transferSchema = z.looseObject({
  signature,
  authorization: z.looseObject({
    ...{ from: address, to: address, value: uint, validAfter: uint, validBefore: uint },
    nonce: word,
  }),
});
const permitSchema = z.looseObject({
  signature,
  permit2Authorization: z.looseObject({
    ...{ from: address, spender: address, nonce: uint, deadline: uint },
    permitted: z.looseObject({ token: address, amount: uint }),
    witness: z.looseObject({ to: address, validAfter: uint }),
  }),
});
const uint128 = uint.refine((text) => BigInt(text) < 1n << 128n, "must be below 2^128");
const depositTransferSchema = z.looseObject({
  permit2Authorization: z.undefined().optional(),
  erc3009Authorization: z.looseObject({
    ...{ validAfter: uint, validBefore: uint, salt: z.union([word, uint]), signature },
  }),
});
const depositPermitSchema = z.looseObject({
  erc3009Authorization: z.undefined().optional(),
  permit2Authorization: z.looseObject({
    ...{ from: address, spender: address, nonce: uint, deadline: uint, signature },
    permitted: z.looseObject({ token: address, amount: uint }),
    witness: z.looseObject({ channelId: word }),
  }),
});
/** Into a payment channel, by EIP-3009 or Permit2. */
const depositSchema = z.looseObject({
  type: z.literal("deposit"),
  channelConfig: z.looseObject({
    ...{ payer: address, payerAuthorizer: address, receiver: address, receiverAuthorizer: address },
    ...{ token: address, withdrawDelay: z.int().min(0).max(MAXIMUM_WITHDRAW_DELAY), salt: word },
  }),
  voucher: z.looseObject({ channelId: word }),
  deposit: z.looseObject({
    amount: uint128,
    // One of them alone: what is looked at must be what is brought.
    authorization: z.union([depositTransferSchema, depositPermitSchema]),
  }),
});
/** For the public escrow: read as a payment of its scheme, and nothing else. */
const commerceSchema = z.custom<CommercePayload & object>(
  (payload) => readCommercePayload(payload) !== undefined,
);
const payloadSchema = z.looseObject({
  x402Version: z.int(),
  accepted: requirementsSchema,
  payload: z.union(
    [transferSchema, permitSchema, depositSchema, commerceSchema],
    "is no authorization of EIP-3009 or Permit2, and no deposit into a channel by one of them",
  ),
});
const bodySchema = z.looseObject({
  paymentPayload: payloadSchema,
  paymentRequirements: requirementsSchema,
});

const PAYLOAD = "paymentPayload.payload";
/** Members that make a payload one of the forms above. */
const FORMS = ["authorization", "permit2Authorization", "deposit"];
/** What payments into the public escrow have, and no others. */
const COMMERCE_MEMBERS = ["salt", "saltNonce"];

/**
 * Reads a body of `/verify` or `/settle`. Everything that is read as a number later is looked at here: what is malformed is
 * the client's mistake, and nothing is asked of the endpoint for it. @throws BadSubmissionError naming the field
 */
export function parsePaymentRequest(body: unknown): PaymentRequest {
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new BadSubmissionError(issue?.path.join(".") || "body", issue?.message ?? "malformed");
  }
  const { paymentPayload, paymentRequirements } = withChecksums(parsed.data);
  const { amount, payTo, scheme } = paymentRequirements;
  requireOneForm(paymentPayload.payload, scheme);
  const deposit = scheme === DEPOSIT_SCHEME ? depositIn(paymentPayload.payload) : undefined;
  const commerce = scheme === COMMERCE_SCHEME ? commerceIn(paymentPayload.payload) : undefined;
  const content =
    deposit === undefined && commerce === undefined
      ? [scheme, amount, payTo.toLowerCase(), parsed.data.paymentPayload.payload]
      : [scheme, payTo.toLowerCase(), ...(deposit ? contentOf(deposit) : contentOfJob(commerce))];
  return {
    payload: paymentPayload as unknown as PaymentPayload,
    requirements: paymentRequirements as unknown as PaymentRequirements,
    receiver: deposit === undefined ? payTo : receiverOf(deposit),
    ...readSigned({ payload: paymentPayload.payload, deposit, commerce, amount }),
    contentHash: keccak256(toUtf8Bytes(JSON.stringify(content))),
  };
}

/**
 * Addresses in whatever letters, each with its checksum: nothing that is signed or called has letters, and what encodes them
 * stumbles over a wrong one.
 */
const withChecksums = <Json>(json: Json): Json =>
  JSON.parse(JSON.stringify(json), (_, value) =>
    typeof value === "string" && ADDRESS.test(value) ? getAddress(value.toLowerCase()) : value,
  );

/**
 * What is looked at here must be what is settled: a payload of two forms would be read as one of them here and as the other by the
 * protocol's library. @throws BadSubmissionError
 */
function requireOneForm(payload: object, scheme: string): void {
  const forms = FORMS.filter((form) => form in payload);
  if (forms.length > 1) {
    throw new BadSubmissionError(PAYLOAD, `has ${forms.join(" and ")}: must have one of them`);
  }
  if (forms[0] === "deposit" && scheme !== DEPOSIT_SCHEME) {
    throw new BadSubmissionError(PAYLOAD, `a deposit is settled under ${DEPOSIT_SCHEME} alone`);
  }
  const isCommerce = scheme === COMMERCE_SCHEME;
  const member = COMMERCE_MEMBERS.find((name) => name in payload);
  if (!isCommerce && member !== undefined) {
    throw new BadSubmissionError(PAYLOAD, `a ${member} is of ${COMMERCE_SCHEME} alone`);
  }
}

/** What is signed for a job in the public escrow. @throws BadSubmissionError */
function commerceIn(payload: object): CommercePayload {
  const commerce = readCommercePayload(payload);
  if (commerce !== undefined) return commerce;
  throw new BadSubmissionError(PAYLOAD, `is no payment under ${COMMERCE_SCHEME}`);
}

type Signed = Pick<PaymentRequest, "method" | "payer" | "nonce" | "validUntil" | "amount">;

/** What a payload lets be taken, as one of its scheme. */
function readSigned(parameters: {
  payload: object;
  deposit: Deposit | undefined;
  commerce: CommercePayload | undefined;
  /** of the requirements */
  amount: string;
}): Signed & { receiver?: string } {
  const { amount, commerce, deposit, payload } = parameters;
  if (deposit !== undefined) return depositOf(deposit);
  if (commerce === undefined) {
    return { ...authorizationOf(payload as Single), amount: BigInt(amount) };
  }
  const { collector: receiver, method, nonce, payer, preApprovalExpiry: validUntil } = commerce;
  return { method, payer, nonce, validUntil, receiver, amount: commerce.amount };
}

/** What is signed for a deposit into a channel. */
export type Deposit = {
  channel: Channel;
  /** as it came */
  channelId: string;
  amount: bigint;
  signature: string;
  signed:
    | { by: "transfer"; salt: bigint; validAfter: bigint; validBefore: bigint }
    | {
        by: "permit2";
        nonce: bigint;
        deadline: bigint;
        /** as the payer says that they are; signed is what the contract takes */
        claims: { from: string; spender: string; token: string; amount: bigint; channelId: string };
      };
};

/** The deposit that a payload has; undefined where it is none. */
export function depositIn(payload: unknown): Deposit | undefined {
  const parsed = depositSchema.safeParse(payload);
  if (!parsed.success) return undefined;
  const { channelConfig, deposit, voucher } = parsed.data;
  const { payer, payerAuthorizer, receiver, receiverAuthorizer, salt, token } = channelConfig;
  const { authorization } = deposit;
  const { signature } =
    authorization.erc3009Authorization !== undefined
      ? authorization.erc3009Authorization
      : authorization.permit2Authorization;
  return {
    channel: {
      ...{ payer, payerAuthorizer, receiver, receiverAuthorizer, token, salt },
      withdrawDelay: BigInt(channelConfig.withdrawDelay),
    },
    ...{ channelId: voucher.channelId, amount: BigInt(deposit.amount), signature },
    signed: signedIn(authorization),
  };
}

function signedIn(
  authorization: z.output<typeof depositSchema>["deposit"]["authorization"],
): Deposit["signed"] {
  if (authorization.erc3009Authorization !== undefined) {
    const { salt, validAfter, validBefore } = authorization.erc3009Authorization;
    return {
      ...{ by: "transfer", salt: BigInt(salt), validAfter: BigInt(validAfter) },
      validBefore: BigInt(validBefore),
    };
  }
  const { deadline, from, nonce, permitted, spender, witness } = authorization.permit2Authorization;
  const { channelId } = witness;
  return {
    ...{ by: "permit2", nonce: BigInt(nonce), deadline: BigInt(deadline) },
    claims: { from, spender, token: permitted.token, amount: BigInt(permitted.amount), channelId },
  };
}

/** Permit2 moves the tokens to the contract of channels at once. */
const receiverOf = ({ signed }: Deposit): string =>
  signed.by === "transfer" ? ERC3009_COLLECTOR_ADDRESS : BATCH_SETTLEMENT_ADDRESS;

/** Who collects a deposit for the contract of channels, and what of it is not as that one takes it. */
export function collectorOf(deposit: Deposit): { collector: string; misfit?: string } {
  const { amount, channel, channelId, signed } = deposit;
  if (signed.by === "transfer") return { collector: ERC3009_COLLECTOR_ADDRESS };
  const collector = PERMIT2_COLLECTOR_ADDRESS;
  const { claims } = signed;
  const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  if (!isSame(claims.spender, collector)) return { collector, misfit: "permit2_invalid_spender" };
  const isAsSaid =
    isSame(claims.from, channel.payer) &&
    isSame(claims.token, channel.token) &&
    isSame(claims.channelId, channelId);
  if (!isAsSaid) return { collector, misfit: "permit2_invalid_signature" };
  return claims.amount === amount
    ? { collector }
    : { collector, misfit: "permit2_amount_mismatch" };
}

/**
 * All that is signed for a deposit, however it is written and whatever stands beside it: the same under whatever voucher, and
 * whatever the request costs that it comes with.
 */
const contentOf = ({ amount, channelId, signature, signed }: Deposit): string[] => {
  const numbers =
    signed.by === "transfer"
      ? [signed.salt, signed.validAfter, signed.validBefore]
      : [signed.by, signed.nonce, signed.deadline];
  return [channelId.toLowerCase(), ...[amount, ...numbers].map(String), signature.toLowerCase()];
};

/** All that is signed for a job in the public escrow: most of it is in the number, which is the payment's hash. */
const contentOfJob = (commerce: CommercePayload | undefined): string[] =>
  Object.entries(commerce ?? {}).map(([name, value]) => `${name} ${String(value).toLowerCase()}`);

/** A deposit uses a number of the same authorizations as payments at once. */
function depositOf({ amount, channel, channelId, signed }: Deposit): Signed {
  const shared = { method: signed.by, payer: channel.payer, amount };
  if (signed.by === "permit2") {
    // Permit2 takes it in the second of its deadline.
    return { ...shared, nonce: signed.nonce, validUntil: signed.deadline + 1n };
  }
  const nonce = BigInt(depositNonceOf({ channelId, salt: signed.salt }));
  return { ...shared, nonce, validUntil: signed.validBefore };
}

type Single = z.output<typeof transferSchema> | z.output<typeof permitSchema>;

function authorizationOf(
  payload: Single,
): Pick<PaymentRequest, "method" | "payer" | "nonce" | "validUntil"> {
  if ("permit2Authorization" in payload) {
    const { deadline, from, nonce } = payload.permit2Authorization as z.output<
      typeof permitSchema
    >["permit2Authorization"];
    // Permit2 takes it in the second of its deadline, EIP-3009 does not.
    const validUntil = BigInt(deadline) + 1n;
    return { method: "permit2", payer: from, nonce: BigInt(nonce), validUntil };
  }
  const { from, nonce, validBefore } = payload.authorization as z.output<
    typeof transferSchema
  >["authorization"];
  return { method: "transfer", payer: from, nonce: BigInt(nonce), validUntil: BigInt(validBefore) };
}
