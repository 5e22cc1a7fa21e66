import { secp256k1 } from "@noble/curves/secp256k1";
import { keccak, lengthOf, sliceHex, toBytes, toHex } from "./bytes.ts";
import { kindOfKey, SECP256K1_PREFIX } from "./signatureForm.ts";

/** As `SigningKeys` of the contracts: RSA-PSS and P-256 over the SHA-256 of the 32 bytes, secp256k1 over these themselves. */

const RSA_MINIMUM_BITS = 2048;
const RSA_MAXIMUM_BITS = 4096;
const RSA_STEP_BITS = 64;
const RSA_EXPONENT = "010001";

/** The account that signed a digest: r | s | v, v 27 or 28, s the lower one. Throws for anything else. */
export function recoverAccount(digest: string, signature: string): string {
  if (lengthOf(signature) !== 65) throw new Error("the signature must have 65 bytes");
  const v = Number.parseInt(signature.slice(-2), 16);
  if (v !== 27 && v !== 28) throw new Error("v must be 27 or 28");
  const compact = secp256k1.Signature.fromCompact(toBytes(sliceHex(signature, 0, 64)));
  if (compact.hasHighS()) throw new Error("s must be the lower one of the two");
  const point = compact.addRecoveryBit(v - 27).recoverPublicKey(toBytes(digest));
  return accountOf(toHex(point.toRawBytes(false).subarray(1)));
}

/** Account of the coordinates of a point. */
const accountOf = (point: string): string => sliceHex(keccak(point), 12);

/** Whether an enclave's key (SubjectPublicKeyInfo, DER) signed 32 bytes. Throws, or is false, for what is malformed. */
export async function isSignedByKey(parameters: {
  key: string;
  message: string;
  signature: string;
}): Promise<boolean> {
  const { key, message, signature } = parameters;
  const kind = kindOfKey(key);
  if (kind === "secp256k1") {
    const point = sliceHex(key, lengthOf(SECP256K1_PREFIX));
    secp256k1.ProjectivePoint.fromHex(`04${point.slice(2)}`).assertValidity();
    return recoverAccount(message, signature) === accountOf(point);
  }
  if (kind === "p256") {
    return verifyByWebCrypto({
      ...{ key, message, signature },
      algorithm: { name: "ECDSA", namedCurve: "P-256" },
      scheme: { name: "ECDSA", hash: "SHA-256" },
    });
  }
  return verifyByWebCrypto({
    ...{ key, message, signature },
    algorithm: { name: "RSA-PSS", hash: "SHA-256" },
    scheme: { name: "RSA-PSS", saltLength: 32 },
  });
}

/** Whether a P-384 key (x | y) signed the message with SHA-384; both as bytes. */
export async function isSignedByP384(parameters: {
  publicKey: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}): Promise<boolean> {
  const { publicKey, message, signature } = parameters;
  const point = Uint8Array.from([4, ...publicKey]);
  const { subtle } = globalThis.crypto;
  const algorithm = { name: "ECDSA", namedCurve: "P-384" };
  const key = await subtle.importKey("raw", point, algorithm, false, ["verify"]);
  const scheme = { name: "ECDSA", hash: "SHA-384" };
  return subtle.verify(scheme, key, Uint8Array.from(signature), Uint8Array.from(message));
}

async function verifyByWebCrypto(parameters: {
  key: string;
  message: string;
  signature: string;
  algorithm: { name: string; namedCurve?: string; hash?: string };
  scheme: { name: string; hash?: string; saltLength?: number };
}): Promise<boolean> {
  const { algorithm, scheme } = parameters;
  const [spki, message, signature] = [parameters.key, parameters.message, parameters.signature].map(
    // In arrays of their own, as WebCrypto's types ask for it.
    (hex) => Uint8Array.from(toBytes(hex)),
  ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("spki", spki, algorithm, true, ["verify"]);
  if (algorithm.name === "RSA-PSS") {
    requireRsa(key.algorithm as RsaAlgorithm);
    // Bytes behind a key, which WebCrypto passes over, the contracts refuse.
    const written = toHex(new Uint8Array(await subtle.exportKey("spki", key)));
    if (written !== parameters.key) throw new Error("the key is not in DER");
  }
  return subtle.verify(scheme, key, signature, message);
}

type RsaAlgorithm = { name: string; modulusLength: number; publicExponent: Uint8Array };

/** The sizes and the exponent that the contracts take. */
function requireRsa({ modulusLength, publicExponent }: RsaAlgorithm): void {
  const isRange = modulusLength >= RSA_MINIMUM_BITS && modulusLength <= RSA_MAXIMUM_BITS;
  const isSize = isRange && modulusLength % RSA_STEP_BITS === 0;
  if (!isSize || toHex(publicExponent).slice(2) !== RSA_EXPONENT) {
    throw new Error(
      "an RSA key must have 2,048 to 4,096 bits, a multiple of 64, and the exponent 65,537",
    );
  }
}
