import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { getAddress, isAddress, keccak256 } from "ethers";
import { z } from "zod";
import { BadSubmissionError } from "./facilitatorErrors.ts";

/** What a client gives the facilitator to settle: what an enclave signed, and for `individual` what it was about. */
export type Submission = {
  kind: "batch" | "individual";
  teeId: string;
  inputHash: string;
  outputHash: string;
  /** unix seconds, as the enclave signed them */
  timestamp: bigint;
  /** bytes as hex */
  teeSignature: string;
  /** JSON of request and answer, and whose it is; for `individual` only */
  individual?: { input: string; output: string; ethAddress: string };
};

export type SettlementType = "private" | Submission["kind"];

/** As clients of the public network write it, mistakes of theirs included. */
const TYPES: ReadonlyMap<string, SettlementType> = new Map([
  ["private", "private"],
  ["pivate", "private"],
  ["batch", "batch"],
  ["individual", "individual"],
  ["inidvidual", "individual"],
]);

/** RSA of 2048 to 4096 bits, the only keys of this profile. */
const SIGNATURE_BYTES = { minimum: 256, maximum: 512 };

const hash = z
  .string()
  .regex(/^(0x)?[0-9a-fA-F]{64}$/, "must be 64 hex digits, with or without 0x")
  .transform((text) => `0x${text.replace(/^0x/, "").toLowerCase()}`);
const seconds = z
  .union([z.int().nonnegative().transform(String), z.string()])
  .refine((text) => /^\d{1,15}$/.test(text), "must be unix seconds, as a number or decimal text")
  .transform(BigInt);
const signature = z
  .string()
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, "must be base64")
  .transform((text) => Buffer.from(text, "base64"))
  .refine(
    ({ length }) => length >= SIGNATURE_BYTES.minimum && length <= SIGNATURE_BYTES.maximum,
    `must be an RSA signature of ${SIGNATURE_BYTES.minimum} to ${SIGNATURE_BYTES.maximum} bytes`,
  )
  .transform((bytes) => `0x${bytes.toString("hex")}`);
const batchSchema = z.object({
  tee_id: z
    .string()
    .regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
    .toLowerCase(),
  input_hash: hash,
  output_hash: hash,
  tee_signature: signature,
  tee_timestamp: seconds,
});
const individualSchema = batchSchema.extend({
  input: z.unknown(),
  output: z.unknown(),
  eth_address: z
    .string()
    .refine((text) => isAddress(text), "must be an address")
    .transform(getAddress),
});

/** Reads the header `x-settlement-type`. Case, spaces, `-` and `_` do not matter. @throws BadSubmissionError */
export function parseSettlementType(header: string | undefined): SettlementType {
  const type = TYPES.get((header ?? "").toLowerCase().replaceAll(/[\s_-]/g, ""));
  if (type !== undefined) return type;
  throw new BadSubmissionError(
    "x-settlement-type",
    `must be private, batch or individual, got ${header === undefined ? "none" : JSON.stringify(header.slice(0, 40))}`,
  );
}

/** Reads the header `x-settlement-data`, base64 of JSON. @throws BadSubmissionError naming the field */
export function parseSettlementData(parameters: {
  kind: Submission["kind"];
  header: string | undefined;
}): Submission {
  const { kind, header } = parameters;
  const content = decode(header);
  const parsed = (kind === "batch" ? batchSchema : individualSchema).safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new BadSubmissionError(
      `x-settlement-data: ${issue?.path.join(".") || "data"}`,
      issue?.message ?? "malformed",
    );
  }
  const { data } = parsed;
  const submission = {
    kind,
    teeId: data.tee_id,
    inputHash: data.input_hash,
    outputHash: data.output_hash,
    timestamp: data.tee_timestamp,
    teeSignature: data.tee_signature,
  };
  if (!("eth_address" in data)) return submission;
  const { eth_address: ethAddress, input, output } = data as z.output<typeof individualSchema>;
  return {
    ...submission,
    individual: { ethAddress, input: textOf("input", input), output: textOf("output", output) },
  };
}

function decode(header: string | undefined): unknown {
  if (header === undefined) throw new BadSubmissionError("x-settlement-data", "is missing");
  try {
    return JSON.parse(Buffer.from(header, "base64").toString("utf8"));
  } catch (cause) {
    throw new BadSubmissionError("x-settlement-data", "must be base64 of JSON", cause);
  }
}

function textOf(field: string, value: unknown): string {
  const text = JSON.stringify(value);
  // What a text column cannot hold.
  if (text !== undefined && !text.includes("\\u0000")) return text;
  throw new BadSubmissionError(
    `x-settlement-data: ${field}`,
    "must be JSON without NUL characters",
  );
}

/** Key of a submission beside its node: what the enclave signed. */
export const messageHashOf = (submission: Submission): string => legacyMessageHash(submission);

/** Name of a submission's job: the same for whoever brings the same again. */
export function jobIdOf(submission: Submission): string {
  const { kind, teeId } = submission;
  const digest = keccak256(teeId + messageHashOf(submission).slice(2));
  return `settlement-${kind}-${digest.slice(2)}`;
}
