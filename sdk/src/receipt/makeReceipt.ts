import { hasHighS, withOtherS } from "../signatureForm.ts";
import { readReceipt } from "./parseReceipt.ts";
import { type Evidence, MEDIA_TYPE, type Receipt, type ReceiptCore } from "./receipt.ts";

/**
 * A receipt of an answer. Of an ECDSA signature with the upper s it takes the form with the lower one, which is a signature of
 * the same key over the same message.
 * @throws BaseError `format.malformed`
 */
export function makeReceipt(parameters: {
  core: ReceiptCore;
  evidence?: readonly Evidence[];
  hints?: Readonly<Record<string, string>>;
}): Receipt {
  const { core, evidence = [], hints = {} } = parameters;
  const signature = hasHighS(core) ? withOtherS(core) : core.signature;
  return readReceipt({ mediaType: MEDIA_TYPE, core: { ...core, signature }, evidence, hints });
}

/** The receipt with more evidence behind what it has; its core stays. */
export const appendEvidence = (receipt: Receipt, ...evidence: readonly Evidence[]): Receipt =>
  readReceipt({ ...receipt, evidence: [...receipt.evidence, ...evidence] });
