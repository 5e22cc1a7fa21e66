import type { TensorLayout } from "@haca/protocol/packedWords";
import { expect, test } from "vitest";
import { labelOf } from "../src/tensors.ts";

const scores: TensorLayout = { count: 3, bits: 20, isSigned: true, scaleExponent: -8 };
const label: TensorLayout = { count: 1, bits: 4, isSigned: false, scaleExponent: 0 };
const outputs = [["1", "2", "3"], ["9"]];

test("reads the last tensor when it is one small unsigned integer", () => {
  expect(labelOf({ outputLayout: [scores, label], outputs })).toBe(9);
  const widest = { ...label, bits: 16 };
  expect(labelOf({ outputLayout: [widest], outputs: [["65535"]] })).toBe(65535);
});

test.each([
  ["a signed element", { isSigned: true }],
  ["a wide element", { bits: 17 }],
  ["more than one element", { count: 2 }],
  ["a scaled element", { scaleExponent: -1 }],
])("returns null for %s", (_, change) => {
  expect(labelOf({ outputLayout: [scores, { ...label, ...change }], outputs })).toBeNull();
});

test("returns null when the label is not the last tensor", () => {
  expect(labelOf({ outputLayout: [label, scores], outputs: [["9"], ["1", "2", "3"]] })).toBeNull();
});
