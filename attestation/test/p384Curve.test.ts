import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { invert, N, P } from "../src/p384/p384Curve.ts";

const digest = (text: string): bigint =>
  BigInt(`0x${createHash("sha512").update(text).digest("hex")}`);

describe.each([
  ["the field", P],
  ["the group's order", N],
  // Shorter than the leading bits that are looked at, and a little longer.
  ["a prime of 31 bits", 2n ** 31n - 1n],
  ["a prime of 61 bits", 2n ** 61n - 1n],
])("inverses modulo %s", (_, prime) => {
  it("are those of numbers of every length, and of those next to the prime", () => {
    const numbers: bigint[] = [1n, 2n, prime - 1n, prime - 2n, prime / 2n, prime / 3n, prime + 5n];
    for (let bits = 0n; 2n ** bits < prime; bits++)
      numbers.push(2n ** bits + 1n, prime - 2n ** bits);
    for (let i = 0; i < 2_000; i++) numbers.push(digest(`number ${i}`) >> BigInt(i % 500));
    for (const number of numbers.filter((one) => one % prime !== 0n)) {
      const inverse = invert(number, prime) ?? 0n;
      expect((inverse * number) % prime, `${number}`).toBe(1n);
      expect(inverse > 0n && inverse < prime, `${number}`).toBe(true);
    }
  });

  it("are none of zero and of the prime", () => {
    for (const number of [0n, prime, -prime]) expect(invert(number, prime)).toBeUndefined();
  });
});
