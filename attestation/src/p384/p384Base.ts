import { createHash } from "node:crypto";
import { toBytes } from "../bytes.ts";
import { type AffinePoint, add, double, GENERATOR, multiply, pointWithX } from "./p384Curve.ts";
import { toMontgomery } from "./p384Montgomery.ts";

/** Doublings of one signature check: scalars have about half the length of n. */
export const DOUBLINGS = 192;
/** Window width of the fixed points G and 2^192 G: odd multiples up to 127, 64 of each. */
export const BASE_WINDOW = 8;
/** Window width of the points Q and R of a signature: odd multiples up to 15, 8 of each. */
export const POINT_WINDOW = 5;

/** point, 3 point, 5 point, ... for signed windows of this width: 2^(width - 2) points. */
export function oddMultiples(point: AffinePoint, width: number): AffinePoint[] {
  const twice = double(point);
  const multiples = [point];
  for (let previous = point; multiples.length < 2 ** (width - 2); multiples.push(previous)) {
    const next = add(previous, twice);
    if (next === undefined) throw new RangeError("a small multiple of a point is infinity");
    previous = next;
  }
  return multiples;
}

const multipleOf = (point: AffinePoint, scalar: bigint): AffinePoint => {
  const multiple = multiply(point, scalar);
  if (multiple === undefined) throw new RangeError("a multiple of a point is infinity");
  return multiple;
};

/** G and 2^192 G: a scalar of 384 bits becomes two of 192. */
export const BASE_POINTS: readonly [AffinePoint, AffinePoint] = [
  GENERATOR,
  multipleOf(GENERATOR, 2n ** BigInt(DOUBLINGS)),
];

/** The odd multiples of both fixed points. */
export const BASE_MULTIPLES: readonly (readonly AffinePoint[])[] = BASE_POINTS.map((point) =>
  oddMultiples(point, BASE_WINDOW),
);

/** A point in the contract's form: x | y, 48 bytes each, as Montgomery residues. */
export const packPoint = ({ x, y }: AffinePoint): Uint8Array =>
  new Uint8Array([...toBytes(toMontgomery(x), 48), ...toBytes(toMontgomery(y), 48)]);

/** Constructor argument of EcdsaP384: 64 odd multiples of G, then 64 of 2^192 G, 96 bytes each. */
export const p384BaseTable = (): Uint8Array =>
  new Uint8Array(Buffer.concat(BASE_MULTIPLES.flat().map(packPoint)));

/** Where the running sum starts: a point that nobody chose, so that no signature is made to collide with it. */
function deriveOffset(): AffinePoint {
  for (let counter = 0; ; ++counter) {
    const digest = createHash("sha384").update(`HACA P-384 offset ${counter}`).digest("hex");
    const point = pointWithX(BigInt(`0x${digest}`));
    if (point !== undefined) return point;
  }
}

/** Point with x = SHA-384("HACA P-384 offset <counter>") for the first counter that gives one, and even y. */
export const OFFSET = deriveOffset();
/** What the running sum must be after the last step: 2^192 OFFSET. */
export const OFFSET_END = multipleOf(OFFSET, 2n ** BigInt(DOUBLINGS));
