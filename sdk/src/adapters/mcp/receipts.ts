import { optionError } from "../../client/optionError.ts";
import type { Receipt } from "../../receipt/receipt.ts";
import { serialiseReceipt } from "../../receipt/serialiseReceipt.ts";
import { receiptId } from "../../typedData.ts";

/** How many are kept; older ones are forgotten. */
const KEPT = 64;

/** The last answers' receipts, as texts by their ids: a model names one without writing it out. */
export class Receipts {
  readonly #texts = new Map<string, string>();

  /** @returns its id */
  keep(receipt: Receipt): string {
    const id = receiptId(receipt.core);
    // The newest is the last.
    this.#texts.delete(id);
    this.#texts.set(id, serialiseReceipt(receipt));
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > KEPT && oldest !== undefined) this.#texts.delete(oldest);
    return id;
  }

  /** @throws BaseError `option.wrong` where it is not kept */
  get(id: string): string {
    const text = this.#texts.get(id);
    if (text !== undefined) return text;
    throw optionError("receipt", `none of this id is kept here; the last ${KEPT} are`);
  }

  /** A receipt's text, by its id where it is one. @throws BaseError `option.wrong` */
  find(receipt: string): string {
    return /^0x[0-9a-f]{64}$/.test(receipt) ? this.get(receipt) : receipt;
  }
}
