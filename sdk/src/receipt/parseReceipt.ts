import { hasHighS, kindOfSignature } from "../signatureForm.ts";
import { canonicalJson } from "./canonicalJson.ts";
import {
  decimal,
  hex,
  list,
  literal,
  malformed,
  named,
  nullable,
  object,
  oneOf,
  type Reader,
  text,
} from "./readers.ts";
import {
  type AttestationEvidence,
  type Evidence,
  type Input,
  LIMITS,
  MEDIA_TYPE,
  type Output,
  type PageEvidence,
  type ProofEvidence,
  type Receipt,
  type ReceiptCore,
  type ReceiptMessage,
  type ReceiptPageHeader,
  type SaltedText,
  type Text,
  type WitnessEvidence,
  type Words,
} from "./receipt.ts";

const WORD = hex(32);
const ADDRESS = hex(20);

const readMessage = object<ReceiptMessage>({
  modelVersion: WORD,
  inputHash: WORD,
  outputHash: WORD,
  requester: ADDRESS,
  requestId: WORD,
  price: decimal(256),
  timestamp: decimal(64),
  teeId: WORD,
});

const readWords = object<Words>({ type: literal("words"), words: list(WORD, 1, LIMITS.words) });
const readInput = oneOf<Input>({
  words: readWords,
  text: object<SaltedText>({ type: literal("text"), salt: WORD, text: text(LIMITS.text) }),
});
const readOutput = oneOf<Output>({
  words: readWords,
  text: object<Text>({ type: literal("text"), text: text(LIMITS.text) }),
});

const readCore = object<ReceiptCore>({
  chainId: decimal(64),
  settlement: ADDRESS,
  message: readMessage,
  signature: hex(1, LIMITS.signature),
  key: nullable(hex(1, LIMITS.key)),
  session: nullable(ADDRESS),
  attestation: nullable(WORD),
  input: nullable(readInput),
  output: nullable(readOutput),
});

const readHeader = object<ReceiptPageHeader>({
  kind: decimal(8),
  teeId: WORD,
  ledgerPage: decimal(256),
  bitmap: decimal(256),
  root: WORD,
  blobId: WORD,
  proposer: ADDRESS,
  fee: decimal(96),
});

const readEvidence = oneOf<Evidence>({
  proof: object<ProofEvidence>({
    type: literal("proof"),
    proof: hex(256),
    verifyingKey: hex(448 + 64, LIMITS.verifyingKey),
  }),
  page: object<PageEvidence>({
    type: literal("page"),
    pageSettlement: ADDRESS,
    pageId: WORD,
    header: readHeader,
    path: list(WORD, 8, 8),
  }),
  attestation: object<AttestationEvidence>({
    type: literal("attestation"),
    document: hex(1, LIMITS.document),
  }),
  witness: object<WitnessEvidence>({
    type: literal("witness"),
    header: hex(1, LIMITS.header),
    nodes: list(hex(1, LIMITS.node), 1, LIMITS.nodes),
    codes: list(hex(1, LIMITS.code), 0, LIMITS.codes),
  }),
});

const readFields: Reader<Receipt> = object<Receipt>({
  mediaType: literal(MEDIA_TYPE),
  core: readCore,
  evidence: list(readEvidence, 0, LIMITS.evidence),
  hints: named(text(LIMITS.hint), { entries: LIMITS.hints, name: LIMITS.hintName }),
});

/**
 * Reads a receipt from its bytes or their text. Strict: another order, another case, a space, an unknown or missing field, or a
 * signature in another form than a receipt's is no receipt.
 * @throws BaseError `format.malformed`, naming field and reason
 */
export const parseReceipt = (source: Uint8Array | string): Receipt =>
  parseWritten(source, readReceipt);

/** A value of RFC 8785 bytes, or of their text, by the reader of its kind. @throws BaseError `format.malformed` */
export function parseWritten<T extends object>(
  source: Uint8Array | string,
  read: (value: unknown) => T,
): T {
  const length = source.length;
  if (length > LIMITS.receipt) {
    throw malformed("receipt", `must have ${LIMITS.receipt} bytes at most, has ${length}`);
  }
  const written = typeof source === "string" ? source : decode(source);
  const value = read(parse(written));
  if (canonicalJson(value) === written) return value;
  throw malformed(
    "receipt",
    "is not in its RFC 8785 form: order, spaces, escapes or repeated names",
  );
}

/** A receipt, however one has it. @throws BaseError `format.malformed` */
export const toReceipt = (source: Uint8Array | string | object): Receipt =>
  typeof source === "string" || source instanceof Uint8Array
    ? parseReceipt(source)
    : readReceipt(source);

/** The same of a value that is read already, as its maker has it: everything but the form of the text. */
export function readReceipt(value: unknown): Receipt {
  const receipt = readFields(value, "receipt");
  const { core } = receipt;
  const isEnclave = BigInt(core.message.teeId) !== 0n;
  if (isEnclave === (core.key === null)) {
    throw malformed("receipt.core.key", isEnclave ? "is missing" : "belongs to no enclave");
  }
  if (!isEnclave && (core.session ?? core.attestation) !== null) {
    throw malformed("receipt.core", "session and attestation belong to an enclave");
  }
  requireSignatureForm(core);
  return receipt;
}

/** Bytes of a signature, by the kind of its key. */
const SIGNATURE_LENGTHS = { secp256k1: [65, 65], p256: [64, 64], rsa: [256, 512] } as const;

function requireSignatureForm(core: ReceiptCore): void {
  const { signature } = core;
  const path = "receipt.core.signature";
  const kind = kindOfSignature(core);
  const [least, most] = SIGNATURE_LENGTHS[kind];
  hex(least, most)(signature, path);
  if (kind === "secp256k1" && !["1b", "1c"].includes(signature.slice(-2))) {
    throw malformed(path, "v must be 27 or 28");
  }
  if (hasHighS(core)) throw malformed(path, "s must be the lower one of the two");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("receipt", "is not UTF-8");
  }
}

function parse(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    throw malformed("receipt", "is not JSON");
  }
}
