import { createPublicKey, verify } from "node:crypto";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { isObject, type JsonObject } from "@haca/protocol/json/json";
import { readStrictJson } from "@haca/protocol/json/readJson";
import { decodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { concat, getBytes, keccak256, toUtf8Bytes, ZeroAddress } from "ethers";
import { expect } from "vitest";
import { canonicalBytes } from "../../src/json/canonicalJson.ts";
import { outputHashOf } from "../../src/profile/hashes.ts";
import type { SignedResult } from "../../src/profile/signAnswer.ts";
import { DOMAIN, SIGNER, VERSION_ID } from "./bed.ts";

const parsed = (value: unknown): JsonObject => {
  const json = readStrictJson(toUtf8Bytes(JSON.stringify(value)));
  if (!isObject(json)) throw new Error("no object");
  return json;
};

/** An enclave's key, and how its signatures are checked. */
type Key = { teeId: string; isGood: (digest: string, signature: string) => boolean };

const OF_BED: Key = {
  teeId: SIGNER.teeId,
  isGood(digest, signature) {
    const key = createPublicKey(SIGNER.publicKey);
    const options = { key, dsaEncoding: "ieee-p1363" } as const;
    return verify("sha256", getBytes(digest), options, getBytes(signature));
  },
};

/** As somebody checks it who has request, salt and answer, and believes nothing else. */
export function expectSigned(parameters: {
  result: SignedResult;
  request: unknown;
  salt: string;
  answer: object;
  key?: Key;
  /** nobody and nothing if left out */
  charged?: { requester: string; price: string };
}): void {
  const { answer, charged, key = OF_BED, request, result, salt } = parameters;
  const { message, signature } = result;
  expect(message.inputHash).toBe(keccak256(concat([salt, canonicalBytes(parsed(request))])));
  expect(message.outputHash).toBe(outputHashOf(parsed(answer)));
  expect(message).toMatchObject({
    ...{ modelVersion: VERSION_ID, teeId: key.teeId },
    ...(charged ?? { requester: ZeroAddress, price: "0" }),
  });
  expect(decodeRequestId(message.requestId).node).toBe(nodeOfEnclave(key.teeId));
  const typed = { ...message, price: BigInt(message.price), timestamp: BigInt(message.timestamp) };
  const digest = hashResult({ domain: DOMAIN, result: typed as InferenceResult });
  expect(key.isGood(digest, signature)).toBe(true);
}
