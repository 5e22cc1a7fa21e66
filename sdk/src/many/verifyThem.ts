import type { Line } from "../line.ts";
import type { VerifyOptions } from "../verify.ts";
import { type Sources, verifyInParts } from "./verifyInParts.ts";

/** In browsers, on the page's own thread. */
export const verifyThem = (
  sources: Sources,
  options: VerifyOptions,
): Promise<readonly (readonly Line[])[]> => verifyInParts(sources, options);
