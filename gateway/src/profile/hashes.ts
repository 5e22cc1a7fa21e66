import type { Json, JsonObject } from "@haca/protocol/json/json";
import { getBytes, keccak256 } from "ethers";
import { canonicalBytes } from "../json/canonicalJson.ts";

/** What of an answer is signed, besides the choices with their reasons to finish. What is absent is null. */
const SIGNED_FIELDS = ["choices", "model", "system_fingerprint", "usage"] as const;

/** `inputHash` of the profile `haca-1`: a salt of 32 bytes, as hex, before the canonical bytes of the request. */
export function inputHashOf(salt: string, body: Uint8Array): string {
  return keccak256(Buffer.concat([getBytes(salt), body]));
}

/** `outputHash` of the profile `haca-1`: over the canonical bytes of the signed fields of an answer. */
export const outputHashOf = (answer: JsonObject): string =>
  keccak256(
    canonicalBytes(
      new Map<string, Json>(SIGNED_FIELDS.map((field) => [field, answer.get(field) ?? null])),
    ),
  );
