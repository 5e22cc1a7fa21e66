import type { Line } from "../line.ts";
import type { VerifyOptions } from "../verify.ts";
import { type PageWorker, threadOf } from "./pageWorker.ts";
import { verifyBeside } from "./verifyBeside.ts";
import { type Sources, verifyInParts } from "./verifyInParts.ts";

/** In browsers, by the page's worker where it has one for it; on its own thread where not. */
export const verifyThem = (
  sources: Sources,
  options: VerifyOptions,
  worker?: PageWorker,
): Promise<readonly (readonly Line[])[]> =>
  worker === undefined
    ? verifyInParts(sources, options)
    : verifyBeside(threadOf(worker), sources, options);
