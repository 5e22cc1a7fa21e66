import { createHash, createPublicKey, verify } from "node:crypto";
import { toBytes } from "@haca/attestation/bytes";
import {
  type AffinePoint,
  add,
  GENERATOR,
  invert,
  modulo,
  multiply,
  N,
  negate,
} from "@haca/attestation/p384/p384Curve";

/** A message, a key (x | y) and a signature (r | s), as the contract takes them. */
export type Signed = { message: Uint8Array; publicKey: Uint8Array; signature: Uint8Array };

export const hashToNumber = (message: Uint8Array): bigint =>
  BigInt(`0x${createHash("sha384").update(message).digest("hex")}`);

export const packPair = (a: bigint, b: bigint): Uint8Array =>
  new Uint8Array([...toBytes(a, 48), ...toBytes(b, 48)]);

export const packKey = ({ x, y }: AffinePoint): Uint8Array => packPair(x, y);

/** A 384-bit number that depends on the seed alone. */
export const numberFrom = (seed: string): bigint => hashToNumber(new TextEncoder().encode(seed));

/** ECDSA with everything drawn from the seed. */
export function signFrom(seed: string): Signed {
  const message = new TextEncoder().encode(`message ${seed}`);
  const key = modulo(numberFrom(`key ${seed}`), N);
  const nonce = modulo(numberFrom(`nonce ${seed}`), N);
  const publicKey = multiply(GENERATOR, key);
  const point = multiply(GENERATOR, nonce);
  const inverse = invert(nonce, N);
  if (publicKey === undefined || point === undefined || inverse === undefined) {
    throw new RangeError(`seed ${seed} gives a zero`);
  }
  const r = modulo(point.x, N);
  const s = modulo(inverse * (hashToNumber(message) + r * key), N);
  return { message, publicKey: packKey(publicKey), signature: packPair(r, s) };
}

/**
 * A valid signature with a given point R and s, by choosing the key: Q = (s R - z G) / r. Nobody knows the key's
 * logarithm.
 */
export function signatureWithPoint(parameters: {
  message: Uint8Array;
  point: AffinePoint;
  s: bigint;
}): Signed {
  const { message, point, s } = parameters;
  const r = modulo(point.x, N);
  const inverse = invert(r, N);
  const hashed = multiply(GENERATOR, hashToNumber(message));
  if (inverse === undefined || hashed === undefined) throw new RangeError("r or z is zero");
  const sum = add(multiply(point, s), negate(hashed));
  const key = sum === undefined ? undefined : multiply(sum, inverse);
  if (key === undefined) throw new RangeError("the key is the zero point");
  return { message, publicKey: packKey(key), signature: packPair(r, s) };
}

/** What Node's OpenSSL says; false for keys that it refuses. */
export function isValidForNode({ message, publicKey, signature }: Signed): boolean {
  const coordinate = (start: number): string =>
    Buffer.from(publicKey.subarray(start, start + 48)).toString("base64url");
  try {
    const key = createPublicKey({
      key: { kty: "EC", crv: "P-384", x: coordinate(0), y: coordinate(48) },
      format: "jwk",
    });
    return verify("sha384", message, { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false;
  }
}
