import { canonicalJson } from "./canonicalJson.ts";
import type { Receipt } from "./receipt.ts";

/** The one text of a receipt: RFC 8785. Its values are texts, lists, objects and null, so that no number has to be written. */
export const serialiseReceipt = (receipt: Receipt): string => canonicalJson(receipt);
