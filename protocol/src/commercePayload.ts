import { getAddress } from "ethers";
import { z } from "zod";
import type { CommerceDeployment } from "./commerceEscrows.ts";
import { uint } from "./commerceJobText.ts";
import {
  type CommerceJob,
  type CommerceOffer,
  commerceNonce,
  commerceSalt,
  paymentForOffer,
} from "./commercePayments.ts";
import { isSameHex } from "./isSameHex.ts";

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address")
  // What is signed has no letters' case: a wrong checksum is no reason to stumble later.
  .transform((text) => getAddress(text.toLowerCase()));
const word = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits");
const [number, amount, time] = [uint(256), uint(120), uint(48)];
const signature = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/, "must be 0x and hex digits, two a byte")
  .max(2 + 2 * 8_192, "must have at most 8192 bytes");

const shared = { signature, salt: word, saltNonce: word };
const transferSchema = z.looseObject({
  ...shared,
  authorization: z.looseObject({
    ...{ from: address, to: address, value: amount, validAfter: number, validBefore: time },
    nonce: word,
  }),
});
const permitSchema = z.looseObject({
  ...shared,
  permit2Authorization: z.looseObject({
    ...{ from: address, spender: address, nonce: number, deadline: time },
    permitted: z.looseObject({ token: address, amount }),
  }),
});

/** What a stock client brings for a payment of the scheme `auth-capture`. */
export type CommercePayload = {
  /** how the token is brought: EIP-3009, or a permit of Permit2 */
  method: "transfer" | "permit2";
  payer: string;
  /** number of the authorization at its payer */
  nonce: bigint;
  /** who may bring the token */
  collector: string;
  /** of permits alone */
  token: string | undefined;
  amount: bigint;
  /** unix seconds; of EIP-3009 alone, else 0 */
  validAfter: bigint;
  /** first second in which it is taken no more, in unix seconds */
  preApprovalExpiry: bigint;
  salt: bigint;
  saltNonce: bigint;
  signature: string;
};

/** Reads a payload; undefined where it is none, or has both forms. */
export function readCommercePayload(payload: unknown): CommercePayload | undefined {
  const [transfer, permit] = [transferSchema, permitSchema].map((it) => it.safeParse(payload));
  const isThere = (form: string) => typeof payload === "object" && form in (payload ?? {});
  if (transfer?.success && !isThere("permit2Authorization")) {
    const { authorization, ...rest } = transfer.data as z.output<typeof transferSchema>;
    return {
      ...{ method: "transfer", payer: authorization.from, nonce: BigInt(authorization.nonce) },
      ...{ collector: authorization.to, token: undefined, amount: BigInt(authorization.value) },
      validAfter: BigInt(authorization.validAfter),
      preApprovalExpiry: BigInt(authorization.validBefore),
      ...saltOf(rest),
    };
  }
  if (permit?.success && !isThere("authorization")) {
    const { permit2Authorization: signed, ...rest } = permit.data as z.output<typeof permitSchema>;
    return {
      ...{ method: "permit2", payer: signed.from, nonce: BigInt(signed.nonce), validAfter: 0n },
      ...{ collector: signed.spender, token: signed.permitted.token },
      amount: BigInt(signed.permitted.amount),
      preApprovalExpiry: BigInt(signed.deadline),
      ...saltOf(rest),
    };
  }
  return undefined;
}

const saltOf = (of: { salt: string; saltNonce: string; signature: string }) => ({
  ...{ salt: BigInt(of.salt), saltNonce: BigInt(of.saltNonce), signature: of.signature },
});

/**
 * The job that a payload opens under an offer; or what of it is not as the offer has it. The number of the authorization is the
 * payment's hash, so that whatever the payload does not repeat was signed as well: operator, receiver, deadlines and fees.
 */
export function readCommerceJob(parameters: {
  payload: CommercePayload;
  offer: CommerceOffer;
  requestHash: string;
  chainId: bigint;
  deployment: CommerceDeployment;
}): { job: CommerceJob } | { wrong: string } {
  const { chainId, deployment, offer, payload, requestHash } = parameters;
  const { amount: given, collector, method, salt, saltNonce, token } = payload;
  const expected =
    method === "transfer" ? deployment.erc3009Collector : deployment.permit2Collector;
  if (!isSameHex(collector, expected)) return { wrong: `collector: must be ${expected}` };
  if (given !== BigInt(offer.amount)) return { wrong: "amount: all of it is held" };
  if (token !== undefined && !isSameHex(token, offer.asset)) return { wrong: "token: is another" };
  if (payload.validAfter !== 0n) return { wrong: "validAfter: must be 0" };
  if (salt !== commerceSalt({ requestHash, saltNonce })) {
    return { wrong: "salt: is not made of this request and saltNonce" };
  }
  const { payer, preApprovalExpiry } = payload;
  const payment = paymentForOffer({ offer, payer, preApprovalExpiry, salt });
  const nonce = BigInt(commerceNonce({ chainId, escrow: deployment.escrow }, payment));
  if (nonce !== payload.nonce) return { wrong: "nonce: is not the hash of this payment" };
  return { job: { payment, requestHash, saltNonce } };
}
