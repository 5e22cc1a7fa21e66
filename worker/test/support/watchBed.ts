import { join } from "node:path";
import { blobIdToWord } from "@haca/protocol/blobs/blobId";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import {
  type CheckedPage,
  checkPage,
  encodePageBlob,
  MAXIMUM_PAGE_BYTES,
  type PageResult,
} from "@haca/protocol/blobs/pageBlob";
import { type InferenceResult, settlementDomain } from "@haca/protocol/inferenceResult";
import type { PageHeader } from "@haca/protocol/pageSettlement";
import { decodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { placeOfNonce } from "@haca/protocol/resultPage";
import { type Interface, id, Wallet, ZeroHash } from "ethers";
import { contractAt } from "../../../scripts/lib/contracts.ts";
import { BlobFront } from "./blobFront.ts";
import { developmentKey } from "./localChain.ts";
import type { ProvableEntry } from "./optimisticNode.ts";
import { PageContract } from "./pageContract.ts";
import { newQueue, type QueueSettings, queueIn } from "./queues.ts";
import { type Entry, ResultMaker } from "./signedResults.ts";
import { startWorker, untilTestEnds } from "./startWorker.ts";
import { TeeChain } from "./teeChain.ts";
import { sharedFolder } from "./temporaryFolder.ts";
import type { WatchTransition } from "./watchTransitions.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./worker.ts";

/** Whose enclave's pages these are, and who proposes them. */
const OPERATOR = 1;

/** A page that was proposed. */
export type MadePage = { pageId: string; header: PageHeader; page: CheckedPage; block: number };

export type Proposing = {
  /** results of the page */
  count?: number;
  /** places whose results are signed by nobody whom the registry knows */
  badPlaces?: readonly number[];
  /** places that the page takes besides those of its results */
  emptyPlaces?: readonly number[];
  /** the blob is not stored */
  isWithheld?: boolean;
  fee?: bigint;
  /** whose own results these are: their proofs can be demanded */
  node?: Wallet;
};

/** A chain with pages, a blob store, and somebody who proposes pages, good ones and others. */
export class WatchBed {
  readonly tee: TeeChain;
  readonly pages: PageContract;
  readonly front: BlobFront;
  readonly #folder: ReturnType<typeof sharedFolder>;
  readonly #maker: ResultMaker;
  readonly #versionId: string;

  private constructor(parts: {
    tee: TeeChain;
    pages: PageContract;
    front: BlobFront;
    folder: ReturnType<typeof sharedFolder>;
    maker: ResultMaker;
    versionId: string;
  }) {
    this.tee = parts.tee;
    this.pages = parts.pages;
    this.front = parts.front;
    this.#folder = parts.folder;
    this.#maker = parts.maker;
    this.#versionId = parts.versionId;
  }

  static async start(): Promise<WatchBed> {
    const tee = await TeeChain.start();
    const pages = await PageContract.deploy(tee);
    const folder = sharedFolder();
    const front = await BlobFront.start(join(folder.path, "blobs"));
    const versionId = await tee.chain.publishManifest("chat");
    const enclave = tee.enclave("secp256k1");
    await tee.admit(enclave, OPERATOR);
    const maker = new ResultMaker({ tee, enclave, versionId });
    return new WatchBed({ tee, pages, front, folder, maker, versionId });
  }

  async stop(): Promise<void> {
    await this.front.stop();
    await this.tee.stop();
    this.#folder.remove();
  }

  get proposer(): Wallet {
    return new Wallet(developmentKey(OPERATOR), this.tee.chain.provider);
  }

  get versionId(): string {
    return this.#versionId;
  }

  /** A folder that is there for as long as the bed. */
  folder(name: string): string {
    return join(this.#folder.path, name);
  }

  /** An empty queue that is there for as long as the bed. */
  queue(name: string): QueueSettings {
    return queueIn(this.folder(name));
  }

  /** Settings of a process of an account, with a queue of its own. */
  settings(account: number, changes: Settings = {}): Settings {
    return {
      HACA_RPC_URL: this.tee.chain.url,
      HACA_CHAIN_ID: "31337",
      HACA_WATCHER_KEY: developmentKey(account),
      HACA_ADDRESS_BOOK: this.tee.writeBook(join(this.#folder.path, "book.json")),
      ...newQueue(),
      HACA_REORG_BLOCKS: "2",
      HACA_BLOB_AGGREGATOR: this.front.url,
      ...changes,
    };
  }

  /** A worker of these roles until the test has ended, which it must not kill. */
  worker(settings: Settings, roles: readonly string[] = ["watch"]): TestWorker {
    return untilTestEnds(startWorker({ settings, roles }));
  }

  /** As `worker`, in a process of its own, which dies right after a transition where one is given. */
  process(
    settings: Settings,
    roles: readonly string[] = ["watch"],
    crashAfter?: WatchTransition,
  ): WorkerProcess {
    const crashing = crashAfter === undefined ? {} : { crashAfter };
    return untilTestEnds(new WorkerProcess({ settings, roles, ...crashing }));
  }

  /** Results of the enclave, from now by the chain's clock. */
  async make(count: number, changes: Partial<InferenceResult> = {}): Promise<Entry[]> {
    const timestamp = await this.pages.now();
    return Array.from({ length: count }, () => this.#maker.make({ timestamp, ...changes }));
  }

  /** Proposes a page of results, on a ledger page of its own. */
  async propose(proposing: Proposing = {}): Promise<MadePage> {
    const { badPlaces = [], count = 3 } = proposing;
    this.#maker.turnPage();
    const entries = await this.make(count);
    const results = entries.map((entry, place) =>
      badPlaces.includes(place) ? forged(entry) : entry,
    );
    return await this.proposeEntries(results, proposing);
  }

  /** The same of given results. */
  async proposeEntries(
    entries: readonly ProvableEntry[],
    proposing: Proposing = {},
  ): Promise<MadePage> {
    const { emptyPlaces = [], fee = 0n, isWithheld = false, node } = proposing;
    const proposer = node ?? this.proposer;
    const page = this.#pageOf(entries);
    const bytes = encodePageBlob(page);
    const store = createHttpBlobStore({
      ...{ publisher: `${this.front.url}/v1/blobs`, aggregator: this.front.url, ids: "sha256" },
      ...{ epochs: 1, timeoutMs: 60_000, maximumBytes: MAXIMUM_PAGE_BYTES },
    });
    const blobId = isWithheld ? id("nothing") : blobIdToWord((await store.put({ bytes })).id);
    await this.#fund(proposer.address);
    const { page: index } = page;
    const teeId = page.results[0]?.teeId ?? ZeroHash;
    const proposal = {
      ...{
        kind: node === undefined ? 2n : 3n,
        teeId,
        ledgerPage: ledgerPageOf({ node: page.node, index }),
      },
      bitmap: emptyPlaces.reduce((bits, place) => bits | (1n << BigInt(place)), page.bitmap),
      ...{ root: page.root, blobId, fee, deadline: 0n },
    };
    const { target } = this.pages.contract;
    const contract = contractAt({
      ...{ name: "PageSettlement", address: String(target), runner: proposer },
    });
    const receipt = await (await contract.proposePage.send(proposal, "0x")).wait();
    const made = await this.pages.headerIn(receipt?.hash);
    return { ...made, page, block: receipt?.blockNumber ?? 0 };
  }

  /** What the contract says of a page: its state, 1 pending to 4 disproved, and why it was refuted. */
  async stateOf({ pageId }: MadePage): Promise<{ state: bigint; reason: bigint; until: bigint }> {
    const { state, until } = await this.pages.contract.stateOfPage(pageId);
    const { reason } = await this.pages.contract.pageOf(pageId);
    return { state, reason, until };
  }

  /** What an account has in `PageSettlement`. */
  async heldBy(account: number): Promise<bigint> {
    const { address } = new Wallet(developmentKey(account));
    return (await this.pages.contract.accountOf(address)).amount;
  }

  /** Transactions that called a function, oldest first. */
  async calls(selector: string): Promise<string[]> {
    const { provider } = this.tee.chain;
    const found: string[] = [];
    const head = await provider.getBlockNumber();
    for (let number = 0; number <= head; number++) {
      const block = await provider.getBlock(number, true);
      for (const { data, hash } of block?.prefetchedTransactions ?? []) {
        if (data.startsWith(selector)) found.push(hash);
      }
    }
    return found;
  }

  /** Mines so many blocks. */
  async mine(blocks: number): Promise<void> {
    await this.tee.chain.send("anvil_mine", `0x${blocks.toString(16)}`);
  }

  #pageOf(entries: readonly ProvableEntry[]): CheckedPage {
    const results = entries.map(({ message, signature, words }): PageResult => {
      const { requestId, price, timestamp, ...rest } = message;
      const { index } = placeOfNonce(decodeRequestId(requestId).nonce);
      const numbers = { price: BigInt(price), timestamp: BigInt(timestamp) };
      const made = { ...rest, ...numbers, index, signature };
      return words === undefined ? made : { ...made, words };
    });
    const { node, nonce } = decodeRequestId(entries[0]?.message.requestId ?? "");
    const { address } = this.tee.chain.book.contracts.InferenceSettlement;
    const domain = settlementDomain({ chainId: 31337n, settlement: address });
    const lower = node.toLowerCase();
    return checkPage({ page: { node: lower, page: placeOfNonce(nonce).page, results }, domain });
  }

  /** A page that was refuted took all of the deposit. */
  async #fund(address: string): Promise<void> {
    if ((await this.pages.contract.accountOf(address)).amount > 0n) return;
    await this.pages.deposit(address, 1_000);
  }
}

/** Signed by a key that is nobody's. */
function forged(entry: Entry): Entry {
  const signature = new Wallet(id("nobody")).signingKey.sign(id(entry.signature)).serialized;
  return { ...entry, signature };
}

/** Selector of a function. */
export const selectorIn = (abi: Interface, name: string): string =>
  abi.getFunction(name)?.selector ?? name;
