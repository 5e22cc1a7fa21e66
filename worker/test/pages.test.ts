import { join } from "node:path";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { type PageHeader, pageIdOf } from "@haca/protocol/pageSettlement";
import { decodeRequestId } from "@haca/protocol/requestId";
import { id, Wallet } from "ethers";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  onTestFinished,
} from "vitest";
import { BlobFront, type FrontMode } from "./support/blobFront.ts";
import { type JobView, jobIn, readJob } from "./support/client.ts";
import { developmentKey } from "./support/localChain.ts";
import { EVIDENCE_SECONDS, PageContract } from "./support/pageContract.ts";
import { waitFor } from "./support/processes.ts";
import { newQueue } from "./support/queues.ts";
import { type Entry, postResults, ResultMaker } from "./support/signedResults.ts";
import { startWorker, untilTestEnds } from "./support/startWorker.ts";
import { TeeChain } from "./support/teeChain.ts";
import { sharedFolder } from "./support/temporaryFolder.ts";
import type { Settings, TestWorker } from "./support/worker.ts";

const ACCOUNTS = [1, 2, 3, 4, 5, 6, 7];
const HOUR = "3600000";
const isDeep = process.env.HACA_DEEP === "1";

let tee: TeeChain;
let pages: PageContract;
let front: BlobFront;
let makers: Map<number, ResultMaker>;
let account = 0;
const folder = sharedFolder();

beforeAll(async () => {
  tee = await TeeChain.start();
  pages = await PageContract.deploy(tee);
  front = await BlobFront.start(join(folder.path, "blobs"));
  const versionId = await tee.chain.publishManifest("chat");
  makers = new Map();
  for (const operator of ACCOUNTS) {
    const enclave = tee.enclave("rsa");
    await tee.admit(enclave, operator);
    makers.set(operator, new ResultMaker({ tee, enclave, versionId }));
  }
});
afterAll(async () => {
  await front.stop();
  await tee.stop();
  folder.remove();
});
beforeEach(() => {
  account = (account % ACCOUNTS.length) + 1;
  for (const maker of makers.values()) maker.turnPage();
});
afterEach(() => {
  front.mode = "up";
});

const walletOf = (operator: number) => new Wallet(developmentKey(operator), tee.chain.provider);

/** Settings of a worker that proposes pages of so many results of its own enclave. */
const settingsOf = (size: number, changes: Settings = {}): Settings => ({
  HACA_RPC_URL: tee.chain.url,
  HACA_CHAIN_ID: "31337",
  HACA_NODE_KEY: developmentKey(account),
  HACA_ADDRESS_BOOK: tee.writeBook(join(folder.path, "book.json")),
  ...newQueue(),
  HACA_PAGE_SIZE: String(size),
  HACA_PAGE_MAX_AGE: HOUR,
  HACA_REORG_BLOCKS: "2",
  ...front.settings,
  ...changes,
});

const start = (settings: Settings, roles = ["collect", "settle"]): TestWorker =>
  untilTestEnds(startWorker({ settings, roles }));

/** Results of the account's enclave, which a page can take at once. */
async function make(count: number, changes: Partial<InferenceResult> = {}): Promise<Entry[]> {
  const timestamp = await pages.past();
  const maker = makers.get(account);
  return Array.from({ length: count }, () => maker?.make({ timestamp, ...changes }) as Entry);
}

async function handIn(url: string, entries: readonly Entry[]): Promise<string[]> {
  const { body, status } = await postResults(url, { results: entries });
  if (status !== 202) throw new Error(JSON.stringify(body));
  return entries.map(({ message }) => message.requestId);
}

async function allIn(url: string, ids: readonly string[], state: string): Promise<JobView[]> {
  const jobs: JobView[] = [];
  for (const requestId of ids) jobs.push(await jobIn(url, requestId, state, "results"));
  return jobs;
}

const transactionsOf = (jobs: readonly JobView[]) =>
  new Set(jobs.map(({ transaction }) => transaction?.hash));

const headerIn = (hash: string | undefined) => pages.headerIn(hash);
const readBlob = (header: PageHeader) => pages.readBlob(header, front);

const counts = async (ids: readonly string[]): Promise<(number | undefined)[]> => {
  const settlements = await tee.chain.countSettlements();
  return ids.map((requestId) => settlements.get(requestId));
};

describe("a page", () => {
  it("is proposed when it is full, pending until it is final, and its bond freed a week later", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const worker = start(settingsOf(3));
    const url = await worker.url();
    const entries = await make(3);
    const ids = await handIn(url, entries.slice(0, 2));
    const pageOf = (id = "") => fetch(`${url}/v1/results/${id}/page`);
    const none = await pageOf(ids[1]);
    expect([none.status, await none.json()]).toMatchObject([404, { error: { code: "page.none" } }]);
    ids.push(...(await handIn(url, entries.slice(2))));
    const pending = await allIn(url, ids, "pending");
    const [hash, ...others] = [...transactionsOf(pending)];
    expect(others).toEqual([]);
    const { header, pageId } = await headerIn(hash);
    expect(pageId).toBe(
      pageIdOf({ chainId: 31337n, pageSettlement: String(pages.contract.target), header }),
    );
    const blob = await readBlob(header);
    expect(blob.results.map(({ index }) => index)).toEqual([0, 1, 2]);
    type Shown = { header: Record<keyof PageHeader, string>; path: string[] };
    const shown = (await (await pageOf(ids[1])).json()) as Shown;
    expect(shown).toMatchObject({ pageId, pageSettlement: pages.contract.target });
    const { message: result, signature } = entries[1] as Entry;
    const leaf = { index: 1, result, signature, siblings: shown.path };
    const [state] = await pages.contract.verifyInclusion(shown.header, leaf);
    expect(state).toBe(1n);
    const health = async () => (await (await fetch(`${url}/health`)).json()) as object;
    expect(await health()).toMatchObject({ jobs: { pending: 3, settled: 0 } });

    await pages.end();
    await allIn(url, ids, "settled");
    await waitFor(async () => (await readJob(url, ids[0] ?? "", "results")).times.finalised);
    expect(await counts(ids)).toEqual([1, 1, 1]);
    expect((await pages.contract.stateOf(ids[0] ?? "", header)).state).toBe(2n);
    const bonds = async () => (await pages.contract.accountOf(header.proposer)).openPages;
    expect(await bonds()).toBe(1n);

    await pages.pass(EVIDENCE_SECONDS);
    await waitFor(async () => ((await bonds()) === 0n ? true : undefined));
    await waitFor(async () => {
      const { transactions } = (await health()) as { transactions: unknown[] };
      return transactions.length === 0 ? true : undefined;
    });
  });

  it("goes with what there is when the first of it is old, and never beyond a ledger page", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const url = await start(settingsOf(200, { HACA_PAGE_MAX_AGE: "500" })).url();
    makers.get(account)?.turnPage(250n);
    const ids = await handIn(url, await make(10));
    const jobs = await allIn(url, ids, "pending");
    expect(transactionsOf(jobs).size).toBe(2);
    expect(transactionsOf(jobs.slice(0, 6)).size).toBe(1);
    const headers = await Promise.all([...transactionsOf(jobs)].map((hash) => headerIn(hash)));
    const bits = headers.map(({ header }) => header.bitmap).sort((a, b) => (a < b ? -1 : 1));
    expect(bits).toEqual([0b1111n, 0b111111n << 250n]);
  });

  it("has nothing of what is to go alone, and of other operators' enclaves: they settle at once", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const operators = [walletOf(account).address, walletOf((account % 7) + 1).address].join(",");
    const url = await start(settingsOf(2, { HACA_OPERATORS: operators })).url();
    const [alone] = await make(1);
    const other = makers.get((account % 7) + 1)?.make({ timestamp: await pages.now() });
    if (alone === undefined || other === undefined) throw new Error("no results");
    const ids = await handIn(url, [{ ...alone, alone: true }, other]);
    for (const job of await allIn(url, ids, "settled")) {
      expect(job.transaction?.hash).toBeDefined();
    }
    const paged = await handIn(url, await make(2));
    await allIn(url, paged, "pending");
  });

  it("waits for a block after its youngest result, and leaves out what became bad until then: that goes alone", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const settings = settingsOf(3);
    const collector = start(settings, ["collect"]);
    const ended = await tee.chain.publishManifest("ended");
    const timestamp = (await pages.now()) + 50n;
    const late = await make(1, { modelVersion: ended, timestamp });
    const ids = await handIn(await collector.url(), [...late, ...(await make(2))]);
    await collector.child.stop();
    await (await tee.chain.execute(tee.chain.registry, "deprecateVersion", ended)).wait();
    const worker = start(settings);
    const url = await worker.url();
    const [bad = "", ...good] = ids;
    expect(await worker.logged("refused for now: later")).toMatchObject({ code: "page.tooYoung" });
    // After the youngest result, not in its second, however quick this was.
    await pages.pass(51n);
    expect(await worker.logged("set apart: not for a page")).toMatchObject({
      ...{ requestId: bad, reason: "VersionInvalid" },
    });
    await allIn(url, good, "pending");
    const failed = await waitFor(async () => {
      const job = await readJob(url, bad, "results");
      return job.state === "failed" ? job : undefined;
    });
    expect(failed.failureCode).toBe("revert.InferenceSettlement_VersionDeprecated");
    const [hash] = [...transactionsOf(await allIn(url, good, "pending"))];
    expect((await readBlob((await headerIn(hash)).header)).results).toHaveLength(2);
  });

  it("waits, with a clear word and without storing anything, while the deposit is too small", async () => {
    const worker = start(settingsOf(2));
    const url = await worker.url();
    const puts = front.puts;
    const ids = await handIn(url, await make(2));
    const { error } = await worker.logged("refused for now: later");
    expect(error).toMatch(
      /has a deposit of \S+ OPG in PageSettlement at 0x.*: deposit \S+ or more$/,
    );
    // The line comes before the job's record has it.
    const shown = await waitFor(async () => {
      const job = await readJob(url, ids[0] ?? "", "results");
      return job.lastError === error ? job : undefined;
    });
    expect(shown).toMatchObject({ state: "proven" });
    expect(front.puts).toBe(puts);
    await pages.deposit(walletOf(account).address, 100);
    await allIn(url, ids, "pending");
  });

  /** By default the others are left to the facilitator, whose blobs go the same way. */
  const modes: FrontMode[] = isDeep
    ? ["down", "failing", "lying", "cutting", "otherId"]
    : ["down", "lying"];
  it.each(modes)("is not proposed, and nothing lost, while the blob store is %s", async (mode) => {
    await pages.deposit(walletOf(account).address, 100);
    const worker = start(settingsOf(2));
    const url = await worker.url();
    front.mode = mode;
    const ids = await handIn(url, await make(2));
    const { code } = await worker.logged("refused for now: later");
    expect(code).toMatch(/^blob\./);
    // What needs no blob goes on meanwhile.
    const [alone] = await make(1);
    const others = await handIn(url, [{ ...(alone as Entry), alone: true }]);
    await allIn(url, others, "settled");
    expect(await readJob(url, ids[0] ?? "", "results")).toMatchObject({ state: "proven" });
    front.mode = "up";
    const [hash] = [...transactionsOf(await allIn(url, ids, "pending"))];
    await readBlob((await headerIn(hash)).header);
  });

  it("shows the leaves that somebody asks for, and becomes final all the same", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const worker = start(settingsOf(3));
    const url = await worker.url();
    const ids = await handIn(url, await make(3));
    const [hash] = [...transactionsOf(await allIn(url, ids, "pending"))];
    const { header, pageId } = await headerIn(hash);
    await pages.deposit(tee.operator, 1_000);
    const first = Number(decodeRequestId(ids[0] ?? "").nonce % 256n);
    for (const index of [first, first + 2]) {
      await (await pages.contract.requestLeaf(header, index)).wait();
    }
    await pages.pass(60n);
    await waitFor(async () => {
      const { openRequests } = await pages.contract.pageOf(pageId);
      return openRequests === 0n ? true : undefined;
    });
    await pages.end();
    await allIn(url, ids, "settled");
  });

  it("is looked after by a worker that proposes none any more, and has no store", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const settings = settingsOf(2);
    const worker = start(settings);
    const url = await worker.url();
    const ids = await handIn(url, await make(2));
    await allIn(url, ids, "pending");
    await worker.child.stop();
    const without = { HACA_PAGE_SIZE: "1", HACA_BLOB_PUBLISHER: "", HACA_BLOB_AGGREGATOR: "" };
    const successor = await start({ ...settings, ...without }).url();
    await pages.end();
    await allIn(successor, ids, "settled");
  });

  it("has its blob stored again before its epochs end", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const worker = start(settingsOf(2, { HACA_BLOB_RENEW_SECONDS: "1" }));
    const url = await worker.url();
    const ids = await handIn(url, await make(2));
    await allIn(url, ids, "pending");
    await worker.logged("blob renewed");
  });
});

describe("a page that is rejected", () => {
  it("gives its results back, and each is settled again by itself, as late as that may be", async () => {
    await pages.deposit(walletOf(account).address, 100);
    const settings = settingsOf(3);
    const worker = start(settings);
    const url = await worker.url();
    const entries = await make(3);
    const [first] = entries;
    if (first === undefined) throw new Error("no result");
    const { requestId, timestamp } = first.message;
    const [other] = await make(1, { requestId, timestamp: BigInt(timestamp), outputHash: id("x") });
    const ids = await handIn(url, entries);
    const [hash] = [...transactionsOf(await allIn(url, ids, "pending"))];
    const { header } = await headerIn(hash);
    await worker.child.stop();
    await pages.pass(86_400n);
    await pages.reject({ header, front, entry: first, other: other as Entry });
    // Longer ago than the settlement window: only the page's root shows that they came in time.
    await pages.pass(EVIDENCE_SECONDS - 600n);
    const successor = start(settings);
    const successorUrl = await successor.url();
    await successor.logged("page rejected");
    const jobs = await allIn(successorUrl, ids, "settled");
    expect(transactionsOf(jobs).size).toBe(3);
    for (const settled of ids) {
      expect(await pages.settlement.isSettled(settled)).toBe(true);
    }
    // Proposed once, settled once.
    expect(await counts(ids)).toEqual([2, 2, 2]);
  });
});

describe("pages", () => {
  it("need a contract, and a store", async () => {
    const settings = settingsOf(2);
    const book = { ...tee.chain.book.contracts, PageSettlement: undefined };
    const saved = tee.chain.book.contracts;
    Object.assign(tee.chain.book, { contracts: book });
    onTestFinished(() => {
      Object.assign(tee.chain.book, { contracts: saved });
    });
    const without = { HACA_ADDRESS_BOOK: tee.writeBook(join(folder.path, "without.json")) };
    const bare = start({ ...settings, ...without });
    expect(await bare.child.waitForLine((line) => /^HACA_PAGE_SIZE.*/.exec(line)?.[0])).toMatch(
      /has no PageSettlement: deploy it first, or set 1$/,
    );
    expect(await bare.child.exited).toMatchObject({ code: 1 });
    const storeless = start({ ...settings, HACA_BLOB_PUBLISHER: "" });
    await storeless.child.waitForLine((line) => /^HACA_BLOB_PUBLISHER: not set/.exec(line)?.[0]);
    expect(await storeless.child.exited).toMatchObject({ code: 2 });
  });
});
