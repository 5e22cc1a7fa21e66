import {
  hashResult,
  hashWords,
  type InferenceResult,
  settlementDomain,
} from "@haca/protocol/inferenceResult";
import { toBeHex, Wallet } from "ethers";
import { type Answer, infer, jobIn } from "./client.ts";
import { compileDigits } from "./digits.ts";
import { developmentKey } from "./localChain.ts";
import { waitFor } from "./processes.ts";
import { newQueue } from "./queues.ts";
import type { Entry } from "./signedResults.ts";
import type { WatchBed } from "./watchBed.ts";
import type { Settings } from "./worker.ts";

/** A result of a page whose proofs can be demanded, and its words as the blob has them. */
export type ProvableEntry = Entry & { words?: string };

/** A node that answers with the digits model, and whose version can be in optimistic pages: one proof of it was settled. */
export class OptimisticNode {
  readonly #bed: WatchBed;
  readonly wallet: Wallet;
  /** of the process that answers, one queue for all of its lives */
  readonly #settings: Settings;
  /** folder of the model, for `HACA_MODELS` */
  readonly models: string;

  private constructor(parts: {
    bed: WatchBed;
    wallet: Wallet;
    settings: Settings;
    models: string;
  }) {
    this.#bed = parts.bed;
    this.wallet = parts.wallet;
    this.#settings = parts.settings;
    this.models = parts.models;
  }

  /** @param account of the node */
  static async start(bed: WatchBed, account: number): Promise<OptimisticNode> {
    const model = await compileDigits();
    await bed.tee.chain.publish({ model, minor: 0 });
    const worker = bed.worker(
      bed.settings(account, {
        HACA_NODE_KEY: developmentKey(account),
        HACA_WATCHER_KEY: "",
        ...newQueue(),
        HACA_MODELS: model.folder,
        HACA_PRICE: "1",
      }),
      ["infer", "prove", "settle"],
    );
    const url = await worker.url();
    const first = await infer(url, 0);
    await jobIn(url, first.requestId, "settled");
    await (await bed.pages.contract.admitVersion(resultIn(first))).wait();
    await bed.pages.pass(2n);
    await worker.child.stop();
    const settings = bed.settings(account, {
      HACA_NODE_KEY: developmentKey(account),
      HACA_WATCHER_KEY: "",
      ...bed.queue(`node-${account}`),
      HACA_MODELS: model.folder,
    });
    const wallet = new Wallet(developmentKey(account), bed.tee.chain.provider);
    return new OptimisticNode({ bed, wallet, settings, models: model.folder });
  }

  /**
   * Answers of the model, as entries of a page, and dated by the chain's clock, which tests move on by days. Nothing of
   * them is settled alone: they are for pages.
   */
  async answers(count: number): Promise<ProvableEntry[]> {
    const answering = this.#bed.worker(this.#settings, ["infer"]);
    const url = await answering.url();
    const timestamp = String(await this.#bed.pages.now());
    const entries: ProvableEntry[] = [];
    for (let image = 0; image < count; image++) {
      const answer = await infer(url, image);
      const { inputWords, message, outputWords } = answer.receipt;
      const words = joined([...inputWords, ...outputWords]);
      entries.push(this.#signed({ ...message, timestamp }, words));
    }
    await answering.child.stop();
    await waitFor(async () => {
      await this.#bed.pages.pass(1n);
      return (await this.#bed.pages.now()) > BigInt(timestamp) ? true : undefined;
    });
    return entries;
  }

  /** The same, with another answer than the model's, which the node signs. */
  lie({ message, words = "0x" }: ProvableEntry): ProvableEntry {
    const all = words.slice(2).match(/.{64}/g) ?? [];
    const lied = all.map((word, i) => (i === all.length - 1 ? flip(word) : word));
    const output = lied.slice(this.#inputCount(message, all)).map((word) => BigInt(`0x${word}`));
    return this.#signed({ ...message, outputHash: hashWords(output) }, `0x${lied.join("")}`);
  }

  #signed(message: Entry["message"], words: string): ProvableEntry {
    const { address } = this.#bed.tee.chain.book.contracts.InferenceSettlement;
    const digest = hashResult({
      domain: settlementDomain({ chainId: 31337n, settlement: address }),
      result: typed(message),
    });
    return { message, signature: this.wallet.signingKey.sign(digest).serialized, words };
  }

  #inputCount({ inputHash }: Entry["message"], words: readonly string[]): number {
    for (let count = 1; count < words.length; count++) {
      const input = words.slice(0, count).map((word) => BigInt(`0x${word}`));
      if (hashWords(input) === inputHash) return count;
    }
    throw new Error("no input in these words");
  }
}

const flip = (word: string): string => (BigInt(`0x${word}`) ^ 1n).toString(16).padStart(64, "0");
const joined = (words: readonly string[]): string =>
  `0x${words.map((word) => toBeHex(BigInt(word), 32).slice(2)).join("")}`;
const typed = (message: Entry["message"]): InferenceResult => ({
  ...message,
  price: BigInt(message.price),
  timestamp: BigInt(message.timestamp),
});
const resultIn = ({ receipt }: Answer): InferenceResult => typed(receipt.message);
