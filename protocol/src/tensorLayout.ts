import { z } from "zod";
import { WORD_BITS } from "./packedWords.ts";

/** How one tensor lies in the packed words: the bindings of `IModelRegistry.TensorLayout`. */
export const tensorLayoutSchema = z.strictObject({
  /** number of elements */
  count: z.int().min(1).max(0xffff_ffff),
  /** width of an element */
  bits: z.int().min(1).max(WORD_BITS),
  /** whether integers carry an offset of 2^(bits - 1) */
  isSigned: z.boolean(),
  /** value = integer * 2^scaleExponent */
  scaleExponent: z.int().min(-128).max(127),
});
export type TensorLayout = z.infer<typeof tensorLayoutSchema>;
