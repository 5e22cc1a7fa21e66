import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { OPTIMISTIC, PROVE_TIME } from "@haca/protocol/pageSettlement";
import { decodeRequestId } from "@haca/protocol/requestId";
import { id, parseEther, toQuantity, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { pageInterface } from "../src/chain/chain.ts";
import { type Job, resultOf } from "../src/jobs/job.ts";
import { readJob as readQueued } from "../src/jobs/readJobs.ts";
import { infer, type JobView, jobIn, readJob } from "./support/client.ts";
import { demandDeaths } from "./support/demandTransitions.ts";
import { compileDigits } from "./support/digits.ts";
import { developmentKey } from "./support/localChain.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { OptimisticNode } from "./support/optimisticNode.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueueIn, openQueue } from "./support/queues.ts";
import { untilTestEnds } from "./support/startWorker.ts";
import { selectorIn, WatchBed } from "./support/watchBed.ts";
import { type Settings, WorkerProcess } from "./support/worker.ts";

const SCRIPTED_PROVER = join(import.meta.dirname, "support/scriptedProver.mjs");
const ROLES = ["infer", "prove", "settle"];
const isDeep = process.env.HACA_DEEP === "1";

let bed: WatchBed;
let models: string | undefined;
/** Those that are no node's yet, after that of the first proof; the first and the eighth of the chain have roles, and the last here is for workers that do not start. */
const accounts = [2, 3, 4, 5, 6, 7, 9, 12, 13];

beforeAll(async () => {
  bed = await WatchBed.start();
});
afterAll(() => bed.stop());

/** Settings of another node, that has a deposit, and proposes what its model answers as claims. */
async function settingsOf(changes: Settings = {}): Promise<Settings> {
  if (models === undefined) {
    ({ models } = await OptimisticNode.start(bed, 1));
    // Whoever demands proofs.
    await bed.pages.deposit(bed.tee.operator, 1_000);
  }
  const account = accounts.shift();
  if (account === undefined)
    throw new Error("no account is left: two nodes of one would share their nonces");
  const { address } = new Wallet(developmentKey(account));
  await bed.tee.chain.send("anvil_setBalance", address, toQuantity(parseEther("100")));
  await bed.pages.deposit(address, 1_000);
  return bed.settings(account, {
    ...{ HACA_NODE_KEY: developmentKey(account), HACA_WATCHER_KEY: "", HACA_MODELS: models },
    ...{ HACA_OPTIMISTIC_MODELS: "digits", HACA_PAGE_SIZE: "200", HACA_PAGE_MAX_AGE: "1500" },
    ...bed.front.settings,
    ...changes,
  });
}

/** Answers of a node, which are pending in one page when this returns. */
async function answered(url: string, count: number) {
  const ids: string[] = [];
  for (let image = 0; image < count; image++) ids.push((await infer(url, image)).requestId);
  // A page waits for a block after its youngest result.
  await bed.pages.pass(2n);
  const jobs: JobView[] = [];
  for (const requestId of ids) jobs.push(await jobIn(url, requestId, "pending"));
  return { ids, ...(await bed.pages.headerIn(jobs[0]?.transaction?.hash)) };
}
type Page = Awaited<ReturnType<typeof answered>>;

const placeOf = (requestId: string): number => Number(decodeRequestId(requestId).nonce % 256n);

async function demand({ header, ids }: Page, ...which: number[]): Promise<void> {
  for (const one of which) {
    const place = placeOf(ids[one] ?? "");
    await (await bed.pages.contract.demandProof(header, place)).wait();
  }
}

/** Waits until the chain has the proofs that were demanded, and the page's clock goes on. */
async function proved({ ids, pageId }: Page, ...which: number[]): Promise<void> {
  const { contract } = bed.pages;
  const bits = which.reduce((all, one) => all | (1n << BigInt(placeOf(ids[one] ?? ""))), 0n);
  await waitFor(async () => {
    const isProved = (await contract.provedIn(pageId)) === bits;
    return isProved && (await contract.clockOf(pageId)).open === 0n ? true : undefined;
  });
}

const answers = async (): Promise<number> =>
  (await bed.calls(selectorIn(pageInterface, "proveLeaf"))).length;

type Health = { demands: { open: number; secondsLeft: number | null }; transactions: unknown[] };
const health = async (url: string) => (await (await fetch(`${url}/health`)).json()) as Health;

type Line = { msg?: string; requestId?: string; jobs?: number; line?: string };
const logged = (line: string): Line => (line.startsWith("{") ? (JSON.parse(line) as Line) : {});

describe("a demand", () => {
  it("is answered ahead of the proofs that wait, and a leaf is settled once", async () => {
    const settings = await settingsOf();
    const proposer = bed.worker(settings, ROLES);
    const page = await answered(await proposer.url(), 3);
    expect(page.header.kind).toBe(OPTIMISTIC);
    await proposer.child.stop();

    // Answers that are to be proved and settled by themselves, as they are without the setting.
    const answering = bed.worker({ ...settings, HACA_OPTIMISTIC_MODELS: "" }, ["infer"]);
    const waiting: string[] = [];
    const url = await answering.url();
    for (let image = 0; image < 12; image++) waiting.push((await infer(url, image)).requestId);
    await answering.child.stop();
    await demand(page, 1, 2);

    const before = await answers();
    let slots = 0;
    const worker = bed.worker({ ...settings, HACA_PROVE_THREADS: "1" }, ROLES);
    const again = await worker.url();
    await worker.logged("a proof is demanded: it goes before all other work");
    await proved(page, 1, 2);
    // Those in work when the demand was seen give way, and are begun again.
    const order = worker.child.lines.flatMap((line) => {
      const { jobs, msg, requestId } = logged(line);
      if (msg === "native prover" || msg?.startsWith("no native prover")) slots = jobs ?? 0;
      return msg === "proving" ? [requestId ?? ""] : [];
    });
    expect(slots).toBeLessThan(waiting.length / 2);
    for (const one of [1, 2]) {
      const place = order.indexOf(page.ids[one] ?? "");
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThanOrEqual(slots + 1);
    }
    for (const requestId of waiting) await jobIn(again, requestId, "settled");
    await waitFor(async () => {
      const { demands, transactions } = await health(again);
      return demands.open === 0 && transactions.length === 0 ? true : undefined;
    });
    // The page is still pending: what was proved is settled on the chain, what was not is not.
    expect(await Promise.all(page.ids.map((one) => bed.pages.settlement.isSettled(one)))).toEqual([
      ...[false, true, true],
    ]);
    expect(await answers()).toBe(before + 2);
    // Held by the page once, and settled once by what was proved.
    const counts = await bed.tee.chain.countSettlements();
    expect(page.ids.map((one) => counts.get(one) ?? 0)).toEqual([1, 2, 2]);
  });

  it("does not wait for proofs in work: they give way, and are made afterwards", async () => {
    const released = bed.folder("released");
    const settings = await settingsOf({
      ...{ HACA_PROVE_THREADS: "1", HACA_LOG_LEVEL: "debug", HACA_PROVER: SCRIPTED_PROVER },
      HACA_TEST_NATIVE_PROVER: JSON.stringify([`hang until ${released}`]),
    });
    const proposer = bed.worker(settings, ROLES);
    const page = await answered(await proposer.url(), 2);
    await proposer.child.stop();

    const worker = bed.worker({ ...settings, HACA_OPTIMISTIC_MODELS: "" }, ROLES);
    const url = await worker.url();
    const { jobs: slots } = await worker.logged("native prover");
    const waiting: string[] = [];
    for (let image = 0; image < 4; image++) waiting.push((await infer(url, image)).requestId);
    // Every place is taken by a proof that does not end.
    const find = (line: string) => (logged(line).line?.endsWith("is proving") ? true : undefined);
    await worker.child.collect({ count: Number(slots), find });
    writeFileSync(released, "");
    await demand(page, 0);
    await proved(page, 0);
    for (const requestId of waiting) {
      expect(await jobIn(url, requestId, "settled")).toMatchObject({ lastError: null });
    }
    const said = (message: string) =>
      worker.child.lines.flatMap((line) => {
        const { msg, requestId = "" } = logged(line);
        return msg === message ? [requestId] : [];
      });
    const gaveWay = said("interrupted: a proof that is demanded goes first");
    expect(gaveWay.sort()).toEqual(waiting.slice(0, Number(slots)).sort());
    const [first, ...others] = said("proven");
    expect(first).toBe(page.ids[0]);
    expect(others.sort()).toEqual(waiting.sort());
  });

  it("has a ceiling of its own, for all that the account sends", async () => {
    const low = { HACA_MAX_FEE_PER_GAS: "1", HACA_URGENT_MAX_FEE_PER_GAS: "1" };
    const settings = await settingsOf();
    const proposer = bed.worker(settings, ROLES);
    const page = await answered(await proposer.url(), 1);
    await proposer.child.stop();
    await demand(page, 0);
    const dear = bed.worker({ ...settings, ...low }, ROLES);
    const url = await dear.url();
    await dear.logged("proven");
    await dear.logged("gas is above HACA_MAX_FEE_PER_GAS: waiting");
    const { demands } = await health(url);
    expect(demands.open).toBe(1);
    expect(demands.secondsLeft).toBeGreaterThan(0);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^haca_demands_open 1$/m);
    expect(metrics).toMatch(/^haca_demand_seconds_left \d+$/m);
    await dear.child.stop();
    const { HACA_MAX_FEE_PER_GAS } = low;
    bed.worker({ ...settings, HACA_MAX_FEE_PER_GAS }, ROLES);
    await proved(page, 0);
  });

  let mortal: Settings | undefined;
  it.each(demandDeaths(isDeep))("is answered once after a kill right after %s", async (death) => {
    mortal ??= await settingsOf(embeddedQueueIn(bed.folder("mortal")));
    const settings = mortal;
    const dying = untilTestEnds(new WorkerProcess({ settings, roles: ROLES, crashAfter: death }));
    const page = await answered(await dying.url(), 2);
    const before = await answers();
    await demand(page, 1);
    expect(await dying.child.exited).toMatchObject({ signal: "SIGKILL" });
    const successor = bed.worker(settings, ROLES);
    const url = await successor.url();
    await proved(page, 1);
    await waitFor(async () => {
      const { demands, transactions } = await health(url);
      return demands.open === 0 && transactions.length === 0 ? true : undefined;
    });
    expect(await answers()).toBe(before + 1);
    await successor.child.stop();
  });
});

describe("a page of claims", () => {
  it("is final when its time is over, on the long road, with its words in its blob", async () => {
    const settings = await settingsOf();
    const url = await bed.worker(settings, ROLES).url();
    const page = await answered(url, 3);
    const { results } = await bed.pages.readBlob(page.header, bed.front);
    expect(results.map(({ words }) => words !== undefined)).toEqual([true, true, true]);
    const [first = ""] = page.ids;
    expect(await readJob(url, first)).toMatchObject({ proof: null, isOptimistic: true });
    await bed.pages.end();
    for (const requestId of page.ids) await jobIn(url, requestId, "settled");
    expect((await bed.pages.contract.stateOf(first, page.header)).state).toBe(2n);
  });
});

describe("claims with more words than a page's blob can hold", () => {
  it("go into as many pages as they need, but for one that fits into none", async () => {
    const settings = await settingsOf(bed.queue("large"));
    const { HACA_NODE_KEY: key = "" } = settings;
    const waiting = bed.worker({ ...settings, HACA_PAGE_MAX_AGE: "3600000" }, ROLES);
    const ids: string[] = [];
    const counts = [7_000, 7_000, 17_000, 7_000];
    const url = await waiting.url();
    for (const image of counts.keys()) ids.push((await infer(url, image)).requestId);
    await waiting.child.stop();
    // As answers of a model that takes so many words.
    const database = await openQueue(settings);
    const { address: settlement } = bed.tee.chain.book.contracts.InferenceSettlement;
    const domain = settlementDomain({ chainId: 31337n, settlement });
    for (const [place, requestId] of ids.entries()) {
      const job = await readQueued({ database, requestId });
      const inputWords = Array.from({ length: counts[place] ?? 0 }, () => 1n);
      const result = resultOf({ ...(job as Job), inputWords });
      const digest = hashResult({ domain, result });
      const { serialized } = new Wallet(key).signingKey.sign(digest);
      const change = "UPDATE jobs SET input_words = $2, signature = $3 WHERE request_id = $1";
      await database.query(change, [requestId, inputWords.map(String), serialized]);
    }
    await database.close();
    await bed.pages.pass(2n);

    const worker = bed.worker(settings, ROLES);
    const again = await worker.url();
    const [first = "", second = "", large = "", last = ""] = ids;
    expect(await worker.logged("set apart: not for a page")).toMatchObject({
      ...{ requestId: large, reason: "too large for a page" },
    });
    const hashes: (string | undefined)[] = [];
    for (const requestId of [first, second, last]) {
      hashes.push((await jobIn(again, requestId, "pending")).transaction?.hash);
    }
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
    const { header } = await bed.pages.headerIn(hashes[0]);
    expect((await bed.pages.readBlob(header, bed.front)).results).toHaveLength(2);
  });
});

describe("a page of claims that is rejected", () => {
  it("has its results proved after all, and each is settled again by itself", async () => {
    const settings = await settingsOf();
    const proposer = bed.worker(settings, ROLES);
    const page = await answered(await proposer.url(), 2);
    await proposer.child.stop();
    await demand(page, 0);
    await bed.pages.pass(PROVE_TIME + 1n);
    const place = placeOf(page.ids[0] ?? "");
    await (await bed.pages.contract.rejectUnproved(page.header, place)).wait();
    await bed.pages.pass(1n);
    const successor = bed.worker(settings, ROLES);
    const url = await successor.url();
    await successor.logged("page rejected");
    for (const requestId of page.ids) {
      const { proof } = await jobIn(url, requestId, "settled");
      expect(proof).not.toBeNull();
      expect(await bed.pages.settlement.isSettled(requestId)).toBe(true);
    }
  });
});

describe.skipIf(inject("postgresUrl") === undefined)("two workers on one PostgreSQL", () => {
  it("answer each demand once", async () => {
    const HACA_WORKER_DATABASE_URL = await newDatabase();
    const settings = await settingsOf({ HACA_WORKER_DATABASE_URL });
    const workers = [1, 2].map(() => bed.process(settings, ROLES));
    const [url = ""] = await Promise.all(workers.map((worker) => worker.url()));
    const page = await answered(url, 3);
    const before = await answers();
    await demand(page, 0, 2);
    await proved(page, 0, 2);
    await waitFor(async () => {
      const { demands, transactions } = await health(url);
      return demands.open === 0 && transactions.length === 0 ? true : undefined;
    });
    expect(await answers()).toBe(before + 2);
    for (const { child } of workers) await child.stop();
  });
});

describe("a worker that could not prove what is demanded", () => {
  let known: Settings | undefined;
  const settingsWith = async (changes: Settings = {}) => {
    known ??= await settingsOf(embeddedQueueIn(bed.folder("refused")));
    return { ...known, ...changes };
  };
  const endOf = async (settings: Settings, roles: readonly string[] = ROLES) => {
    const { child } = bed.worker(settings, roles);
    const { code } = await child.exited;
    return { code, line: child.lines.findLast((line) => line.startsWith("HACA_")) };
  };

  it("does not start without the role that proves", async () => {
    const { code, line } = await endOf(await settingsWith(), ["infer", "settle"]);
    expect(code).toBe(2);
    expect(line).toMatch(/^HACA_OPTIMISTIC_MODELS: .* and this one lacks prove: /);
  });

  it("does not start without pages", async () => {
    const { code, line } = await endOf(await settingsWith({ HACA_PAGE_SIZE: "1" }));
    expect(code).toBe(2);
    expect(line).toBe("HACA_OPTIMISTIC_MODELS: takes pages: set HACA_PAGE_SIZE above 1");
  });

  it("does not start with a model that it does not have", async () => {
    const { code, line } = await endOf(
      await settingsWith({ HACA_OPTIMISTIC_MODELS: "digits,prices" }),
    );
    expect(code).toBe(1);
    expect(line).toMatch(/^HACA_OPTIMISTIC_MODELS: prices is not among HACA_MODELS \(digits\): /);
  });

  it("proves for versions that its files were published as before, and does not start without those of another", async () => {
    const settings = await settingsWith();
    const proposer = bed.worker(settings, ROLES);
    const page = await answered(await proposer.url(), 1);
    await proposer.child.stop();
    await bed.tee.chain.publish({ model: await compileDigits(), minor: 1 });
    bed.tee.writeBook(settings.HACA_ADDRESS_BOOK ?? "");
    await demand(page, 0);
    const worker = bed.worker({ ...settings, HACA_OPTIMISTIC_MODELS: "" }, ROLES);
    expect(await worker.logged("model loaded")).toMatchObject({ version: "1.1" });
    await proved(page, 0);
    await worker.child.stop();

    const database = await openQueue(settings);
    await database.query("UPDATE jobs SET version_id = $1, version = '0.9'", [id("another model")]);
    await database.close();
    expect(await endOf(settings)).toEqual({
      code: 1,
      line: "HACA_MODELS: 1 results of digits 0.9 in pages cannot be proved here: add the model's folder to HACA_MODELS, or leave out the role prove",
    });
  });

  it("does not start with a native prover that is not there, or without the proving key", async () => {
    const settings = await settingsWith(bed.queue("unready"));
    const prover = bed.folder("no-prover");
    const proverless = await endOf({ ...settings, HACA_PROVER: prover });
    expect(proverless).toEqual({ code: 1, line: `HACA_PROVER: ${prover} does not exist` });
    const folder = bed.folder("no-key");
    cpSync(settings.HACA_MODELS ?? "", folder, { recursive: true });
    const keys = readdirSync(folder).filter((name) => name.endsWith(".zkey"));
    for (const name of keys) rmSync(join(folder, name));
    const keyless = await endOf({ ...settings, HACA_MODELS: folder, HACA_PROVER: "none" });
    expect(keyless.code).toBe(1);
    expect(keyless.line).toMatch(/^HACA_MODELS: .*no file .*\.zkey: compile the model/);
  });
});
