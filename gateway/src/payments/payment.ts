import { createHash } from "node:crypto";
import { COMMERCE_SCHEME } from "@haca/protocol/commerceEscrows";
import { type CommercePayload, readCommercePayload } from "@haca/protocol/commercePayload";
import { z } from "zod";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const uint = z
  .string()
  .regex(/^\d{1,78}$/, { abort: true })
  .refine((text) => BigInt(text) < 1n << 256n);
const signature = z.string().regex(/^0x([0-9a-fA-F]{2})+$/);
const permitSchema = z.looseObject({
  signature,
  permit2Authorization: z.looseObject({
    ...{ from: address, nonce: uint, deadline: uint },
    permitted: z.looseObject({ token: address, amount: uint }),
    witness: z.looseObject({ to: address, facilitator: address, validAfter: uint }),
  }),
});
const transferSchema = z.looseObject({
  signature,
  authorization: z.looseObject({
    ...{ from: address, to: address, value: uint, validBefore: uint },
    nonce: z.string().regex(/^0x[0-9a-fA-F]{64}$/),
  }),
});

/** How a request is paid: held by the escrow, or by the public one, until its result is settled; or transferred at once. */
export const ROUTES = ["escrow", "exact", "commerce"] as const;
export type Route = (typeof ROUTES)[number];

/** Scheme of x402 that each route is. */
export const SCHEMES: Readonly<Record<Route, string>> = {
  ...{ escrow: "upto", exact: "exact", commerce: COMMERCE_SCHEME },
};

/** Whether something holds the money until there is a result: then it can go back. */
export const isHeld = (route: Route): boolean => route !== "exact";

/** What a client has signed, as far as it is looked at here. The chain and the facilitator judge the signature. */
export type Payment = {
  route: Route;
  payer: string;
  /** of the payer, used once: Permit2's, or the transfer's */
  nonce: bigint;
  amount: bigint;
  receiver: string;
  /** of permits alone */
  token: string | undefined;
  facilitator: string | undefined;
  /** of the route `commerce` alone: what its job is made of */
  commerce?: CommercePayload;
  /** last second in which it can be used, in unix seconds */
  validUntil: bigint;
  /** of all that was signed, and of the signature */
  contentHash: string;
};

/**
 * Reads a payment's payload as one of its scheme; undefined where it is none. The scheme says how it is read, and not its form:
 * an authorization is a transfer under one scheme, and a job's payment under another.
 */
export function readPayment(payload: unknown, scheme: string | undefined): Payment | undefined {
  if (scheme === SCHEMES.commerce) return readCommerce(payload);
  if (scheme === SCHEMES.exact) return readTransfer(payload);
  return scheme === SCHEMES.escrow ? readPermit(payload) : undefined;
}

/** What has both forms is none: a signature of one would vouch for the payer that the other names. */
const has = (form: "authorization" | "permit2Authorization", payload: unknown): boolean =>
  typeof payload === "object" && payload !== null && form in payload;

function readPermit(payload: unknown): Payment | undefined {
  const permit = permitSchema.safeParse(payload);
  if (!permit.success || has("authorization", payload)) return undefined;
  const { permit2Authorization: signed } = permit.data;
  const { from, nonce, permitted, witness } = signed;
  return {
    ...{ route: "escrow", payer: from.toLowerCase(), nonce: BigInt(nonce) },
    ...{ amount: BigInt(permitted.amount), receiver: witness.to, token: permitted.token },
    facilitator: witness.facilitator,
    validUntil: BigInt(signed.deadline),
    contentHash: hashOf([
      ...[from, nonce, permitted.token, permitted.amount, signed.deadline],
      ...[witness.to, witness.facilitator, witness.validAfter, permit.data.signature],
    ]),
  };
}

function readTransfer(payload: unknown): Payment | undefined {
  const transfer = transferSchema.safeParse(payload);
  if (!transfer.success || has("permit2Authorization", payload)) return undefined;
  const { from, nonce, to, validBefore, value } = transfer.data.authorization;
  return {
    ...{ route: "exact", payer: from.toLowerCase(), nonce: BigInt(nonce), amount: BigInt(value) },
    ...{ receiver: to, token: undefined, facilitator: undefined, validUntil: BigInt(validBefore) },
    contentHash: hashOf([from, to, value, validBefore, nonce, transfer.data.signature]),
  };
}

function readCommerce(payload: unknown): Payment | undefined {
  const commerce = readCommercePayload(payload);
  if (commerce === undefined) return undefined;
  const { amount, collector, nonce, payer, preApprovalExpiry, token } = commerce;
  const rest = [commerce.validAfter, preApprovalExpiry, commerce.salt, commerce.saltNonce];
  return {
    ...{ route: "commerce", payer: payer.toLowerCase(), nonce, amount, receiver: collector },
    ...{ token, facilitator: undefined, commerce, validUntil: preApprovalExpiry - 1n },
    contentHash: hashOf([
      ...[commerce.method, payer, ...[nonce, amount].map(String), collector, token ?? ""],
      ...[...rest.map(String), commerce.signature],
    ]),
  };
}

const hashOf = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\n").toLowerCase()).digest("hex");
