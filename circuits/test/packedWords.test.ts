import { packWords, type TensorLayout, wordCount } from "@haca/protocol/tensorLayout";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../src/mutateWitness.ts";
import { compileTemplate } from "./utils/compileTemplate.ts";

const layout = (count: number, bits: number): TensorLayout => ({
  count,
  bits,
  isSigned: false,
  scaleExponent: 0,
});

const CASES: { title: string; layouts: TensorLayout[] }[] = [
  { title: "one element of a whole word", layouts: [layout(1, 248)] },
  { title: "a last element that would cross bit 248", layouts: [layout(50, 5)] },
  { title: "tensors of different widths", layouts: [layout(10, 24), layout(1, 4), layout(3, 100)] },
  { title: "a word filled exactly, then one more bit", layouts: [layout(31, 8), layout(1, 1)] },
];

describe("PackedWords", () => {
  it.each(CASES)("agrees with packWords: $title", async ({ layouts }) => {
    const widths = layouts.flatMap(({ count, bits }) => new Array<number>(count).fill(bits));
    const words = wordCount(layouts);
    const { calculator } = await compileTemplate({
      file: "packedWords",
      main: `PackedWords(${words}, ${widths.length}, [${widths}])`,
    });
    const random = seededRandom(7n);
    const samples = [
      widths.map((bits) => (1n << BigInt(bits)) - 1n),
      widths.map((bits) => random(1n << BigInt(bits))),
    ];
    for (const integers of samples) {
      const witness = calculator.calculate({ in: integers });
      expect(witness.slice(1, 1 + words)).toEqual(packWords({ layouts, integers }));
    }
  });

  it("refuses a wrong number of words when the circuit is compiled", async () => {
    await expect(
      compileTemplate({ file: "packedWords", main: "PackedWords(2, 2, [124, 124])" }),
    ).rejects.toMatchObject({ code: "circuit.compileFailed" });
  });
});
