import { randomBytes } from "node:crypto";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { toBeHex } from "ethers";

const COUNTER_BITS = 32n;
const COUNTERS = 1n << COUNTER_BITS;

/**
 * Ids of requests under an enclave's own nonces, none of which is ever given twice: the upper 64 bits are drawn afresh by every
 * process, the lower 32 count. Those of one process stand side by side in the ledger, so that they share its pages.
 */
export class RequestIds {
  /** the id with the nonce 0 */
  readonly #first: bigint;
  #run = randomRun();
  #next = 0n;

  constructor(teeId: string) {
    this.#first = BigInt(encodeRequestId({ node: nodeOfEnclave(teeId), nonce: 0n }));
  }

  next(): string {
    if (this.#next === COUNTERS) {
      this.#run = randomRun();
      this.#next = 0n;
    }
    const nonce = (this.#run << COUNTER_BITS) | this.#next;
    this.#next += 1n;
    return toBeHex(this.#first | nonce, 32);
  }
}

const randomRun = (): bigint => BigInt(`0x${randomBytes(8).toString("hex")}`);
