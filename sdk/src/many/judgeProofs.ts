import {
  finishedProduct,
  isOne,
  powerOf,
  sumOf,
  unfinishedProduct,
} from "@haca/protocol/groth16Points";
import { isProof, type ReadClaim, readClaim } from "../groth16.ts";
import type { ProofClaim } from "../proofClaim.ts";
import type { Breathe } from "./breather.ts";

/** What `isProof` answers, or throws. */
export type Verdict = boolean | Error;

type Entry = { claim: ProofClaim; read: ReadClaim; place: number };

/** Fewer are looked at one by one. */
const LEAST_TOGETHER = 3;
/** Of a factor: a combination of claims that do not all hold is taken for one that does with a chance of 2^-128. */
const FACTOR_BYTES = 16;

/**
 * What `isProof` answers to each claim. Those under one key are looked at together: the equation of each to the power of a random
 * factor, all of them multiplied. Where that does not hold, halves are, until each claim that does not hold is found.
 */
export async function judgeProofs(
  claims: readonly ProofClaim[],
  breathe: Breathe,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = claims.map(() => false);
  const byKey = new Map<string, Entry[]>();
  for (const [place, claim] of claims.entries()) {
    try {
      const entries = byKey.get(claim.verifyingKey) ?? [];
      entries.push({ claim, place, read: readClaim(claim) });
      byKey.set(claim.verifyingKey, entries);
    } catch (error) {
      verdicts[place] = error instanceof Error ? error : new Error("the proof cannot be read");
    }
    await breathe();
  }
  const left = [...byKey.values()];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (part.length < LEAST_TOGETHER) {
      for (const { claim, place } of part) {
        verdicts[place] = isProof(claim);
        await breathe();
      }
    } else if (await holdTogether(part, breathe)) {
      for (const { place } of part) verdicts[place] = true;
    } else {
      const half = Math.ceil(part.length / 2);
      left.push(part.slice(0, half), part.slice(half));
    }
  }
  return verdicts;
}

/** e(A, B) = e(alpha, beta) e(L, gamma) e(C, delta) of each claim, to its factor's power. */
async function holdTogether(entries: readonly Entry[], breathe: Breathe): Promise<boolean> {
  const [
    {
      read: { key },
    } = never(),
  ] = entries;
  const factors = entries.map(drawFactor);
  let product: ReturnType<typeof unfinishedProduct> | undefined;
  for (const [index, { read }] of entries.entries()) {
    const { a, b } = read.points;
    product = unfinishedProduct([sumOf([a.negate()], [factors[index] ?? 1n]), b], product);
    await breathe();
  }
  const total = factors.reduce((sum, factor) => sum + factor, 0n);
  const signals = key.ic
    .slice(1)
    .map((_, place) =>
      entries.reduce(
        (sum, { read }, index) => sum + (factors[index] ?? 1n) * (read.signals[place] ?? 0n),
        0n,
      ),
    );
  await breathe();
  const ic = await sumInParts(key.ic, [total, ...signals], breathe);
  product = unfinishedProduct([ic, key.gamma], product);
  await breathe();
  const c = await sumInParts(
    entries.map(({ read }) => read.points.c),
    factors,
    breathe,
  );
  product = unfinishedProduct([c, key.delta], product);
  await breathe();
  const finished = finishedProduct(product);
  await breathe();
  return isOne(finished, powerOf(key.alphaBeta, total));
}

const PART = 16;

async function sumInParts(
  points: readonly ReadClaim["points"]["c"][],
  factors: readonly bigint[],
  breathe: Breathe,
): Promise<ReadClaim["points"]["c"]> {
  const sums = [];
  for (let from = 0; from < points.length; from += PART) {
    sums.push(sumOf(points.slice(from, from + PART), factors.slice(from, from + PART)));
    await breathe();
  }
  return sumOf(
    sums,
    sums.map(() => 1n),
  );
}

/** Of 128 bits, and not zero. */
function drawFactor(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(FACTOR_BYTES));
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) || 1n;
}

function never(): never {
  throw new Error("there is no claim");
}
