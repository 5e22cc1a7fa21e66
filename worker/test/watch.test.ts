import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { leafAt } from "@haca/protocol/pageSettlement";
import { replaceFile } from "@haca/protocol/replaceFile";
import { id, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { developmentKey } from "./support/localChain.ts";
import { OptimisticNode } from "./support/optimisticNode.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueue, endLeasesOf, mortalQueue } from "./support/queues.ts";
import { type MadePage, WatchBed } from "./support/watchBed.ts";
import { askingDeaths, watchDeaths } from "./support/watchTransitions.ts";

const REJECTED = 3n;
const DISPROVED = 4n;
const INVALID_SIGNATURE = 4n;
const CONFLICTING_RECEIPT = 7n;
const DATA_WITHHELD = 8n;
const DEMAND_UNANSWERED = 9n;
const OPG = 10n ** 18n;
const HOUR = 3_600n;
const DAY = 24n * HOUR;
const GWEI = 10n ** 9n;
/** Account of watchers that are killed. */
const CRASHING = 2;
/** What a dead one sent is looked for at once, and not after half a minute of blocks. */
const IMPATIENT = { HACA_REBROADCAST_MS: "500" };
/** Account of the watcher that pays more where it has to, one that the chain does not fund. */
const DEAR = 12;

let bed: WatchBed;
let node: OptimisticNode | undefined;
/** The one node whose answers can be demanded the proofs of. */
const optimisticNode = async () => {
  node ??= await OptimisticNode.start(bed, 7);
  return node;
};
/** A page of it with one answer that the model does not give. */
const proposeLie = async () => {
  const node = await optimisticNode();
  const [first, second] = await node.answers(2);
  if (first === undefined || second === undefined) throw new Error("no answers");
  return await bed.proposeEntries([first, node.lie(second)], { node: node.wallet });
};
beforeAll(async () => {
  bed = await WatchBed.start();
});
afterAll(() => bed?.stop());

/** Mines until the contract says so; blocks are what a chain has anyway. */
const untilState = (page: MadePage, wanted: bigint) =>
  waitFor(async () => {
    await bed.mine(1);
    const { reason, state } = await bed.stateOf(page);
    return state === wanted ? reason : undefined;
  });

/** Time moves on, and blocks with it, until the contract says so. */
const afterTime = (page: MadePage, seconds: bigint, wanted: bigint) =>
  bed.pages.pass(seconds).then(() => untilState(page, wanted));

const openRequests = async ({ pageId }: MadePage) =>
  (await bed.pages.contract.pageOf(pageId)).openRequests;

describe("worker watch", () => {
  it("challenges a page with a wrong leaf, is paid for it, and leaves a good one alone", async () => {
    const good = await bed.propose();
    const bad = await bed.propose({ count: 5, badPlaces: [3] });
    const before = await bed.heldBy(2);
    const worker = bed.worker(bed.settings(2));
    const url = await worker.url();
    expect(await untilState(bad, REJECTED)).toBe(INVALID_SIGNATURE);
    expect((await bed.heldBy(2)) - before).toBe(500n * OPG);
    await worker.logged("every leaf of the page is good");
    await waitFor(async () => {
      await bed.mine(1);
      const { challenges } = (await (await fetch(`${url}/health`)).json()) as {
        challenges: { won: number };
      };
      return challenges.won === 1 ? true : undefined;
    });
    expect((await bed.stateOf(good)).state).toBe(1n);
    worker.child.kill("SIGTERM");
    expect(await worker.child.exited).toMatchObject({ code: 0 });
  });

  it("asks for a leaf of a page whose blob is withheld, and has the page rejected a day later", async () => {
    const { address } = new Wallet(developmentKey(4));
    await bed.pages.deposit(address, 100);
    const page = await bed.propose({ isWithheld: true });
    const worker = bed.worker(bed.settings(4, { HACA_REQUEST_AFTER_SECONDS: "0" }));
    await worker.logged("page not readable");
    await waitFor(async () => ((await openRequests(page)) === 1n ? true : undefined));
    expect(await afterTime(page, DAY + 1n, REJECTED)).toBe(DATA_WITHHELD);
    // What it put down, and half of the proposer's deposit.
    expect(await bed.heldBy(4)).toBe(600n * OPG);
  });

  it("asks for one leaf of a withheld page after another, killed on the way, until all are known", async () => {
    const { address } = new Wallet(developmentKey(5));
    await bed.pages.deposit(address, 100);
    const before = await bed.heldBy(5);
    const page = await bed.propose({ count: 4, isWithheld: true });
    const settings = bed.settings(5, { HACA_REQUEST_AFTER_SECONDS: "0", ...embeddedQueue() });
    const asked: number[] = [];
    const answerNext = async (): Promise<void> => {
      const place = await waitFor(async () => {
        await bed.mine(1);
        for (const { index } of page.page.results) {
          const { requester } = await bed.pages.contract.leafRequestOf(page.pageId, index);
          if (requester === address) return { index };
        }
        return undefined;
      });
      asked.push(place.index);
      const leaf = leafAt(page.page, place.index);
      if (leaf === undefined) throw new Error("no leaf");
      await (await bed.pages.contract.answerLeaves([{ header: page.header, leaf }])).wait();
    };
    const first = bed.process(settings);
    await answerNext();
    await answerNext();
    first.child.kill("SIGKILL");
    expect(await first.child.exited).toMatchObject({ signal: "SIGKILL" });
    const successor = bed.worker(settings);
    await answerNext();
    await answerNext();
    await successor.logged("every leaf of the page was shown");
    await successor.logged("every leaf of the page is good");
    expect([...asked].sort()).toEqual([0, 1, 2, 3]);
    // The neighbour's hash came with the first answer: more is learned on the other side.
    expect((asked[0] ?? 0) >> 1).not.toBe((asked[1] ?? 0) >> 1);
    // One at a time: each for the least deposit.
    expect(before - (await bed.heldBy(5))).toBe(40n * OPG);
    await successor.child.stop();
  });

  it("challenges a wrong leaf that is nowhere but in the transaction that shows it", async () => {
    const { address } = new Wallet(developmentKey(5));
    await bed.pages.deposit(address, 100);
    const page = await bed.propose({ count: 1, badPlaces: [0], isWithheld: true });
    bed.worker(bed.settings(5, { HACA_REQUEST_AFTER_SECONDS: "0" }));
    await waitFor(async () => ((await openRequests(page)) === 1n ? true : undefined));
    const leaf = leafAt(page.page, 0);
    if (leaf === undefined) throw new Error("no leaf");
    await (await bed.pages.contract.answerLeaves([{ header: page.header, leaf }])).wait();
    expect(await untilState(page, REJECTED)).toBe(INVALID_SIGNATURE);
  });

  it("challenges a page that has another result than a receipt in its folder, and survives what is none", async () => {
    const page = await bed.propose();
    const folder = bed.folder("receipts");
    mkdirSync(folder);
    const settings = bed.settings(3, { HACA_RECEIPTS: folder });
    const worker = bed.worker(settings);
    await worker.logged("every leaf of the page is good");
    const { requestId } = leafAt(page.page, 1)?.result ?? {};
    if (requestId === undefined) throw new Error("no leaf");
    const [other] = await bed.make(1, { requestId, outputHash: id("another answer") });
    if (other === undefined) throw new Error("no result");
    const give = (name: string, value: unknown) =>
      replaceFile({ path: join(folder, name), text: JSON.stringify(value) });
    // Signed by nobody, and no receipt at all.
    give("a.json", { ...other, signature: `0x${"11".repeat(65)}` });
    give("b.json", { message: other.message });
    expect(await worker.logged("no receipt: left out")).toMatchObject({
      file: "b.json",
      error: "signature: is missing",
    });
    expect(await worker.logged("receipt differs from the page and shows nothing")).toMatchObject({
      ...{ file: "a.json", place: 1 },
    });
    expect((await bed.stateOf(page)).state).toBe(1n);
    // As a node's client has it.
    give("c.json", { ...other, primaryType: "InferenceResult", inputWords: [], outputWords: [] });
    expect(await untilState(page, REJECTED)).toBe(CONFLICTING_RECEIPT);
    expect(await bed.heldBy(3)).toBe(500n * OPG);
    worker.child.kill("SIGTERM");
    expect(await worker.child.exited).toMatchObject({ code: 0 });
  });

  it("does not start over a folder of receipts that is not there", async () => {
    const worker = bed.worker(bed.settings(3, { HACA_RECEIPTS: bed.folder("nowhere") }));
    expect(await worker.child.exited).toMatchObject({ code: 1 });
    expect(worker.child.lines.join("\n")).toMatch(
      /HACA_RECEIPTS: .*nowhere is no folder: make it first/,
    );
  });

  it("shows leaves that others ask for, where it is told to", async () => {
    await bed.pages.deposit(bed.tee.operator, 100);
    const page = await bed.propose();
    const worker = bed.worker(bed.settings(6, { HACA_ANSWER_REQUESTS: "yes" }));
    await worker.logged("every leaf of the page is good");
    await (await bed.pages.contract.requestLeaf(page.header, 1)).wait();
    await waitFor(async () => {
      await bed.mine(1);
      return (await openRequests(page)) === 0n ? true : undefined;
    });
    expect(await bed.heldBy(6)).toBe(10n * OPG);
  });

  it("demands the proof of an answer that the model does not give, and of no other", async () => {
    const node = await optimisticNode();
    const good = await bed.proposeEntries(await node.answers(2), { node: node.wallet });
    const wrong = await proposeLie();
    const { address } = new Wallet(developmentKey(9));
    await bed.pages.deposit(address, 100);
    const worker = bed.worker(bed.settings(9, { HACA_MODELS: node.models }));
    await worker.logged("no answer of the page is wrong");
    const { place } = await worker.logged("doubted leaf: demanding its proof");
    const demand = () => bed.pages.contract.demandOf(wrong.pageId, Number(place));
    await waitFor(async () => {
      await bed.mine(1);
      return (await demand()).requester === address ? true : undefined;
    });
    expect(await afterTime(wrong, DAY + 1n, REJECTED)).toBe(DEMAND_UNANSWERED);
    expect(await bed.heldBy(9)).toBe(600n * OPG);
    expect((await bed.pages.contract.clockOf(good.pageId)).stoppedAt).toBe(0n);
  });

  it("waits while gas is dear, and pays for it where the end of the page is near", async () => {
    const [calm, dear] = [2n * GWEI, 20n * GWEI];
    const { address } = new Wallet(developmentKey(DEAR));
    const { provider } = bed.tee.chain;
    await provider.send("anvil_setBalance", [address, `0x${(10n * OPG).toString(16)}`]);
    const page = await bed.propose({ badPlaces: [1] });
    const worker = bed.worker(
      bed.settings(DEAR, {
        HACA_MAX_FEE_PER_GAS: String(calm),
        HACA_URGENT_MAX_FEE_PER_GAS: String(10n * dear),
        HACA_URGENT_SECONDS: String(6n * HOUR),
      }),
    );
    const mineDear = async () => {
      await provider.send("anvil_setNextBlockBaseFeePerGas", [`0x${dear.toString(16)}`]);
      await bed.mine(1);
    };
    await mineDear();
    await worker.logged("gas is above HACA_MAX_FEE_PER_GAS: waiting");
    expect(await provider.getTransactionCount(address, "pending")).toBe(0);
    const { until } = await bed.stateOf(page);
    await bed.pages.pass(until - (await bed.pages.now()) - 3n * HOUR);
    const reason = await waitFor(async () => {
      await mineDear();
      const { reason, state } = await bed.stateOf(page);
      return state === REJECTED ? reason : undefined;
    });
    expect(reason).toBe(INVALID_SIGNATURE);
    expect(await bed.heldBy(DEAR)).toBe(500n * OPG);
  });

  const isDeep = process.env.HACA_DEEP === "1";
  it.each(watchDeaths(isDeep).map((at, turn) => [at, turn] as const))(
    "that is killed right after %s leaves it to a successor that challenges once",
    async (at, turn) => {
      const { address } = new Wallet(developmentKey(CRASHING));
      const before = await bed.tee.chain.provider.getTransactionCount(address);
      const held = await bed.heldBy(CRASHING);
      const page = await bed.propose({ badPlaces: [2] });
      const settings = bed.settings(CRASHING, { ...IMPATIENT, ...mortalQueue(turn) });
      const crashing = bed.process(settings, ["watch"], at);
      await waitFor(async () => {
        await bed.mine(1);
        return crashing.child.hasEnded ? true : undefined;
      });
      expect(await crashing.child.exited).toMatchObject({ signal: "SIGKILL" });
      await endLeasesOf(settings);
      const successor = bed.worker(settings);
      expect(await untilState(page, REJECTED)).toBe(INVALID_SIGNATURE);
      expect(await bed.heldBy(CRASHING)).toBe(held + 500n * OPG);
      const count = () => bed.tee.chain.provider.getTransactionCount(address);
      expect((await count()) - before).toBe(2);
      await successor.child.stop();
    },
  );

  it.each(askingDeaths(isDeep).map((death, turn) => [...death, turn] as const))(
    "that is killed over a %s, right after %s, leaves it to a successor that asks and rejects once",
    async (asking, at, turn) => {
      const { address } = new Wallet(developmentKey(CRASHING));
      await bed.pages.deposit(address, 100);
      const count = () => bed.tee.chain.provider.getTransactionCount(address);
      const [before, held] = [await count(), await bed.heldBy(CRASHING)];
      const { models } = await optimisticNode();
      const settings = bed.settings(CRASHING, {
        ...{ HACA_REQUEST_AFTER_SECONDS: "0", HACA_MODELS: models },
        ...{ ...IMPATIENT, ...mortalQueue(turn) },
      });
      const page =
        asking === "demand" ? await proposeLie() : await bed.propose({ isWithheld: true });
      const crashing = bed.process(settings, ["watch"], at);
      const isAsked = async () => {
        // The page's clock stands while a proof is demanded.
        const { stoppedAt } = await bed.pages.contract.clockOf(page.pageId);
        return stoppedAt > 0n || (await openRequests(page)) > 0n;
      };
      await waitFor(async () => {
        // A day goes by where it dies over what comes after that.
        if (at.startsWith("second") && (await isAsked())) await bed.pages.pass(DAY + 1n);
        else await bed.mine(1);
        return crashing.child.hasEnded ? true : undefined;
      });
      expect(await crashing.child.exited).toMatchObject({ signal: "SIGKILL" });
      await endLeasesOf(settings);
      const successor = bed.worker(settings);
      if (!at.startsWith("second")) {
        await waitFor(async () => {
          await bed.mine(1);
          return (await isAsked()) ? true : undefined;
        });
      }
      const reason = asking === "demand" ? DEMAND_UNANSWERED : DATA_WITHHELD;
      expect(await afterTime(page, DAY + 1n, REJECTED)).toBe(reason);
      expect(await bed.heldBy(CRASHING)).toBe(held + 500n * OPG);
      expect((await count()) - before).toBe(2);
      await successor.child.stop();
    },
  );

  it("disproves a page that is final, within its evidence window", async () => {
    const bad = await bed.propose({ badPlaces: [0] });
    await bed.pages.end();
    bed.worker(bed.settings(3));
    expect(await untilState(bad, DISPROVED)).toBe(INVALID_SIGNATURE);
  });
});
