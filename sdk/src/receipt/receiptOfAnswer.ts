import { keccak, toHex } from "../bytes.ts";
import { canonicalJson } from "./canonicalJson.ts";
import { makeReceipt } from "./makeReceipt.ts";
import { malformed, nullable, type Reader, text } from "./readers.ts";
import { LIMITS, type Receipt, type ReceiptMessage } from "./receipt.ts";

/** What of an answer is signed in the profile `haca-1`; what is absent is null. */
const SIGNED_FIELDS = ["choices", "model", "system_fingerprint", "usage"] as const;
const MESSAGE_FIELDS: readonly (keyof ReceiptMessage)[] = [
  ...(["modelVersion", "inputHash", "outputHash", "requester"] as const),
  ...(["requestId", "price", "timestamp", "teeId"] as const),
];

/**
 * The receipt of a gateway's answer in the profile `haca-1` (docs/gateway.md). Says nothing of whether it is right: that is for
 * `verify`, to which what does not fit is refuted.
 * @param parameters.request what was asked, as it was sent, parsed
 * @param parameters.answer what came, parsed, with the field `haca`; streams put together
 * @param parameters.signingKey what `GET /signing-key` answers, parsed
 * @param parameters.document attestation document of the gateway's enclave
 * @throws BaseError `format.malformed`, where the answer has not what a receipt needs
 */
export function receiptOfAnswer(parameters: {
  request: unknown;
  answer: unknown;
  signingKey: unknown;
  document?: Uint8Array;
}): Receipt {
  const { request, answer, signingKey, document } = parameters;
  const fields = fieldsOf(answer, "answer");
  const signed = fieldsOf(fields.haca, "answer.haca");
  if (signed.profile !== "haca-1") throw malformed("answer.haca.profile", "must be haca-1");
  const message = fieldsOf(signed.message, "answer.haca.message");
  const keyFields = fieldsOf(signingKey, "signingKey");
  const documentHex = document === undefined ? undefined : toHex(document);
  const output = Object.fromEntries(SIGNED_FIELDS.map((field) => [field, fields[field] ?? null]));
  return makeReceipt({
    core: {
      chainId: readText(signed.chainId, "answer.haca.chainId"),
      settlement: lowerCase(signed.settlement, "answer.haca.settlement"),
      message: Object.fromEntries(
        MESSAGE_FIELDS.map((name) => [
          name,
          lowerCase(message[name], `answer.haca.message.${name}`),
        ]),
      ) as ReceiptMessage,
      signature: lowerCase(signed.signature, "answer.haca.signature"),
      key: derOf(readText(keyFields.public_key, "signingKey.public_key")),
      session: nullable(lowerCase)(keyFields.session_key, "signingKey.session_key"),
      attestation: documentHex === undefined ? null : keccak(documentHex),
      input: {
        type: "text",
        salt: lowerCase(signed.salt, "answer.haca.salt"),
        text: canonicalJson(request),
      },
      output: { type: "text", text: canonicalJson(output) },
    },
    evidence: documentHex === undefined ? [] : [{ type: "attestation", document: documentHex }],
  });
}

const readText = text(LIMITS.text);

/** Bytes as gateways write them, addresses with their checksums. */
const lowerCase: Reader<string> = (value, path) => readText(value, path).toLowerCase();

function fieldsOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw malformed(path, "must be an object");
}

/** The bytes of a public key in PEM. */
function derOf(pem: string): string {
  const [, base64 = ""] =
    /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(pem) ?? [];
  try {
    const binary = atob(base64.replaceAll(/\s/g, ""));
    if (binary.length > 0) {
      return toHex(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
    }
  } catch {
    // Said below.
  }
  throw malformed("signingKey.public_key", "must be a public key in PEM");
}
