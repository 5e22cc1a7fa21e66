import { keccak, wordOf } from "../bytes.ts";
import { parseWritten } from "../receipt/parseReceipt.ts";
import {
  decimal,
  hex,
  list,
  literal,
  malformed,
  named,
  nullable,
  object,
  text,
} from "../receipt/readers.ts";
import type { AttestationEvidence, Receipt, Text } from "../receipt/receipt.ts";
import { LIMITS } from "../receipt/receipt.ts";
import { kindOfKey } from "../signatureForm.ts";

/**
 * A receipt of an answer in the profile `legacy`, which is the public network's: evidence, and never a verdict, in the form that
 * receipts have. What was signed names no chain, no contract, no request and no version of a model.
 */
export type LegacyReceipt = {
  mediaType: typeof LEGACY_MEDIA_TYPE;
  core: LegacyCore;
  evidence: readonly AttestationEvidence[];
  hints: Readonly<Record<string, string>>;
};

export const LEGACY_MEDIA_TYPE = "application/vnd.haca-legacy-receipt.v1+json";

export type LegacyCore = {
  message: LegacyReceiptMessage;
  /** RSA-PSS over SHA-256 of the message's hash */
  signature: string;
  /** the enclave's, SubjectPublicKeyInfo in DER */
  key: string;
  /** keccak256 of the enclave's attestation document, which is evidence */
  attestation: string | null;
  /** the texts that were hashed; null: known by their hashes alone */
  input: Text | null;
  output: Text | null;
};

export type LegacyReceiptMessage = {
  inputHash: string;
  outputHash: string;
  timestamp: string;
  /** of the key; not in what is signed */
  teeId: string;
};

const WORD = hex(32);
const CONTENT = nullable(object<Text>({ type: literal("text"), text: text(LIMITS.text) }));
const RSA_BYTES = [256, 512] as const;

const readFields = object<LegacyReceipt>({
  mediaType: literal(LEGACY_MEDIA_TYPE),
  core: object<LegacyCore>({
    message: object<LegacyReceiptMessage>({
      ...{ inputHash: WORD, outputHash: WORD, timestamp: decimal(64), teeId: WORD },
    }),
    signature: hex(...RSA_BYTES),
    key: hex(1, LIMITS.key),
    attestation: nullable(WORD),
    input: CONTENT,
    output: CONTENT,
  }),
  evidence: list(
    object<AttestationEvidence>({
      type: literal("attestation"),
      document: hex(1, LIMITS.document),
    }),
    0,
    LIMITS.evidence,
  ),
  hints: named(text(LIMITS.hint), { entries: LIMITS.hints, name: LIMITS.hintName }),
});

/** A receipt, or its bytes or text, of either form. */
export type Source = Receipt | LegacyReceipt | Uint8Array | string;

/** @throws BaseError `format.malformed` */
export function readLegacyReceipt(value: unknown): LegacyReceipt {
  const receipt = readFields(value, "receipt");
  if (kindOfKey(receipt.core.key) === "rsa") return receipt;
  throw malformed("receipt.core.key", "must be an RSA key: the profile has no other");
}

/** As `parseReceipt`, of the profile `legacy`. @throws BaseError `format.malformed` */
export const parseLegacyReceipt = (source: Uint8Array | string): LegacyReceipt =>
  parseWritten(source, readLegacyReceipt);

/** Whether something says that it is a receipt of the profile; whether it is one its reader says. */
export function isLegacy(source: unknown): boolean {
  if (typeof source === "string" || source instanceof Uint8Array) {
    if (source.length > LIMITS.receipt) return false;
    try {
      const written = typeof source === "string" ? source : new TextDecoder().decode(source);
      return isLegacy(JSON.parse(written));
    } catch {
      return false;
    }
  }
  return (
    typeof source === "object" &&
    source !== null &&
    Reflect.get(source, "mediaType") === LEGACY_MEDIA_TYPE
  );
}

/** What was signed: keccak256 of the hashes of request and answer, and of the time. */
export const legacyDigest = ({ message }: Pick<LegacyCore, "message">): string =>
  keccak(message.inputHash, message.outputHash, wordOf(BigInt(message.timestamp)));

/** What a receipt of the profile is called by: keccak256 of the enclave, and of what it signed. */
export const legacyReceiptId = (core: Pick<LegacyCore, "message">): string =>
  keccak(core.message.teeId, legacyDigest(core));
