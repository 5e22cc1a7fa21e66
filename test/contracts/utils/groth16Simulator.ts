import { concat, dataSlice, toBeHex } from "ethers";
import {
  type G1,
  G1_GENERATOR,
  type G2,
  G2_GENERATOR,
  inverse,
  modulo,
  multiplyG1,
  multiplyG2,
  R,
} from "./bn254.ts";

/** The discrete logarithms behind a verifying key. Who knows them can prove anything, as the tests do. */
export type Trapdoor = {
  alpha: bigint;
  beta: bigint;
  gamma: bigint;
  delta: bigint;
  ic: readonly bigint[];
};

export const encodeG1 = (point: G1): string =>
  point === "zero" ? `0x${"00".repeat(64)}` : concat([toBeHex(point.x, 32), toBeHex(point.y, 32)]);

export const encodeG2 = (point: G2): string =>
  point === "zero"
    ? `0x${"00".repeat(128)}`
    : concat([point.x[1], point.x[0], point.y[1], point.y[0]].map((c) => toBeHex(c, 32)));

const coordinate = (data: string, index: number): bigint =>
  BigInt(dataSlice(data, 32 * index, 32 * index + 32));

export const decodeG1 = (data: string): G1 => ({ x: coordinate(data, 0), y: coordinate(data, 1) });

export const decodeG2 = (data: string): G2 => ({
  x: [coordinate(data, 1), coordinate(data, 0)],
  y: [coordinate(data, 3), coordinate(data, 2)],
});

const g1 = (scalar: bigint): string => encodeG1(multiplyG1(G1_GENERATOR, scalar));
const g2 = (scalar: bigint): string => encodeG2(multiplyG2(G2_GENERATOR, scalar));

/** A trapdoor for `signalCount` public signals, drawn from `random` (a source of scalars). */
export function makeTrapdoor(parameters: { signalCount: number; random: () => bigint }): Trapdoor {
  const { signalCount, random } = parameters;
  return {
    alpha: random(),
    beta: random(),
    gamma: random(),
    delta: random(),
    ic: Array.from({ length: signalCount + 1 }, random),
  };
}

/** The verifying key of a trapdoor, in the registry's format. */
export function makeVerifyingKey(trapdoor: Trapdoor): string {
  const { alpha, beta, gamma, delta, ic } = trapdoor;
  return concat([g1(alpha), g2(beta), g2(gamma), g2(delta), ...ic.map(g1)]);
}

/**
 * A proof that holds for `signals`: a and b are free, and C solves the verification equation
 * `a b = alpha beta + L gamma + c delta` (mod r), with `L = ic[0] + sum of signals[i] ic[i + 1]`.
 */
export function makeProof(parameters: {
  trapdoor: Trapdoor;
  signals: readonly bigint[];
  a: bigint;
  b: bigint;
}): string {
  const { trapdoor, signals, a, b } = parameters;
  const { alpha, beta, gamma, delta, ic } = trapdoor;
  if (ic.length !== signals.length + 1) throw new Error(`expected ${ic.length - 1} signals`);
  const l = [1n, ...signals].reduce(
    (sum, signal, i) => modulo(sum + signal * (ic[i] as bigint), R),
    0n,
  );
  const c = modulo((a * b - alpha * beta - l * gamma) * inverse(delta, R), R);
  return concat([g1(a), g2(b), g1(c)]);
}
