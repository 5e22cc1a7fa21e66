import { OPTIMISTIC } from "@haca/protocol/pageSettlement";
import { decodeRequestId } from "@haca/protocol/requestId";
import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { pageInterface } from "../src/chain/chain.ts";
import { infer, type JobView, jobIn, readJob } from "./support/client.ts";
import { demandDeaths } from "./support/demandTransitions.ts";
import { developmentKey } from "./support/localChain.ts";
import { OptimisticNode } from "./support/optimisticNode.ts";
import { waitFor } from "./support/processes.ts";
import { selectorIn, WatchBed } from "./support/watchBed.ts";
import { type Settings, WorkerProcess } from "./support/worker.ts";

const ROLES = ["infer", "prove", "settle"];
const isDeep = process.env.HACA_DEEP === "1";

let bed: WatchBed;
let models: string;
/** Each test has a node of its own. */
let account = 1;

beforeAll(async () => {
  bed = await WatchBed.start();
  ({ models } = await OptimisticNode.start(bed, 1));
  // Whoever demands proofs.
  await bed.pages.deposit(bed.tee.operator, 1_000);
});
afterAll(() => bed.stop());

/** Settings of another node, that has a deposit, and proposes what its model answers as claims. */
async function settingsOf(changes: Settings = {}): Promise<Settings> {
  account += 1;
  await bed.pages.deposit(new Wallet(developmentKey(account)).address, 1_000);
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
  await waitFor(async () => ((await contract.provedIn(pageId)) === bits ? true : undefined));
  expect((await contract.clockOf(pageId)).open).toBe(0n);
}

const answers = async (): Promise<number> =>
  (await bed.calls(selectorIn(pageInterface, "proveLeaf"))).length;

type Health = { demands: { open: number; secondsLeft: number | null }; transactions: unknown[] };
const health = async (url: string) => (await (await fetch(`${url}/health`)).json()) as Health;

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
    const worker = bed.worker({ ...settings, HACA_PROVE_THREADS: "1" }, ROLES);
    const again = await worker.url();
    await worker.logged("a proof is demanded: it goes before all other work");
    await proved(page, 1, 2);
    const states = await Promise.all(waiting.map((requestId) => readJob(again, requestId)));
    expect(states.some(({ state }) => state === "accepted")).toBe(true);
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
    const counts = await bed.tee.chain.countSettlements();
    expect(page.ids.map((one) => counts.get(one) ?? 0)).toEqual([0, 1, 1]);
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

  it.each(demandDeaths(isDeep))("is answered once after a kill right after %s", async (death) => {
    const settings = await settingsOf();
    const proposer = bed.worker(settings, ROLES);
    const page = await answered(await proposer.url(), 2);
    await proposer.child.stop();
    const before = await answers();
    await demand(page, 1);
    const dying = new WorkerProcess({ settings, roles: ROLES, crashAfter: death });
    onTestFinished(() => dying.child.stop("SIGKILL"));
    expect(await dying.child.exited).toMatchObject({ signal: "SIGKILL" });
    const successor = bed.worker(settings, ROLES);
    const url = await successor.url();
    await proved(page, 1);
    await waitFor(async () => {
      const { demands, transactions } = await health(url);
      return demands.open === 0 && transactions.length === 0 ? true : undefined;
    });
    expect(await answers()).toBe(before + 1);
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
