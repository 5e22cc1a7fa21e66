import { z } from "zod";
import type { Range } from "./ranges.ts";

/**
 * What one kind of node of an integer model means. A kind is a file in this folder and a line of `KINDS` in
 * `integerModel.ts`; its constraints are in the compiler, under the same name.
 *
 * There are few kinds on purpose: whatever an ONNX operator can be expressed in them needs nothing here.
 */
export type IntegerKind<Node> = {
  /** the node as `integer_model.json` has it */
  schema: z.ZodType<Node>;
  /** the output's elements from those of all inputs, one after the other: exactly what the constraints say */
  compute: (node: Node, input: readonly number[]) => number[];
  /**
   * The range of every element of the output, attainable element by element. Must refuse (`quantise.rangeTooWide`)
   * whatever `compute` could not do exactly in JavaScript numbers.
   */
  bounds: (node: Node, input: readonly Range[]) => Range[];
};

/** Everything in an integer model is exact in a JavaScript number: the compiler proves it. */
export const integer = z.int();

/** A value stands for `integer * 2^scaleExponent`. */
export const scaleExponent = z.int().min(-128).max(127);
