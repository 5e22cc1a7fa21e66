import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import { type IntegerKind, integer, scaleExponent } from "./integerKind.ts";
import { greater, type Range } from "./ranges.ts";

const fields = { input: z.string(), output: z.string(), scaleExponent };

/** By how many binary digits to divide: one number for all elements, or one for each. */
const shift = integer.min(0);
const shifts = z.union([shift, z.array(shift).min(1)]);
export type Shifts = z.infer<typeof shifts>;

/** output = floor((input + half) / 2^shift), half = 2^(shift - 1), or 0 where an element is not divided */
const rescaleSchema = z.strictObject({
  kind: z.literal("rescale"),
  ...fields,
  shift: shifts,
});
export type IntegerRescale = z.infer<typeof rescaleSchema>;

/** output = max(0, floor((input + half) / 2^shift)), half = 2^(shift - 1), or 0 where nothing is divided */
const reluSchema = z.strictObject({
  kind: z.literal("relu"),
  ...fields,
  shift: shifts,
});
export type IntegerRelu = z.infer<typeof reluSchema>;

/** output = all quotients floor((input + half) / 2^shift), then max(0, quotient) of each: both sides of a bend at 0 */
const partsSchema = z.strictObject({
  kind: z.literal("parts"),
  ...fields,
  shift: shifts,
});
export type IntegerParts = z.infer<typeof partsSchema>;

export const rescale = {
  schema: rescaleSchema,
  compute: ({ shift }, input) => input.map((value, index) => divide(value, shiftAt(shift, index))),
  bounds: (node, input) => {
    requireShifts(node, input.length);
    return input.map((range, index) => divideRange(range, shiftAt(node.shift, index)));
  },
} satisfies IntegerKind<IntegerRescale>;

export const relu = {
  schema: reluSchema,
  compute: ({ shift }, input) =>
    input.map((value, index) => Math.max(0, divide(value, shiftAt(shift, index)))),
  bounds: (node, input) => {
    requireShifts(node, input.length);
    return input.map((range, index) =>
      positivePart(divideRange(range, shiftAt(node.shift, index))),
    );
  },
} satisfies IntegerKind<IntegerRelu>;

export const parts = {
  schema: partsSchema,
  compute: ({ shift }, input) => {
    const quotients = input.map((value, index) => divide(value, shiftAt(shift, index)));
    return [...quotients, ...quotients.map((value) => Math.max(0, value))];
  },
  bounds: (node, input) => {
    requireShifts(node, input.length);
    const quotients = input.map((range, index) => divideRange(range, shiftAt(node.shift, index)));
    return [...quotients, ...quotients.map(positivePart)];
  },
} satisfies IntegerKind<IntegerParts>;

/** The shift of one element. */
export function shiftAt(shift: Shifts, index: number): number {
  return typeof shift === "number" ? shift : (shift[index] as number);
}

/** A list that is too short would divide by nothing that anybody stated. */
function requireShifts(node: { output: string; shift: Shifts }, count: number): void {
  const { output, shift } = node;
  if (typeof shift === "number" || shift.length === count) return;
  throw new BaseError({
    code: "model.invalid",
    message: `${output}: shift has ${shift.length} numbers for ${count} elements`,
    details: { value: output },
  });
}

/** floor((value + half) / 2^shift); the division by a power of two is exact in a double. */
export function divide(value: number, shift: number): number {
  return shift === 0 ? value : Math.floor((value + 2 ** (shift - 1)) / 2 ** shift);
}

/** `divide` is monotonic, so that it maps ends of ranges to ends of ranges. */
function divideRange(range: Range, shift: number): Range {
  const half = halfOf(shift);
  const by = BigInt(shift);
  return { minimum: (range.minimum + half) >> by, maximum: (range.maximum + half) >> by };
}

function positivePart({ minimum, maximum }: Range): Range {
  return { minimum: greater(minimum, 0n), maximum: greater(maximum, 0n) };
}

/** What is added before a division by 2^shift so that it rounds to the nearest integer, halves up. */
export function halfOf(shift: number): bigint {
  return shift === 0 ? 0n : 1n << BigInt(shift - 1);
}
