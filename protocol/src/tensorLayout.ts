import { z } from "zod";
import { type TensorLayout, WORD_BITS } from "./packedWords.ts";

/** Reads a layout as files have it. */
export const tensorLayoutSchema = z.strictObject({
  count: z.int().min(1).max(0xffff_ffff),
  bits: z.int().min(1).max(WORD_BITS),
  isSigned: z.boolean(),
  scaleExponent: z.int().min(-128).max(127),
}) satisfies z.ZodType<TensorLayout>;
