import { describe, expect, it } from "vitest";
import {
  elementPositions,
  packWords,
  type TensorLayout,
  unpackWords,
  WORD_BITS,
  wordCount,
} from "../src/packedWords.ts";
import { tensorLayoutSchema } from "../src/tensorLayout.ts";
import { catchError } from "./catchError.ts";
import { randomFrom } from "./random.ts";

const RUNS = 200;

function tensor(count: number, bits: number, isSigned = false): TensorLayout {
  return { count, bits, isSigned, scaleExponent: 0 };
}

/** Random layouts and integers that fit them, the extremes of each element more often than chance has it. */
function randomCase(seed: string) {
  const random = randomFrom(seed);
  const layouts = Array.from({ length: 1 + Number(random(4n)) }, () =>
    tensor(1 + Number(random(60n)), 1 + Number(random(248n)), random(2n) === 1n),
  );
  const integers = layouts.flatMap(({ count, bits, isSigned }) => {
    const size = 1n << BigInt(bits);
    const offset = isSigned ? size / 2n : 0n;
    return Array.from({ length: count }, () => {
      const kind = random(4n);
      if (kind === 0n) return -offset;
      if (kind === 1n) return size - 1n - offset;
      return random(size) - offset;
    });
  });
  return { layouts, integers };
}

describe("packed words", () => {
  it("come back as the integers that were packed", () => {
    for (let run = 0; run < RUNS; run++) {
      const { layouts, integers } = randomCase(`round trip ${run}`);
      const words = packWords({ layouts, integers });
      expect(words).toHaveLength(wordCount(layouts));
      expect(words.every((word) => word < 1n << BigInt(WORD_BITS))).toBe(true);
      const tensors = unpackWords({ layouts, words });
      expect(tensors.map(({ length }) => length)).toEqual(layouts.map(({ count }) => count));
      expect(tensors.flat()).toEqual(integers);
    }
  });

  it("differ when an integer differs", () => {
    for (let run = 0; run < RUNS; run++) {
      const { layouts, integers } = randomCase(`injective ${run}`);
      const index = Number(randomFrom(`index ${run}`)(BigInt(integers.length)));
      const integer = integers[index] ?? 0n;
      const { bits = 1, isSigned } = elementPositions(layouts)[index] ?? {};
      const top = (1n << BigInt(bits)) - 1n - (isSigned ? 1n << BigInt(bits - 1) : 0n);
      const other = integer === top ? integer - 1n : integer + 1n;
      expect(packWords({ layouts, integers: integers.with(index, other) })).not.toEqual(
        packWords({ layouts, integers }),
      );
    }
  });

  it("lie as documented", () => {
    const layouts = [tensor(2, 100), tensor(1, 40), tensor(1, 60), tensor(2, 8, true)];
    expect(elementPositions(layouts).map(({ word, shift }) => [word, shift])).toEqual([
      [0, 0],
      [0, 100],
      [0, 200],
      [1, 0],
      [1, 60],
      [1, 68],
    ]);
    expect(packWords({ layouts, integers: [1n, 2n, 3n, 4n, -128n, 127n] })).toEqual([
      1n | (2n << 100n) | (3n << 200n),
      4n | (0n << 60n) | (255n << 68n),
    ]);
  });

  it("use the last bit of a word and no further", () => {
    expect(wordCount([])).toBe(0);
    expect(wordCount([tensor(2, 124)])).toBe(1);
    expect(wordCount([tensor(248, 1)])).toBe(1);
    expect(wordCount([tensor(249, 1)])).toBe(2);
    expect(wordCount([tensor(2, 125)])).toBe(2);
    expect(wordCount([tensor(3, 248)])).toBe(3);
  });

  it("refuse an integer that does not fit, and name it", () => {
    for (const [layout, integer] of [
      [tensor(2, 4), 16n],
      [tensor(2, 4), -1n],
      [tensor(2, 4, true), 8n],
      [tensor(2, 4, true), -9n],
    ] as const) {
      const error = catchError(() => packWords({ layouts: [layout], integers: [0n, integer] }));
      expect(error.code).toBe("words.elementOutOfRange");
      expect(error.message).toContain(`element 1 = ${integer}`);
    }
  });

  it("refuse a wrong number of integers or words", () => {
    const layouts = [tensor(3, 8)];
    for (const integers of [[], [1n, 2n], [1n, 2n, 3n, 4n]]) {
      expect(catchError(() => packWords({ layouts, integers })).code).toBe("words.elementCount");
    }
    for (const words of [[], [1n, 2n]]) {
      expect(catchError(() => unpackWords({ layouts, words })).code).toBe("words.wordCount");
    }
  });

  it("refuse bits that no element owns", () => {
    const layouts = [tensor(3, 80)];
    const words = packWords({ layouts, integers: [1n, 2n, 3n] });
    for (const stray of [240n, 247n, 248n, 255n]) {
      const changed = [(words[0] ?? 0n) | (1n << stray)];
      const error = catchError(() => unpackWords({ layouts, words: changed }));
      expect([error.code, error.message]).toEqual([
        "words.strayBits",
        "word 0 has bits outside every element",
      ]);
    }
    // between the last element of a word and its end, in a word that is not the last
    const two = [tensor(2, 200)];
    const error = catchError(() => unpackWords({ layouts: two, words: [1n << 200n, 0n] }));
    expect(error.code).toBe("words.strayBits");
  });
});

describe("tensorLayoutSchema", () => {
  it("accepts what the registry accepts", () => {
    for (const layout of [tensor(1, 1), tensor(0xffff_ffff, 248)]) {
      expect(tensorLayoutSchema.parse(layout)).toEqual(layout);
    }
  });

  it("refuses what the registry refuses", () => {
    const good = tensor(1, 1);
    for (const bad of [
      { ...good, count: 0 },
      { ...good, count: 2 ** 32 },
      { ...good, bits: 0 },
      { ...good, bits: 249 },
      { ...good, scaleExponent: -129 },
      { ...good, scaleExponent: 128 },
      { ...good, extra: 1 },
    ]) {
      expect(tensorLayoutSchema.safeParse(bad).success).toBe(false);
    }
  });
});
