import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { legacyOutputHash } from "@haca/gateway/profile/legacyAnswer";
import { isObject } from "@haca/protocol/json/json";
import { readLegacyJson } from "@haca/protocol/json/readJson";
import { legacyRequestText } from "@haca/protocol/legacyRequest";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { toBytes } from "@haca/sdk/bytes";
import type { LegacyReceipt } from "@haca/sdk/legacy/legacyReceipt";
import { receiptOfLegacyAnswer } from "@haca/sdk/legacy/receiptOfLegacyAnswer";
import { canonicalJson } from "@haca/sdk/receipt/canonicalJson";
import { id, toUtf8Bytes } from "ethers";
import type { BadReceipt } from "./badReceipts.ts";
import { LEGACY_ANSWERS, LEGACY_REQUESTS } from "./legacyInputs.ts";

const ASSERTED = ["coverage", "input", "output", "key", "signature", "attestation"];

type GoodLegacyReceipt = {
  name: string;
  receipt: string;
  isVerified: boolean;
  asserted: string[];
  legacy: true;
};

/** Of the profile `legacy`: answers as its gateway gives them, and their receipts. */
export function legacyReceiptVectors(parameters: {
  enclave: SimulatedEnclave;
  other: SimulatedEnclave;
  documentOf: (enclave: SimulatedEnclave) => string;
  now: bigint;
  /** a key that no RSA key is */
  accountKey: string;
}): { good: GoodLegacyReceipt[]; bad: BadReceipt[] } {
  const { accountKey, documentOf, enclave, now, other } = parameters;
  const receiptOf = (request: string, choice: string, by = enclave): LegacyReceipt =>
    receiptOfLegacyAnswer({
      request,
      answer: answerOf({ request, choice, timestamp: now - 60n, enclave: by }),
      signingKey: { public_key: pemOf(by.signingKey), session_key: null },
      document: toBytes(documentOf(by)),
    });
  const { plain = "", parts = "" } = LEGACY_REQUESTS;
  const { text = "", tools = "" } = LEGACY_ANSWERS;
  const legacyText = receiptOf(plain, text);
  const receipts: Record<string, LegacyReceipt> = {
    legacyText,
    legacyTools: receiptOf(parts, tools),
    legacyDetached: { ...legacyText, core: { ...legacyText.core, input: null, output: null } },
    legacyWithoutDocument: { ...legacyText, evidence: [] },
  };
  const expected: Record<string, [boolean, string[]]> = {
    legacyDetached: [true, ASSERTED.filter((check) => check !== "input" && check !== "output")],
    legacyWithoutDocument: [false, ASSERTED.filter((check) => check !== "attestation")],
  };
  const of = "legacyText";
  const change = (
    name: string,
    path: (string | number)[],
    value: unknown,
    refuted: string | null,
  ): BadReceipt => ({ name: `${of}: ${name}`, of, path, value, refuted });
  const otherReceipt = receiptOf(plain, text, other);
  const { message, signature } = legacyText.core;
  return {
    good: Object.entries(receipts).map(([name, receipt]) => ({
      ...{ name, receipt: canonicalJson(receipt) },
      ...{ isVerified: expected[name]?.[0] ?? true, asserted: expected[name]?.[1] ?? ASSERTED },
      legacy: true,
    })),
    bad: [
      change("another time", ["core", "message", "timestamp"], "1899999939", "signature"),
      change("from the future", ["core", "message", "timestamp"], "1900000061", "time"),
      change("another request", ["core", "message", "inputHash"], id("in"), "signature"),
      change("another answer", ["core", "message", "outputHash"], id("out"), "signature"),
      change("another text", ["core", "output", "text"], "Hello", "output"),
      change("another space", ["core", "input", "text"], "{}", "input"),
      change("another enclave", ["core", "message", "teeId"], other.teeId, "key"),
      change("another enclave's key", ["core", "key"], otherReceipt.core.key, "key"),
      change(
        "another enclave's answer",
        ["core", "signature"],
        otherReceipt.core.signature,
        "signature",
      ),
      change("another document", ["evidence"], otherReceipt.evidence, "attestation"),
      change(
        "another enclave's document",
        ["core", "attestation"],
        otherReceipt.core.attestation,
        "attestation",
      ),
      change("a key of another kind", ["core", "key"], accountKey, null),
      change("a signature that is too short", ["core", "signature"], signature.slice(0, -2), null),
      change("a chain", ["core", "chainId"], "1", null),
      change("the other form", ["mediaType"], "application/vnd.haca-receipt.v1+json", null),
      change("evidence of another kind", ["evidence", 0, "type"], "proof", null),
      change("words", ["core", "output"], { type: "words", words: [message.outputHash] }, null),
      change("no key", ["core", "key"], null, null),
    ],
  };
}

/** As a gateway answers, with one choice and its signature. */
function answerOf(parameters: {
  request: string;
  choice: string;
  timestamp: bigint;
  enclave: SimulatedEnclave;
}): string {
  const { choice, enclave, request, timestamp } = parameters;
  const asked = readLegacyJson(toUtf8Bytes(request));
  const parsed = readLegacyJson(toUtf8Bytes(choice));
  const message = isObject(parsed) ? parsed.get("message") : undefined;
  if (!isObject(asked) || !isObject(parsed) || !isObject(message)) throw new Error("no message");
  const inputHash = id(legacyRequestText(asked, "chat"));
  const outputHash = legacyOutputHash(message, parsed.get("finish_reason") ?? null);
  const signature = enclave.sign(legacyMessageHash({ inputHash, outputHash, timestamp }));
  const signed = {
    tee_signature: Buffer.from(signature).toString("base64"),
    tee_request_hash: inputHash.slice(2),
    tee_output_hash: outputHash.slice(2),
    ...{ tee_timestamp: Number(timestamp), tee_id: enclave.teeId },
  };
  return `{"choices":[${choice}],${JSON.stringify(signed).slice(1)}`;
}

const pemOf = (key: Uint8Array): string =>
  `-----BEGIN PUBLIC KEY-----\n${Buffer.from(key).toString("base64")}\n-----END PUBLIC KEY-----\n`;
