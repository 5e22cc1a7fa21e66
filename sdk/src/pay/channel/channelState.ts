import { recoverAccount } from "../../signatures.ts";
import { hashTypedData } from "../hashTypedData.ts";
import { refusal } from "../paymentError.ts";
import type { ChannelNote } from "./channelNote.ts";
import { voucherData } from "./channelTypes.ts";

/** A node's word on a channel: in an answer's `payment-response`, or in the offer of a refusal. */
export type Told = {
  charged: string;
  balance: string | undefined;
  /** of the payer's own, by which it says so */
  voucher: { sum: string; signature: string } | undefined;
};

const DIGITS = /^\d{1,39}$/;

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
const digitsIn = (value: unknown, name: string): string | undefined => {
  const digits = fieldOf(value, name);
  return typeof digits === "string" && DIGITS.test(digits) ? digits : undefined;
};

/** What is told of a channel in `extra` of x402; undefined where nothing is, or of another channel. */
export function toldIn(extra: unknown, channelId: string): Told | undefined {
  const state = fieldOf(extra, "channelState");
  const charged = digitsIn(state, "chargedCumulativeAmount");
  const named = fieldOf(state, "channelId");
  if (charged === undefined || String(named).toLowerCase() !== channelId) return undefined;
  const voucher = fieldOf(extra, "voucherState");
  const [sum, signature] = [digitsIn(voucher, "signedMaxClaimable"), fieldOf(voucher, "signature")];
  return {
    ...{ charged, balance: digitsIn(state, "balance") },
    voucher:
      sum === undefined || typeof signature !== "string"
        ? undefined
        : { sum, signature: signature.toLowerCase() },
  };
}

/** The same of the header `payment-response`. */
export function toldBy(header: string | undefined, channelId: string): Told | undefined {
  try {
    return toldIn(fieldOf(JSON.parse(atob(header ?? "")), "extra"), channelId);
  } catch {
    return undefined;
  }
}

/**
 * A channel's note after what was told. A sum above all that was signed is believed of nobody; of vouchers that the journal has lost the
 * node shows one.
 * @throws BaseError `payment.wrongSum`
 */
export function noteAfter(note: ChannelNote, told: Told, chainId: string): ChannelNote {
  const { balance = note.balance, charged, voucher } = told;
  const shown = voucher !== undefined && isOwn(note, voucher, chainId) ? BigInt(voucher.sum) : 0n;
  const signed = shown > BigInt(note.signed) ? shown : BigInt(note.signed);
  if (BigInt(charged) > signed) {
    throw refusal("wrongSum", `${charged} are said to be charged, and ${signed} were signed`);
  }
  return { ...note, charged, balance, signed: String(signed) };
}

function isOwn(
  { channel, channelId }: ChannelNote,
  { signature, sum }: { signature: string; sum: string },
  chainId: string,
): boolean {
  try {
    const digest = hashTypedData(voucherData(chainId, { channelId, sum }));
    return recoverAccount(digest, signature) === channel.payerAuthorizer;
  } catch {
    return false;
  }
}
