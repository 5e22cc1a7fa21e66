import { BaseError } from "@haca/protocol/baseError";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { z } from "zod";
import { firstIssue } from "../../firstIssue.ts";
import { signedMessageShape } from "../../signedMessage.ts";

/** A result with the signature of whoever answered. */
export type SignedReceipt = { result: InferenceResult /** bytes as hex */; signature: string };

const anything = z.unknown().optional();

/** What `POST /v1/inferences` answers as `receipt`, and an entry of `POST /v1/results`. Chain and contract are known here. */
const receiptSchema = z.strictObject({
  ...signedMessageShape,
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
  const { field, reason } = firstIssue(parsed.error);
  throw invalid(`${field === "" ? "the file" : field}: ${reason}`);
}

const invalid = (message: string): BaseError => new BaseError({ code: "receipt.invalid", message });
