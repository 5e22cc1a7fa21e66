import { join } from "node:path";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { Wallet } from "ethers";
import { BlobFront } from "./blobFront.ts";
import { developmentKey } from "./localChain.ts";
import { PageContract } from "./pageContract.ts";
import { type Entry, postResults, ResultMaker } from "./signedResults.ts";
import { startWorker, untilTestEnds } from "./startWorker.ts";
import { TeeChain } from "./teeChain.ts";
import { sharedFolder } from "./temporaryFolder.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./worker.ts";

const ROLES = ["collect", "settle"];

/** A chain with pages, a blob store, and an enclave of each account whose results are handed in. */
export class ResultBed {
  readonly tee: TeeChain;
  readonly pages: PageContract;
  readonly front: BlobFront;
  readonly #folder: ReturnType<typeof sharedFolder>;
  readonly #makers: ReadonlyMap<number, ResultMaker>;

  private constructor(parts: {
    tee: TeeChain;
    pages: PageContract;
    front: BlobFront;
    folder: ReturnType<typeof sharedFolder>;
    makers: ReadonlyMap<number, ResultMaker>;
  }) {
    this.tee = parts.tee;
    this.pages = parts.pages;
    this.front = parts.front;
    this.#folder = parts.folder;
    this.#makers = parts.makers;
  }

  static async start(accounts: readonly number[]): Promise<ResultBed> {
    const tee = await TeeChain.start();
    const pages = await PageContract.deploy(tee);
    const folder = sharedFolder();
    const front = await BlobFront.start(join(folder.path, "blobs"));
    const versionId = await tee.chain.publishManifest("chat");
    const makers = new Map<number, ResultMaker>();
    for (const account of accounts) {
      // Signed in no time.
      const enclave = tee.enclave("secp256k1");
      await tee.admit(enclave, account);
      makers.set(account, new ResultMaker({ tee, enclave, versionId }));
      await pages.deposit(new Wallet(developmentKey(account)).address, 1_000);
    }
    return new ResultBed({ tee, pages, front, folder, makers });
  }

  async stop(): Promise<void> {
    await this.front.stop();
    await this.tee.stop();
    this.#folder.remove();
  }

  /** Settings of a worker of an account, which proposes pages of so many results. */
  settings(account: number, size: number, changes: Settings = {}): Settings {
    return {
      HACA_RPC_URL: this.tee.chain.url,
      HACA_CHAIN_ID: "31337",
      HACA_NODE_KEY: developmentKey(account),
      HACA_ADDRESS_BOOK: this.tee.writeBook(join(this.#folder.path, "book.json")),
      HACA_PAGE_SIZE: String(size),
      HACA_PAGE_MAX_AGE: "2000",
      HACA_REORG_BLOCKS: "2",
      ...this.front.settings,
      ...changes,
    };
  }

  /** A worker until the test has ended, which it must not kill. */
  worker(settings: Settings): TestWorker {
    return untilTestEnds(startWorker({ settings, roles: ROLES }));
  }

  /** As `worker`, in a process of its own. */
  process(settings: Settings): WorkerProcess {
    return untilTestEnds(new WorkerProcess({ settings, roles: ROLES }));
  }

  /** Results of the account's enclave, which a page can take at once. */
  async make(
    account: number,
    count: number,
    changes: Partial<InferenceResult> = {},
  ): Promise<Entry[]> {
    const timestamp = await this.pages.past();
    const maker = this.#makers.get(account);
    if (maker === undefined) throw new Error(`account ${account} operates no enclave`);
    return Array.from({ length: count }, () => maker.make({ timestamp, ...changes }));
  }
}

/** Hands results in, and returns their request ids. */
export async function handIn(url: string, entries: readonly Entry[]): Promise<string[]> {
  const { body, status } = await postResults(url, { results: entries });
  if (status !== 202) throw new Error(`refused: ${JSON.stringify(body)}`);
  return entries.map(({ message }) => message.requestId);
}
