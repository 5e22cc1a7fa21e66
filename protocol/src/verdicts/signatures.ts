import { computeAddress, dataLength, dataSlice, getBytes, SigningKey } from "ethers";

/** Order of secp256k1; of s and its opposite only the lower one is taken. */
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** SubjectPublicKeyInfo up to an uncompressed point's coordinates, which are 64 bytes. */
const POINT_LENGTH = 64;
const P256_PREFIX = "0x3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const SECP256K1_PREFIX = "0x3056301006072a8648ce3d020106052b8104000a03420004";

/**
 * Who signed a digest, as the contracts recover it (OpenZeppelin's `ECDSA`): 65 bytes r | s | v with v 27 or 28 and s in
 * the lower half. Nobody for anything else.
 */
export function recoverSigner(parameters: {
  digest: string;
  signature: string;
}): string | undefined {
  const { digest, signature } = parameters;
  if (dataLength(signature) !== 65) return undefined;
  const [r, s] = [dataSlice(signature, 0, 32), dataSlice(signature, 32, 64)];
  const v = Number(dataSlice(signature, 64));
  if ((v !== 27 && v !== 28) || BigInt(s) > CURVE_ORDER / 2n) return undefined;
  try {
    return computeAddress(SigningKey.recoverPublicKey(digest, { r, s, v }));
  } catch {
    return undefined;
  }
}

/** Whether a key, as `SigningKeys` knows them, signed 32 bytes. False for whatever is malformed. */
export async function isSignedByKey(parameters: {
  /** SubjectPublicKeyInfo in DER, hex */
  signingKey: string;
  message: string;
  signature: string;
}): Promise<boolean> {
  const { signingKey, message, signature } = parameters;
  if (hasPrefix(signingKey, SECP256K1_PREFIX)) {
    const point = dataSlice(signingKey, dataLength(SECP256K1_PREFIX));
    const signer = recoverSigner({ digest: message, signature });
    return signer !== undefined && signer === addressOfPoint(point);
  }
  const isP256 = hasPrefix(signingKey, P256_PREFIX);
  return verify({
    key: isP256 ? { name: "ECDSA", namedCurve: "P-256" } : { name: "RSA-PSS", hash: "SHA-256" },
    scheme: isP256 ? { name: "ECDSA", hash: "SHA-256" } : { name: "RSA-PSS", saltLength: 32 },
    ...{ signingKey, message, signature },
  });
}

const hasPrefix = (key: string, prefix: string): boolean =>
  key.toLowerCase().startsWith(prefix) && dataLength(key) === dataLength(prefix) + POINT_LENGTH;

/** Nobody where the point is not on the curve: no signature is of its address either. */
function addressOfPoint(point: string): string | undefined {
  try {
    return computeAddress(`0x04${point.slice(2)}`);
  } catch {
    return undefined;
  }
}

/** WebCrypto, which browsers have as well. A key that it does not take has no valid signatures. */
async function verify(parameters: {
  key: { name: string; namedCurve?: string; hash?: string };
  scheme: { name: string; hash?: string; saltLength?: number };
  signingKey: string;
  message: string;
  signature: string;
}): Promise<boolean> {
  const { key, scheme, signingKey, message, signature } = parameters;
  const { subtle } = globalThis.crypto;
  const imported = await subtle
    .importKey("spki", bufferOf(signingKey), key, false, ["verify"])
    .catch(() => undefined);
  if (imported === undefined) return false;
  return subtle.verify(scheme, imported, bufferOf(signature), bufferOf(message));
}

/** In an array of its own, as WebCrypto's types ask for it. */
const bufferOf = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(getBytes(hex));
