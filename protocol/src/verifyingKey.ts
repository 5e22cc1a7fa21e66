import { BaseError } from "./baseError.ts";
import type { VerifyingKeyJson } from "./groth16.ts";
import { SIGNAL_LIMIT } from "./scalarField.ts";

/** Order of BN254's base field. */
const P = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
/** Order of its groups. */
const R = SIGNAL_LIMIT;

type G1Json = VerifyingKeyJson["vk_alpha_1"];
type G2Json = VerifyingKeyJson["vk_beta_2"];
/** Element of Fp[i] / (i^2 + 1): real part, imaginary part. */
type Fp2 = readonly [bigint, bigint];
type Point2 = { x: Fp2; y: Fp2 };

const G2_GENERATOR_X: Fp2 = [
  10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  11559732032986387107991004021392285783925812861821192530917403151452391805634n,
];
const G1_GENERATOR_X = 1n;

/**
 * Refuses verifying keys under which anybody could forge a proof, as far as a key shows it: the list of
 * `VerifyingKeyCheck.sol` in its order, with the reasons in docs/verifying-keys.md. Throws
 * `verifyingKey.pointInvalid`, `verifyingKey.pointIsGenerator` or `verifyingKey.pointsRelated`, naming the points
 * (`alpha`, `beta`, `gamma`, `delta`, `IC[i]`; also in `details.points`).
 */
export function requireSoundVerifyingKey(key: VerifyingKeyJson): void {
  const g1 = [readG1("alpha", key.vk_alpha_1)];
  const beta = readG2("beta", key.vk_beta_2);
  const gamma = readG2("gamma", key.vk_gamma_2);
  const delta = readG2("delta", key.vk_delta_2);
  g1.push(...key.IC.map((point, index) => readG1(`IC[${index}]`, point)));

  if (g1[0]?.x === G1_GENERATOR_X) throw isGenerator("alpha");
  for (const point of [beta, delta]) {
    if (isEqual(point.x, G2_GENERATOR_X)) throw isGenerator(point.name);
  }
  // Equal and opposite points, and no others, have the same x coordinate.
  for (const [first, second] of [
    [beta, gamma],
    [beta, delta],
    [gamma, delta],
  ] as const) {
    if (isEqual(first.x, second.x)) throw areRelated(first.name, second.name);
  }
  const seen = new Map<bigint, string>();
  for (const { name, x } of g1) {
    const first = seen.get(x);
    if (first !== undefined) throw areRelated(first, name);
    seen.set(x, name);
  }
}

const isGenerator = (name: string): BaseError =>
  new BaseError({
    code: "verifyingKey.pointIsGenerator",
    message: `${name} is the generator or its opposite: anybody could forge proofs under this key`,
    details: { points: [name] },
  });

const areRelated = (first: string, second: string): BaseError =>
  new BaseError({
    code: "verifyingKey.pointsRelated",
    message: `${first} and ${second} are equal or opposite: anybody could forge proofs under this key`,
    details: { points: [first, second] },
  });

const isInvalid = (name: string, reason: string): BaseError =>
  new BaseError({
    code: "verifyingKey.pointInvalid",
    message: `${name} ${reason}`,
    details: { points: [name] },
  });

function coordinate(name: string, text: string | undefined): bigint {
  if (text === undefined || !/^\d+$/.test(text))
    throw isInvalid(name, "has no decimal coordinates");
  const value = BigInt(text);
  if (value >= P) throw isInvalid(name, "has a coordinate that is not below the field's order");
  return value;
}

function readG1(name: string, [x, y, z]: G1Json): { name: string; x: bigint } {
  if (z !== "1") throw isInvalid(name, "is zero, or not affine");
  const point = { name, x: coordinate(name, x), y: coordinate(name, y) };
  const isOnCurve = (point.y ** 2n - point.x ** 3n - 3n) % P === 0n;
  if (!isOnCurve) throw isInvalid(name, "is not on the curve");
  return point;
}

function readG2(name: string, [x, y, z]: G2Json): Point2 & { name: string } {
  if (z?.[0] !== "1" || z[1] !== "0") throw isInvalid(name, "is zero, or not affine");
  const read = (pair: readonly string[] | undefined): Fp2 => [
    coordinate(name, pair?.[0]),
    coordinate(name, pair?.[1]),
  ];
  const point = { x: read(x), y: read(y) };
  const cube = multiply(point.x, multiply(point.x, point.x));
  const isOnTwist = isEqual(multiply(point.y, point.y), add(cube, TWIST_B));
  if (!isOnTwist) throw isInvalid(name, "is not on the curve");
  if (!isInSubgroup(point)) throw isInvalid(name, "is not in the subgroup");
  return { name, ...point };
}

const mod = (a: bigint): bigint => ((a % P) + P) % P;
const isEqual = (a: Fp2, b: Fp2): boolean => a[0] === b[0] && a[1] === b[1];
const add = (a: Fp2, b: Fp2): Fp2 => [mod(a[0] + b[0]), mod(a[1] + b[1])];
const subtract = (a: Fp2, b: Fp2): Fp2 => [mod(a[0] - b[0]), mod(a[1] - b[1])];
const multiply = (a: Fp2, b: Fp2): Fp2 => [
  mod(a[0] * b[0] - a[1] * b[1]),
  mod(a[0] * b[1] + a[1] * b[0]),
];
const isZero = (a: Fp2): boolean => a[0] === 0n && a[1] === 0n;

/** 1 / a; the norm's inverse by the extended Euclidean algorithm. */
function invert(a: Fp2): Fp2 {
  let [r0, r1, inverse, next] = [P, mod(a[0] * a[0] + a[1] * a[1]), 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1, inverse, next] = [r1, r0 - quotient * r1, next, inverse - quotient * next];
  }
  return [mod(a[0] * inverse), mod(-a[1] * inverse)];
}

/** The twist is y^2 = x^3 + 3 / (9 + i). */
const TWIST_B: Fp2 = multiply([3n, 0n], invert([9n, 1n]));

/** Whether r times the point is zero; by affine addition, since speed does not matter here. */
function isInSubgroup(point: Point2): boolean {
  let sum: Point2 | undefined;
  for (const bit of R.toString(2)) {
    sum = addPoints(sum, sum);
    if (bit === "1") sum = addPoints(sum, point);
  }
  return sum === undefined;
}

/** Sum of two points of the twist; `undefined` is zero. */
function addPoints(a: Point2 | undefined, b: Point2 | undefined): Point2 | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const isSameX = isEqual(a.x, b.x);
  if (isSameX && isZero(add(a.y, b.y))) return undefined;
  const square = multiply(a.x, a.x);
  const slope = isSameX
    ? multiply(add(square, add(square, square)), invert(add(a.y, a.y)))
    : multiply(subtract(b.y, a.y), invert(subtract(b.x, a.x)));
  const x = subtract(subtract(multiply(slope, slope), a.x), b.x);
  return { x, y: subtract(multiply(slope, subtract(a.x, x)), a.y) };
}
