import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { openBlobFolder } from "../../../scripts/blobs/blobFolder.ts";
import { startBlobServer } from "../../../scripts/blobs/blobServer.ts";
import { developmentKey } from "../../../worker/test/support/localChain.ts";
import { PageContract } from "../../../worker/test/support/pageContract.ts";
import { type Installation, PostgresServer } from "../../../worker/test/support/postgresServer.ts";
import { type Entry, ResultMaker } from "../../../worker/test/support/signedResults.ts";
import { TeeChain } from "../../../worker/test/support/teeChain.ts";
import { WorkerProcess } from "../../../worker/test/support/worker.ts";

/** Whose node the enclave is, and who proposes its pages. */
const ACCOUNT = 1;
/** OPG, for as many open pages as any run has. */
const DEPOSIT = 100_000;
const LIMITS = { maximumBlob: 1e7, maximumTotal: 1e9 };
export const PAGE_SIZE = 256;

/** A chain with a TEE registry and pages, a folder of blobs, a PostgreSQL, and an enclave with a session key. */
export class PageStack {
  readonly #closers: (() => Promise<void>)[] = [];
  #settings: Readonly<Record<string, string>> = {};
  #sign: (count: number) => Promise<Entry[]> = async () => [];

  static async start(installation: Installation): Promise<PageStack> {
    const stack = new PageStack();
    try {
      await stack.#open(installation);
      return stack;
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** A worker in the roles collect and settle; all settings that are not the stack's as they come. */
  async worker(): Promise<{ url: string; process: WorkerProcess }> {
    const worker = new WorkerProcess({ settings: this.#settings, roles: ["collect", "settle"] });
    this.#closers.push(() => worker.child.stop());
    return { url: await worker.url(), process: worker };
  }

  /** The enclave's next results, in lists that are one page each, signed by its session key. */
  async signedPages(pages: number): Promise<Entry[][]> {
    const lists: Entry[][] = [];
    for (let page = 0; page < pages; page++) lists.push(await this.#sign(PAGE_SIZE));
    return lists;
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close();
    }
  }

  async #open(installation: Installation): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "haca-bench-pages-"));
    this.#closers.push(async () => rmSync(folder, { recursive: true, force: true }));
    const tee = await TeeChain.start();
    this.#closers.push(() => tee.stop());
    const postgres = await PostgresServer.start(installation);
    this.#closers.push(() => postgres.remove());
    const blobs = await openBlobFolder({ folder: join(folder, "blobs"), limits: LIMITS });
    const server = await startBlobServer({
      ...{ blobs, host: "127.0.0.1", port: 0 },
      report: (error) => console.error(error),
    });
    this.#closers.push(async () => {
      await server.close();
      blobs.close();
    });

    const contract = await PageContract.deploy(tee);
    const key = developmentKey(ACCOUNT);
    await contract.deposit(new Wallet(key).address, DEPOSIT);
    const versionId = await tee.chain.publishManifest("chat");
    const enclave = tee.enclave("p256");
    await tee.admit(enclave, ACCOUNT);
    const session = await tee.certifySession(enclave, true);
    const maker = new ResultMaker({ tee, enclave, versionId });
    const timestamp = await contract.past();
    this.#sign = async (count) =>
      Array.from({ length: count }, () => maker.make({ timestamp }, session));
    this.#settings = {
      HACA_RPC_URL: tee.chain.url,
      HACA_CHAIN_ID: "31337",
      HACA_NODE_KEY: key,
      HACA_ADDRESS_BOOK: tee.writeBook(join(folder, "book.json")),
      HACA_WORKER_DATABASE_URL: await postgres.createDatabase("pages"),
      HACA_BLOB_PUBLISHER: `${server.url}/v1/blobs`,
      HACA_BLOB_AGGREGATOR: server.url,
      HACA_PAGE_SIZE: String(PAGE_SIZE),
      HACA_POLL_MS: "1000",
    };
  }
}
