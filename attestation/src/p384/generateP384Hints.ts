import { createHash } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { fromBytes, toBytes } from "../bytes.ts";
import { halfSizeScalars } from "./halfSizeScalars.ts";
import {
  BASE_MULTIPLES,
  BASE_POINTS,
  DOUBLINGS,
  OFFSET_END,
  oddMultiples,
  POINT_WINDOW,
} from "./p384Base.ts";
import {
  type AffinePoint,
  add,
  chordSlope,
  double,
  invert,
  isOnCurve,
  modulo,
  multiply,
  N,
  tangentSlope,
} from "./p384Curve.ts";
import { toMontgomery } from "./p384Montgomery.ts";
import { estimateCost, p384Program, packSlope, type Term } from "./p384Program.ts";

const COORDINATE_LENGTH = 48;
const QUOTIENT_LENGTH = 64;
const HALF = 2n ** BigInt(DOUBLINGS);

/**
 * The hints with which the contract `EcdsaP384` checks a signature (ECDSA, P-384, SHA-384). About 16 kB.
 *
 * @param parameters.message signed bytes, not hashed
 * @param parameters.publicKey x | y, 48 bytes each, big-endian
 * @param parameters.signature r | s, 48 bytes each, big-endian
 * @throws BaseError `p384.publicKeyInvalid`, `p384.signatureInvalid`: an invalid signature has no hints
 */
export function generateP384Hints(parameters: {
  message: Uint8Array;
  publicKey: Uint8Array;
  signature: Uint8Array;
}): Uint8Array {
  const z = BigInt(`0x${createHash("sha384").update(parameters.message).digest("hex")}`);
  const publicKey = readPublicKey(parameters.publicKey);
  const { r, s } = readSignature(parameters.signature);
  const inverse = invert(s, N);
  if (inverse === undefined) throw signatureInvalid("s has no inverse");
  const u1 = modulo(z * inverse, N);
  const u2 = modulo(r * inverse, N);
  const point = add(multiply(BASE_POINTS[0], u1), multiply(publicKey, u2));
  if (point === undefined || modulo(point.x, N) !== r) {
    throw signatureInvalid("it is not this key's signature of this message");
  }
  const multiples = [
    ...BASE_MULTIPLES,
    oddMultiples(publicKey, POINT_WINDOW),
    oddMultiples(point, POINT_WINDOW),
  ];
  const candidates = halfSizeScalars(u2)
    .map((scalars) => {
      const g = modulo(-scalars.t * u1, N);
      const terms = makeTerms({ integers: [g % HALF, g / HALF, scalars.q, scalars.t], multiples });
      return { ...scalars, g, terms, cost: estimateCost(terms) };
    })
    .sort((a, b) => a.cost - b.cost);
  for (const { q, t, g, terms } of candidates) {
    const program = p384Program({ terms });
    if (program === undefined) continue;
    if (program.end.x !== OFFSET_END.x || program.end.y !== OFFSET_END.y) {
      throw new RangeError("the program does not end in the point that it must");
    }
    return new Uint8Array(
      Buffer.concat([
        Uint8Array.of(point.x === r ? 0 : 1),
        toBytes(toMontgomery(point.y), COORDINATE_LENGTH),
        packQuotient((g * s + t * z) / N),
        packQuotient((q * s + t * r) / N),
        packMultipleSlopes(publicKey),
        packMultipleSlopes(point),
        program.bytes,
      ]),
    );
  }
  throw new BaseError({
    code: "p384.noProgram",
    message: "every program of this signature adds a point to itself",
  });
}

/** One term per point, in the order of the contract's table. */
function makeTerms(parameters: {
  integers: readonly bigint[];
  multiples: readonly (readonly AffinePoint[])[];
}): Term[] {
  let first = 0;
  return parameters.multiples.map((multiples, i) => {
    const term = { scalar: parameters.integers[i] ?? 0n, first, multiples };
    first += multiples.length;
    return term;
  });
}

/** Slopes of 2 P, 3 P = P + 2 P, 5 P = 3 P + 2 P, ... */
function packMultipleSlopes(point: AffinePoint): Uint8Array {
  const twice = double(point);
  const slopes = oddMultiples(point, POINT_WINDOW)
    .slice(0, -1)
    .map((multiple) => {
      const slope = chordSlope(multiple, twice);
      if (slope === undefined) throw new RangeError("a multiple of a point is its double");
      return packSlope(slope);
    });
  return new Uint8Array(Buffer.concat([packSlope(tangentSlope(point)), ...slopes]));
}

/** Two's complement. */
const packQuotient = (value: bigint): Uint8Array =>
  toBytes(BigInt.asUintN(8 * QUOTIENT_LENGTH, value), QUOTIENT_LENGTH);

function readPublicKey(bytes: Uint8Array): AffinePoint {
  const point = {
    x: fromBytes(bytes.subarray(0, COORDINATE_LENGTH)),
    y: fromBytes(bytes.subarray(COORDINATE_LENGTH)),
  };
  if (bytes.length !== 2 * COORDINATE_LENGTH || !isOnCurve(point)) {
    throw new BaseError({
      code: "p384.publicKeyInvalid",
      message: "the public key is not a point of P-384 in 96 bytes",
      details: { length: bytes.length },
    });
  }
  return point;
}

function readSignature(bytes: Uint8Array): { r: bigint; s: bigint } {
  const r = fromBytes(bytes.subarray(0, COORDINATE_LENGTH));
  const s = fromBytes(bytes.subarray(COORDINATE_LENGTH));
  if (bytes.length !== 2 * COORDINATE_LENGTH) throw signatureInvalid("it is not 96 bytes long");
  if (r < 1n || r >= N || s < 1n || s >= N) throw signatureInvalid("r or s is not in [1, n - 1]");
  return { r, s };
}

const signatureInvalid = (reason: string): BaseError =>
  new BaseError({
    code: "p384.signatureInvalid",
    message: `the signature is not valid: ${reason}`,
  });
