import { BaseError } from "@haca/protocol/baseError";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { getAddress, isAddress } from "ethers";
import { z } from "zod";

/** A result with the signature of whoever answered. */
export type SignedReceipt = { result: InferenceResult /** bytes as hex */; signature: string };

/** Signatures of the longest keys that are known have 512 bytes. */
const MAXIMUM_SIGNATURE_DIGITS = 2 * 1_024;

const word = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
  .toLowerCase();
const uint = (bits: number) =>
  z
    .string("must be a decimal number, as text")
    .regex(/^(0|[1-9]\d{0,77})$/, "must be a decimal number")
    .transform(BigInt)
    .refine((value) => value < 1n << BigInt(bits), `must be below 2^${bits}`);

const anything = z.unknown().optional();

/** What `POST /v1/inferences` answers as `receipt`, and an entry of `POST /v1/results`. Chain and contract are known here. */
const receiptSchema = z.strictObject({
  message: z.strictObject({
    modelVersion: word,
    inputHash: word,
    outputHash: word,
    requester: z
      .string()
      .refine((text) => isAddress(text), "must be an address")
      .transform(getAddress),
    requestId: word,
    price: uint(256),
    timestamp: uint(64),
    teeId: word,
  }),
  signature: z
    .string()
    .regex(/^0x([0-9a-fA-F]{2})+$/, "must be 0x and hex digits, two a byte")
    .max(2 + MAXIMUM_SIGNATURE_DIGITS, "is longer than any signature")
    .toLowerCase(),
  // Not read: of an entry that was handed in, and what comes with a receipt.
  alone: anything,
  domain: anything,
  types: anything,
  primaryType: anything,
  inputWords: anything,
  outputWords: anything,
});

/** Reads a receipt. @throws BaseError `receipt.invalid` that names the field */
export function parseReceipt(text: string): SignedReceipt {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(`is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const parsed = receiptSchema.safeParse(json, { reportInput: true });
  if (parsed.success) return { result: parsed.data.message, signature: parsed.data.signature };
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join(".");
  const isMissing = issue?.code === "invalid_type" && issue.input === undefined;
  const words = isMissing ? "is missing" : issue?.message;
  const reason = unknown === undefined ? words : "is not a known field";
  throw invalid(`${field === "" ? "the file" : field}: ${reason ?? "is invalid"}`);
}

const invalid = (message: string): BaseError => new BaseError({ code: "receipt.invalid", message });
