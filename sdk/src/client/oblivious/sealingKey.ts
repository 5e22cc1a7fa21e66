import type { BaseError } from "@haca/protocol/baseError";
import { bytesOfBase64, concatHex, keccak, keccakText, toHex, wordOf } from "../../bytes.ts";
import type { SealingKey } from "../../chain/registeredNodes.ts";
import { isSignedByKey } from "../../signatures.ts";
import { nodeError } from "../nodeError.ts";

/** Numbers of the one suite that there is, from RFC 9180: X25519 with HKDF-SHA256, HKDF-SHA256, ChaCha20-Poly1305. */
const SUITE = { kemId: 0x20, kdfId: 1, aeadId: 3 } as const;
const PUBLIC_KEY_BYTES = 32;
const CONFIG_DOMAIN = "OPENGRADIENT_TEE_OHTTP_CONFIG_V1";
/** Of the one pair of symmetric algorithms that a configuration lists. */
const LIST_BYTES = 4;
const LAST_ID = 255;
const HEX_KEY = /^[0-9a-f]{64}$/;

const bytesOf = (value: number, length: number): string =>
  `0x${value.toString(16).padStart(2 * length, "0")}`;

/** Key id and suite: with them every request begins. */
export const headerOf = ({ keyId }: Pick<SealingKey, "keyId">): string =>
  concatHex(
    ...[bytesOf(keyId, 1), bytesOf(SUITE.kemId, 2)],
    ...[bytesOf(SUITE.kdfId, 2), bytesOf(SUITE.aeadId, 2)],
  );

/** The configuration of a key as RFC 9458, section 3, has it. */
export const configOf = ({ keyId, publicKey }: Pick<SealingKey, "keyId" | "publicKey">): string =>
  concatHex(
    ...[bytesOf(keyId, 1), bytesOf(SUITE.kemId, 2), publicKey],
    ...[bytesOf(LIST_BYTES, 2), bytesOf(SUITE.kdfId, 2), bytesOf(SUITE.aeadId, 2)],
  );

/** What gateways sign of their key: it names neither chain nor registry. */
export const configHash = (teeId: string, key: SealingKey): string =>
  keccak(
    ...[keccakText(CONFIG_DOMAIN), teeId],
    ...[key.keyId, key.kemId, key.kdfId, key.aeadId].map((number) => wordOf(BigInt(number))),
    ...[keccak(key.publicKey), keccak(key.keyConfig)],
  );

/** Whether anything can be sealed to it: a key of the one suite, whose configuration says the same. */
export const isUsable = ({ keyConfig, ...key }: SealingKey): boolean =>
  Number.isInteger(key.keyId) &&
  key.keyId >= 0 &&
  key.keyId <= LAST_ID &&
  key.publicKey.length === 2 + 2 * PUBLIC_KEY_BYTES &&
  Object.entries(SUITE).every(([name, number]) => Reflect.get(key, name) === number) &&
  keyConfig === configOf(key);

/**
 * The key in what `GET /signing-key` says (`hpke`), which the enclave's own key has signed.
 * @param signingKey of the enclave, whose document vouches for it: SubjectPublicKeyInfo, DER
 * @throws BaseError `node.noSealingKey`, `node.badSealingKey`
 */
export async function signedSealingKey(
  words: unknown,
  { host, signingKey }: { host: string; signingKey: string },
): Promise<SealingKey> {
  const hpke = fieldOf(words, "hpke");
  if (hpke === null || hpke === undefined) throw noSealingKey(host);
  try {
    const text = (name: string): string => {
      const value = fieldOf(hpke, name);
      if (typeof value === "string") return value;
      throw new Error(`no ${name}`);
    };
    const number = (name: string): number => Number(fieldOf(hpke, name) ?? Number.NaN);
    if (!HEX_KEY.test(text("public_key"))) throw new Error("no public_key");
    const key = {
      ...{ keyId: number("key_id"), kemId: number("kem_id") },
      ...{ kdfId: number("kdf_id"), aeadId: number("aead_id") },
      ...{ publicKey: `0x${text("public_key")}`, keyConfig: hexOf(text("key_config")) },
    };
    const message = configHash(keccak(signingKey), key);
    const signature = hexOf(text("signature"));
    if (isUsable(key) && (await isSignedByKey({ key: signingKey, message, signature }))) return key;
  } catch (cause) {
    throw badSealingKey(host, cause);
  }
  throw badSealingKey(host);
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

const hexOf = (base64: string): string => toHex(bytesOfBase64(base64));

const badSealingKey = (host: string, cause?: unknown): BaseError =>
  nodeError("badSealingKey", `${host} shows a key that its enclave has not signed for requests`, {
    cause,
  });

/** Of an enclave that takes no oblivious requests. */
export const noSealingKey = (host: string): BaseError =>
  nodeError("noSealingKey", `the enclave of ${host} has no key for oblivious requests`);
