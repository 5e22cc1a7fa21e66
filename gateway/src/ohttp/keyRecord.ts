import type { OhttpRecord } from "@haca/protocol/teeMessages";
import { AbiCoder, concat, id, keccak256, toBeHex } from "ethers";
import { SUITE } from "./suite.ts";

/** Bytes of the one pair of symmetric algorithms that a key configuration lists. */
const LIST_BYTES = 4;
const CONFIG_DOMAIN = "OPENGRADIENT_TEE_OHTTP_CONFIG_V1";
const WORDS = [
  "bytes32",
  "bytes32",
  "uint256",
  "uint256",
  "uint256",
  "uint256",
  "bytes32",
  "bytes32",
];

/** What the registry keeps of a key. @param publicKey 32 bytes as hex */
export function recordOf(keyId: number, publicKey: string): OhttpRecord {
  const { aeadId, kdfId, kemId } = SUITE;
  // RFC 9458, section 3: key id, KEM, key, length of the list of symmetric algorithms, and the one pair of them.
  const keyConfig = concat([
    ...[toBeHex(keyId, 1), toBeHex(kemId, 2), publicKey],
    ...[toBeHex(LIST_BYTES, 2), toBeHex(kdfId, 2), toBeHex(aeadId, 2)],
  ]);
  return { keyId, ...SUITE, publicKey, keyConfig };
}

/** What the public network's gateways sign of their key: 32 bytes that name neither chain nor registry. */
export const configHash = (teeId: string, record: OhttpRecord): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(WORDS, [
      ...[id(CONFIG_DOMAIN), teeId, record.keyId, record.kemId, record.kdfId, record.aeadId],
      ...[keccak256(record.publicKey), keccak256(record.keyConfig)],
    ]),
  );
