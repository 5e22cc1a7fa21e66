import { readFileSync } from "node:fs";
import type { Groth16ProofJson, VerifyingKeyJson } from "@haca/protocol/groth16";
import {
  type G1,
  G1_GENERATOR,
  type G2,
  G2_GENERATOR,
  inverse,
  modulo,
  multiplyG1,
  multiplyG2,
  P,
  pointOutsideG2,
  R,
} from "./bn254.ts";
import { makeTrapdoor, type Trapdoor } from "./groth16Simulator.ts";
import { scalarsFrom } from "./randomScalars.ts";

/**
 * A verifying key, what is wrong with it, and a proof that holds under it. The key is refused for the first fault
 * that the common order of checks meets; the proof shows what would follow if it were not.
 */
export type KeyVector = {
  name: string;
  /** null for a key that is to be accepted; its proof is then an honest one */
  fault: {
    kind: "pointInvalid" | "pointIsGenerator" | "pointsRelated";
    /** alpha, beta, gamma, delta, IC[i] */
    points: string[];
  } | null;
  key: VerifyingKeyJson & { protocol: string; curve: string };
  /** null where the fault allows no forgery by itself */
  forgery: {
    /** what the forger has: never a secret */
    from:
      | "the key"
      | "the key and one proof"
      | "the key, the circuit and the powers of tau"
      | "the trapdoor";
    signals: string[];
    proof: Groth16ProofJson & { protocol: string; curve: string };
  } | null;
};

type Scalars = { a: bigint; b: bigint; c: bigint };
type From = NonNullable<KeyVector["forgery"]>["from"];

const KIND = { protocol: "groth16", curve: "bn128" };
const SIGNALS = [1234n, 5678n, 42n];

const g1 = (point: G1): string[] =>
  point === "zero" ? ["0", "1", "0"] : [String(point.x), String(point.y), "1"];
const g2 = (point: G2): string[][] =>
  point === "zero"
    ? [
        ["0", "0"],
        ["1", "0"],
        ["0", "0"],
      ]
    : [point.x.map(String), point.y.map(String), ["1", "0"]];
const g1Of = (scalar: bigint): string[] => g1(multiplyG1(G1_GENERATOR, scalar));
const g2Of = (scalar: bigint): string[][] => g2(multiplyG2(G2_GENERATOR, scalar));

const keyOf = ({ alpha, beta, gamma, delta, ic }: Trapdoor): KeyVector["key"] => ({
  ...KIND,
  nPublic: ic.length - 1,
  vk_alpha_1: g1Of(alpha),
  vk_beta_2: g2Of(beta),
  vk_gamma_2: g2Of(gamma),
  vk_delta_2: g2Of(delta),
  IC: ic.map(g1Of),
});

const forgeryOf = (from: From, signals: readonly bigint[], { a, b, c }: Scalars) => ({
  from,
  signals: signals.map((signal) => String(modulo(signal, R))),
  proof: { ...KIND, pi_a: g1Of(a), pi_b: g2Of(b), pi_c: g1Of(c) },
});

/** L = ic[0] + sum of signals[i] ic[i + 1]. */
const publicPart = ({ ic }: Trapdoor, signals: readonly bigint[]): bigint =>
  [1n, ...signals].reduce((sum, signal, i) => modulo(sum + signal * (ic[i] ?? 0n), R), 0n);

/** A proof by who knows everything. */
const honest = (key: Trapdoor, signals: readonly bigint[]): Scalars => {
  const random = scalarsFrom("honest");
  const [a, b] = [random(), random()];
  const rest = a * b - key.alpha * key.beta - publicPart(key, signals) * key.gamma;
  return { a, b, c: modulo(rest * inverse(key.delta, R), R) };
};

const SOUND = makeTrapdoor({ signalCount: 3, random: scalarsFrom("verifying key vectors") });

/** The committed vectors: the other languages read them too. */
export const KEY_VECTORS: KeyVector[] = JSON.parse(
  readFileSync(new URL("../../vectors/verifyingKeys.json", import.meta.url), "utf8"),
);

/** What `test/vectors/verifyingKeys.json` must hold. */
export function makeKeyVectors(): KeyVector[] {
  return [...soundKeys(), ...invalidPoints(), ...[1n, -1n].flatMap(forgeableKeys), allIcAreAlpha()];
}

function soundKeys(): KeyVector[] {
  const keys: Record<string, Trapdoor> = {
    "a sound key": SOUND,
    "gamma is the generator, as in every key of snarkjs": { ...SOUND, gamma: 1n },
    "gamma is minus the generator": { ...SOUND, gamma: R - 1n },
    "IC[1] is the generator": { ...SOUND, ic: SOUND.ic.with(1, 1n) },
  };
  return Object.entries(keys).map(([name, key]) => ({
    name,
    fault: null,
    key: keyOf(key),
    forgery: forgeryOf("the trapdoor", SIGNALS, honest(key, SIGNALS)),
  }));
}

/** The points at each place: zero, off the curve, with a coordinate that is not reduced, outside the group. */
function invalidPoints(): KeyVector[] {
  const key = keyOf(SOUND);
  const vector = (what: string, point: string, change: Partial<KeyVector["key"]>): KeyVector => ({
    name: `${point} ${what}`,
    fault: { kind: "pointInvalid", points: [point] },
    key: { ...key, ...change },
    forgery: null,
  });
  const plus = (text: string | undefined, amount: bigint): string =>
    String(BigInt(text ?? 0) + amount);
  const bad1 = (point: readonly string[]): Record<string, string[]> => ({
    "is zero": g1("zero"),
    "is off the curve": [plus(point[0], 1n), point[1] ?? "", "1"],
    "has a coordinate that is not below p": [plus(point[0], P), point[1] ?? "", "1"],
  });
  const bad2 = (point: readonly (readonly string[])[]): Record<string, string[][]> => {
    const [x = [], y = []] = point.map((pair) => [...pair]);
    return {
      "is zero": g2("zero"),
      "is off the curve": [[plus(x[0], 1n), x[1] ?? ""], y, ["1", "0"]],
      "has a coordinate that is not below p": [[plus(x[0], P), x[1] ?? ""], y, ["1", "0"]],
      "is outside the subgroup": g2(pointOutsideG2()),
    };
  };
  const each = <T>(bad: Record<string, T>, point: string, change: (value: T) => object) =>
    Object.entries(bad).map(([what, value]) => vector(what, point, change(value)));
  return [
    ...each(bad1(key.vk_alpha_1), "alpha", (vk_alpha_1) => ({ vk_alpha_1 })),
    ...each(bad2(key.vk_beta_2), "beta", (vk_beta_2) => ({ vk_beta_2 })),
    ...each(bad2(key.vk_gamma_2), "gamma", (vk_gamma_2) => ({ vk_gamma_2 })),
    ...each(bad2(key.vk_delta_2), "delta", (vk_delta_2) => ({ vk_delta_2 })),
    ...key.IC.flatMap((point, i) =>
      each(bad1(point), `IC[${i}]`, (value) => ({ IC: key.IC.with(i, value) })),
    ),
  ];
}

/** Two points that are equal (sign 1) or opposite (sign -1), and what anybody makes of it. */
function forgeableKeys(sign: bigint): KeyVector[] {
  const s = modulo(sign, R);
  const relation = (first: string, second: string): string =>
    `${first} = ${sign === 1n ? "" : "-"}${second}`;
  const vector = (parameters: {
    points: string[];
    change: Partial<Trapdoor>;
    from?: From;
    signals?: readonly bigint[];
    forge?: (key: Trapdoor, l: bigint) => Scalars;
  }): KeyVector => {
    const { points, change, forge } = parameters;
    const key = { ...SOUND, ...change };
    const signals = parameters.signals ?? SIGNALS;
    const isPair = points.length === 2;
    return {
      name: relation(points[0] ?? "", points[1] ?? "generator"),
      fault: { kind: isPair ? "pointsRelated" : "pointIsGenerator", points },
      key: keyOf(key),
      forgery: forge
        ? forgeryOf(parameters.from ?? "the key", signals, forge(key, publicPart(key, signals)))
        : null,
    };
  };
  const { ic, alpha, beta, gamma } = SOUND;
  const tau: From = "the key, the circuit and the powers of tau";
  return [
    vector({
      points: ["beta", "gamma"],
      change: { gamma: s * beta },
      forge: (key, l) => ({ a: key.alpha + s * l, b: key.beta, c: 0n }),
    }),
    vector({
      points: ["beta", "delta"],
      change: { delta: s * beta },
      forge: (key, l) => ({ a: l, b: key.gamma, c: -s * key.alpha }),
    }),
    vector({
      points: ["gamma", "delta"],
      change: { delta: s * gamma },
      forge: (key, l) => ({ a: key.alpha, b: key.beta, c: -s * l }),
    }),
    // gamma * L is the sum of signals times (beta u + alpha v + w)(tau): circuit and powers of tau give its points.
    vector({
      points: ["beta"],
      change: { beta: s },
      from: tau,
      forge: (key, l) => ({ a: key.alpha + s * l * key.gamma, b: key.beta, c: 0n }),
    }),
    vector({
      points: ["delta"],
      change: { delta: s },
      from: tau,
      forge: (key, l) => ({ a: key.alpha, b: key.beta, c: -s * l * key.gamma }),
    }),
    alphaIsGenerator(s, relation("alpha", "generator")),
    vector({
      points: ["alpha", "IC[0]"],
      change: { ic: ic.with(0, s * alpha) },
      signals: [0n, 0n, 0n],
      forge: (key) => ({ a: key.alpha, b: key.beta + s * key.gamma, c: 0n }),
    }),
    ...[1, 2, 3].map((i) =>
      vector({ points: ["alpha", `IC[${i}]`], change: { ic: ic.with(i, s * alpha) } }),
    ),
    // The signals for which L is zero; then (alpha, beta, 0) holds.
    ...[1, 2, 3].map((i) =>
      vector({
        points: ["IC[0]", `IC[${i}]`],
        change: { ic: ic.with(i, s * (ic[0] ?? 0n)) },
        signals: [0n, 0n, 0n].with(i - 1, -s),
        forge: (key) => ({ a: key.alpha, b: key.beta, c: 0n }),
      }),
    ),
    // A proof of other signals with the same L.
    ...[
      [1, 2],
      [1, 3],
      [2, 3],
    ].map(([i = 0, j = 0]) =>
      vector({
        points: [`IC[${i}]`, `IC[${j}]`],
        change: { ic: ic.with(j, s * (ic[i] ?? 0n)) },
        from: "the key and one proof",
        signals: SIGNALS.map(
          (signal, k) => signal + (k + 1 === i ? 99n : k + 1 === j ? -s * 99n : 0n),
        ),
        forge: (key) => honest(key, SIGNALS),
      }),
    ),
  ];
}

/**
 * alpha = s for s = 1 or -1, and the circuit x * x = y with y and two idle signals public, in snarkjs' form: row 0 is
 * (x)(x) = y, the next four are (1)(0) = 0 and (signal)(0) = 0 for each public one. With U and W = y L0 over the rows'
 * Lagrange polynomials and x = 0, the points A = s + U(tau), B = beta + s y L0(tau), C = s y L0(tau) U(tau) / delta
 * hold for every y. All come from the powers of tau and, since the domain's polynomial divides L0 U, from the H
 * points of the proving key.
 */
function alphaIsGenerator(s: bigint, name: string): KeyVector {
  const { beta, gamma, delta } = SOUND;
  const tau = scalarsFrom("tau")();
  const rows = 8n;
  const root = power(5n, (R - 1n) / rows);
  const lagrange = (row: number): bigint => {
    const w = power(root, BigInt(row));
    return modulo((power(tau, rows) - 1n) * w * inverse(modulo(rows * (tau - w), R), R), R);
  };
  // No square: no x exists.
  const signals = [5n, ...SIGNALS.slice(1)];
  const [y = 0n] = signals;
  const u = [1n, ...signals].reduce((sum, signal, i) => sum + signal * lagrange(i + 1), 0n);
  const over = inverse(gamma, R);
  const key: Trapdoor = {
    ...{ alpha: s, beta, gamma, delta },
    ic: [1, 2, 3, 4].map((row) => (beta * lagrange(row) + (row === 2 ? lagrange(0) : 0n)) * over),
  };
  const proof = {
    a: s + u,
    b: beta + s * y * lagrange(0),
    c: s * y * lagrange(0) * u * inverse(delta, R),
  };
  return {
    name,
    fault: { kind: "pointIsGenerator", points: ["alpha"] },
    key: keyOf(key),
    forgery: forgeryOf("the key, the circuit and the powers of tau", signals, proof),
  };
}

function allIcAreAlpha(): KeyVector {
  const key = { ...SOUND, ic: SOUND.ic.map(() => SOUND.alpha) };
  const factor = SIGNALS.reduce((sum, signal) => sum + signal, 1n);
  return {
    name: "every IC point = alpha",
    fault: { kind: "pointsRelated", points: ["alpha", "IC[0]"] },
    key: keyOf(key),
    forgery: forgeryOf("the key", SIGNALS, {
      ...{ a: key.alpha, b: key.beta + factor * key.gamma, c: 0n },
    }),
  };
}

/** base^exponent mod r; 5 generates the scalar field's multiplicative group. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let bit = exponent.toString(2).length - 1; bit >= 0; bit--) {
    result = (result * result) % R;
    if ((exponent >> BigInt(bit)) & 1n) result = (result * base) % R;
  }
  return result;
}
