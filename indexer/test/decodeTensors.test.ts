import { packWords, type TensorLayout } from "@haca/protocol/packedWords";
import { expect, test } from "vitest";
import { decodeTensors } from "../src/tensors.ts";

const inputLayout: TensorLayout[] = [{ count: 60, bits: 5, isSigned: false, scaleExponent: 0 }];
const outputLayout: TensorLayout[] = [
  { count: 2, bits: 20, isSigned: true, scaleExponent: -8 },
  { count: 1, bits: 4, isSigned: false, scaleExponent: 0 },
];
const input = Array.from({ length: 60 }, (_, index) => BigInt(index % 32));
const output = [-5n, 524287n, 9n];
const words = [
  ...packWords({ layouts: inputLayout, integers: input }),
  ...packWords({ layouts: outputLayout, integers: output }),
];

test("splits the words by layout and reads every tensor", () => {
  expect(words).toHaveLength(3);
  expect(decodeTensors({ inputMode: "packed", inputLayout, outputLayout, words })).toEqual({
    inputs: [input.map(String)],
    outputs: [["-5", "524287"], ["9"]],
  });
});

test("keeps every digit of an element wider than a JavaScript number", () => {
  const wide: TensorLayout[] = [{ count: 1, bits: 248, isSigned: false, scaleExponent: 0 }];
  const element = 2n ** 248n - 1n;
  const layouts = { inputLayout: wide, outputLayout: wide };
  const decoded = decodeTensors({ inputMode: "packed", ...layouts, words: [element, 1n] });
  expect(decoded).toEqual({ inputs: [[element.toString()]], outputs: [["1"]] });
});

test("takes a commitment for one word, whatever it is and whatever is under it", () => {
  const endless: TensorLayout[] = Array(16).fill({ ...inputLayout[0], count: 0xffff_ffff });
  const committed = { inputMode: "committed", inputLayout: endless, outputLayout } as const;
  const commitment = 2n ** 253n + 5n;
  const [, , output = 0n] = words;
  const decoded = decodeTensors({ ...committed, words: [commitment, output] });
  expect(decoded).toEqual({
    ...{ inputs: null },
    outputs: decodeTensors({ inputMode: "packed", inputLayout, outputLayout, words })?.outputs,
  });
  expect(decodeTensors({ ...committed, words: [commitment, output, 0n] })).toBeNull();
});

test.each([
  ["a missing word", words.slice(0, 2)],
  ["no words", []],
  ["a word too many", [...words, 0n]],
  ["a stray bit in an input word", [words[0] as bigint, 1n << 247n, words[2] as bigint]],
  ["a stray bit in an output word", [...words.slice(0, 2), (words[2] as bigint) | (1n << 44n)]],
  ["a bit beyond the 248th", [...words.slice(0, 2), (words[2] as bigint) | (1n << 248n)]],
])("returns null for %s", (_, given) => {
  const layouts = { inputMode: "packed", inputLayout, outputLayout } as const;
  expect(decodeTensors({ ...layouts, words: given })).toBeNull();
});
