import { BaseError } from "@haca/protocol/baseError";
import type { OhttpRecord } from "@haca/protocol/teeMessages";
import { hexlify } from "ethers";
import { recordOf } from "./keyRecord.ts";
import { hpke } from "./suite.ts";

const FIRST = 1;
const LAST = 255;

type KeyPair = Awaited<ReturnType<typeof hpke.kem.generateKeyPair>>;

type Key = {
  record: OhttpRecord;
  pair: KeyPair;
  /** milliseconds of the clock from which on nothing is opened with it; undefined: it is the current one */
  until: number | undefined;
};

/** Keys to which clients seal oblivious requests: the current one, and those before it for a while. In memory alone. */
export class OhttpKeys {
  readonly #keys = new Map<number, Key>();
  readonly #overlapMs: number;
  readonly #clock: () => number;
  #current: Key;
  #rotation: Promise<unknown> = Promise.resolve();

  private constructor(parameters: { first: Key; overlapMs: number; clock: () => number }) {
    this.#current = parameters.first;
    this.#keys.set(FIRST, parameters.first);
    this.#overlapMs = parameters.overlapMs;
    this.#clock = parameters.clock;
  }

  /**
   * With a fresh key.
   * @param parameters.overlapMs for how long a key is good after the next has been made
   * @param parameters.clock milliseconds
   */
  static async make(parameters: { overlapMs: number; clock: () => number }): Promise<OhttpKeys> {
    return new OhttpKeys({ ...parameters, first: await makeKey(FIRST) });
  }

  /** The key that clients are to use. */
  get current(): OhttpRecord {
    return this.#current.record;
  }

  /** The key that a request names; undefined where there is none, or no longer. */
  find(keyId: number): KeyPair | undefined {
    const key = this.#keys.get(keyId);
    if (key?.until !== undefined && key.until <= this.#clock()) return undefined;
    return key?.pair;
  }

  /**
   * Makes the key after `keyId`, where that is the current one still: asked twice, it makes one.
   * @throws BaseError `ohttp.noKeyId` where every id is one of a key that is still good
   */
  async rotate(keyId: number): Promise<OhttpRecord> {
    const rotated = this.#rotation.then(() => this.#rotate(keyId));
    this.#rotation = rotated.catch(() => undefined);
    return await rotated;
  }

  async #rotate(keyId: number): Promise<OhttpRecord> {
    if (keyId !== this.current.keyId) return this.current;
    const now = this.#clock();
    for (const [id, { until }] of this.#keys) {
      if (until !== undefined && until <= now) this.#keys.delete(id);
    }
    const next = await makeKey(this.#freeId(keyId));
    this.#current.until = now + this.#overlapMs;
    this.#keys.set(next.record.keyId, next);
    this.#current = next;
    return next.record;
  }

  #freeId(before: number): number {
    for (let step = 0; step < LAST; step += 1) {
      const id = ((before - FIRST + 1 + step) % LAST) + FIRST;
      if (!this.#keys.has(id)) return id;
    }
    const message = "every key id is one of a key that is still good";
    throw new BaseError({ code: "ohttp.noKeyId", message });
  }
}

async function makeKey(keyId: number): Promise<Key> {
  const pair = await hpke.kem.generateKeyPair();
  const publicKey = new Uint8Array(await hpke.kem.serializePublicKey(pair.publicKey));
  return { record: recordOf(keyId, hexlify(publicKey)), pair, until: undefined };
}
