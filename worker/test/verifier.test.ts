import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { leafAt } from "@haca/protocol/pageSettlement";
import { signAttestation } from "@haca/protocol/validatorStaking";
import { id, toBeHex, Wallet } from "ethers";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { pageInterface } from "../src/chain/chain.ts";
import { listAttestations } from "../src/roles/validate/attestations.ts";
import { createCollectPass } from "../src/roles/validate/collectSignatures.ts";
import { freezeEpoch } from "../src/roles/validate/freezeEpoch.ts";
import { payPages } from "../src/roles/validate/payPages.ts";
import { Peer } from "../src/roles/validate/peer.ts";
import { slashSigners } from "../src/roles/validate/slashSigners.ts";
import { listChallenges } from "../src/roles/watch/challenges.ts";
import { createActPass, WATCH_STEPS } from "../src/roles/watch/createWatchPass.ts";
import { nextAnswer, nextEnd, nextRequest } from "../src/roles/watch/nextDue.ts";
import { pursueChallenges } from "../src/roles/watch/pursueChallenges.ts";
import { requestLeaves } from "../src/roles/watch/requestLeaves.ts";
import { findWatched } from "../src/verifier/watchedPages.ts";
import { developmentKey } from "./support/localChain.ts";
import { StakingContract } from "./support/stakingContract.ts";
import { describeStores } from "./support/stores.ts";
import { type MadePage, selectorIn, WatchBed } from "./support/watchBed.ts";
import { makeWatchParts, type WatchParts } from "./support/watchParts.ts";

const OPG = 10n ** 18n;
const OWNERS = [2, 3, 4] as const;
const STAKE = 20_000;
/** More blocks than any that is not safe lies behind the head. */
const SAFE = 40;
const JUDGE = selectorIn(pageInterface, "judgeLeaf");
/** `Reason.InvalidSignature` */
const WRONG = toBeHex(4, 32);
const GOOD = toBeHex(0, 32);

let bed: WatchBed;
let staking: StakingContract;
const keyOf = (owner: number) => new Wallet(developmentKey(owner + 20));

beforeAll(async () => {
  bed = await WatchBed.start();
  staking = await StakingContract.deploy(bed.tee, bed.pages);
  for (const owner of OWNERS) await staking.enter({ owner, key: keyOf(owner), stake: STAKE });
  // The contracts are older than what is safe.
  await bed.mine(SAFE);
});
afterAll(() => bed?.stop());

/** Goes on to one hour after the next midnight, and has the set frozen. */
async function nextEpoch(): Promise<void> {
  const now = await bed.pages.now();
  await bed.pages.pass(86_400n - (now % 86_400n) + 3_600n);
  await (await staking.contract.freeze()).wait();
}

describeStores("pages of others", (queue) => {
  let parts: WatchParts;
  const partsOf = async (owner: number, peers: readonly Peer[] = []): Promise<WatchParts> => {
    const { database } = queue;
    const made = await makeWatchParts({
      ...{ bed, staking, database, account: owner, key: keyOf(owner), peers },
    });
    onTestFinished(made.close);
    return made;
  };
  const read = async (machine = parts): Promise<void> => {
    while (await machine.follow());
    await machine.inspect();
  };
  const verdictOf = async ({ pageId }: MadePage) =>
    (await findWatched({ database: queue.database, pageId }))?.verdict;
  const signed = async ({ pageId }: MadePage) =>
    (await listAttestations({ database: queue.database, pageId })).map(({ key }) => key);
  /** A page that could be signed: read, judged, its proposal safe. */
  const signable = async (proposing = {}): Promise<MadePage> => {
    const page = await bed.propose(proposing);
    await bed.mine(SAFE);
    await read();
    return page;
  };

  /** Asks for the first leaf, from an account that no machine here has. */
  const askedByAnother = async ({ header }: MadePage): Promise<void> => {
    const { contract } = bed.pages;
    await bed.pages.deposit(new Wallet(developmentKey(8)).address, 100);
    await (await contract.requestLeaf(header, 0)).wait();
  };

  beforeEach(async () => {
    await nextEpoch();
    parts = await partsOf(2);
  });

  it("are followed through a reorganisation, with the salt of a challenge kept", async () => {
    const snapshot = await bed.tee.chain.send("evm_snapshot");
    const entries = await bed.make(2);
    const [first, second] = entries;
    if (first === undefined || second === undefined) throw new Error("no results");
    const bad = await bed.proposeEntries([first, { ...second, signature: first.signature }]);
    await read();
    expect(await verdictOf(bad)).toBe("bad");
    const [made] = await listChallenges({ database: queue.database, limit: 1 });
    await bed.tee.chain.send("evm_revert", snapshot);
    await bed.mine(3);
    await read();
    expect(await verdictOf(bad)).toBeUndefined();
    expect(parts.logged("the chain was reorganised: reading again after block")).toHaveLength(1);
    // Nothing is sent for a page that is not there.
    await parts.act(WATCH_STEPS);
    expect(parts.logged("sent")).toEqual([]);
    const again = await bed.proposeEntries([first, { ...second, signature: first.signature }]);
    expect(again.pageId).toBe(bad.pageId);
    await read();
    expect(await listChallenges({ database: queue.database, limit: 1 })).toEqual([made]);
    for (let pass = 0; pass < 4; pass++) {
      await parts.act(WATCH_STEPS);
      await bed.mine(1);
    }
    expect((await bed.stateOf(again)).state).toBe(3n);
  });

  it("are signed when they are safe, once by two machines", async () => {
    const page = await bed.propose();
    await read();
    await parts.sign();
    expect(await signed(page)).toEqual([]);
    await bed.mine(SAFE);
    const other = await partsOf(2);
    let quicker: Promise<void> | undefined;
    // While one of them still judges, the other one has signed.
    parts.meddle(async ({ answer, data }) => {
      if (data.startsWith(JUDGE)) quicker ??= other.sign();
      await quicker;
      return answer;
    });
    await parts.sign();
    expect(quicker).toBeDefined();
    expect(await signed(page)).toEqual([keyOf(2).address]);
    const lines = [...parts.logged("page signed"), ...other.logged("page signed")];
    expect(lines.filter((line) => line.page === page.pageId)).toHaveLength(1);
  });

  it("are not signed where the contract refuses a leaf that the filter takes", async () => {
    const page = await signable();
    parts.meddle(({ answer, data }) => (data.startsWith(JUDGE) ? WRONG : answer));
    await parts.sign();
    expect(await signed(page)).toEqual([]);
    const [line] = parts.logged("page not signed").filter((one) => one.page === page.pageId);
    expect(line).toMatchObject({ words: "InvalidSignature" });
  });

  it("are not signed where the filter refuses a leaf that the endpoint calls good, nor challenged", async () => {
    parts.meddle(({ answer, data }) => (data.startsWith(JUDGE) ? GOOD : answer));
    const page = await signable({ badPlaces: [1] });
    expect(await verdictOf(page)).toBe("unjudged");
    expect(await listChallenges({ database: queue.database, limit: 1 })).toEqual([]);
    // As if it had been good at the first look.
    await queue.database.query("UPDATE watched_pages SET verdict = 'good'");
    await parts.sign();
    expect(await signed(page)).toEqual([]);
    expect(
      parts.logged("contract and worker judge a leaf differently: the contract's word counts"),
    ).not.toEqual([]);
  });

  it("are not signed while the endpoint fails or answers nothing, and are afterwards", async () => {
    const page = await signable();
    parts.meddle(({ answer, data }) => {
      if (data.startsWith(JUDGE)) throw new Error("the endpoint is overloaded");
      return answer;
    });
    await expect(parts.sign()).rejects.toThrow(/^HACA_RPC_URL: /);
    parts.meddle(({ answer, data }) => (data.startsWith(JUDGE) ? "0x" : answer));
    await parts.sign();
    expect(await signed(page)).toEqual([]);
    parts.meddle(undefined);
    await parts.sign();
    expect(await signed(page)).toEqual([keyOf(2).address]);
  });

  it("are walked while the deposits for it do not reach their ceiling", async () => {
    const { address } = new Wallet(developmentKey(2));
    await bed.pages.deposit(address, 100);
    const page = await bed.propose({ isWithheld: true });
    const { contract } = bed.pages;
    const walk = async () => {
      await read();
      await parts.act(WATCH_STEPS);
      await bed.mine(1);
      await read();
      return (await contract.pageOf(page.pageId)).openRequests;
    };
    parts.context.requestBudget = 15n * OPG;
    expect(await walk()).toBe(1n);
    const [row] = await queue.database.query("SELECT place FROM leaf_requests WHERE page_id = $1", [
      page.pageId,
    ]);
    const leaf = leafAt(page.page, Number(row?.place));
    if (leaf === undefined) throw new Error("no leaf");
    await (await contract.answerLeaves([{ header: page.header, leaf }])).wait();
    expect(await walk()).toBe(0n);
    parts.context.requestBudget = 20n * OPG;
    expect(await walk()).toBe(1n);
  });

  it("are challenged for a place that an answer for another one shows to be empty", async () => {
    const page = await bed.propose({ count: 2, emptyPlaces: [9, 200], isWithheld: true });
    const { contract } = bed.pages;
    await askedByAnother(page);
    const leaf = leafAt(page.page, 0);
    if (leaf === undefined) throw new Error("no leaf");
    await (await contract.answerLeaves([{ header: page.header, leaf }])).wait();
    await read();
    // Nothing more is asked for: what is known ends the page.
    await bed.pages.deposit(new Wallet(developmentKey(2)).address, 100);
    for (let pass = 0; pass < 3; pass++) {
      await parts.act([pursueChallenges, requestLeaves]);
      await bed.mine(1);
    }
    expect(await bed.stateOf(page)).toMatchObject({ state: 3n, reason: 1n });
    const asked = parts.logged("page not readable: asking for a leaf");
    expect(asked.filter((line) => line.page === page.pageId)).toEqual([]);
  });

  it("are urgent by what somebody else has asked for, too", async () => {
    const asking = { ...parts.context, answersRequests: true };
    const withheld = await bed.propose({ isWithheld: true });
    const bad = await bed.propose({ badPlaces: [1] });
    const { pageId } = bad;
    await read();
    const now = await bed.pages.now();
    const { longRoad, proposedAt } = await bed.pages.contract.pageOf(withheld.pageId);
    const last = proposedAt + longRoad - 86_400n;
    expect(await nextRequest({ context: asking, now })).toBe(last);
    expect(await nextRequest({ context: { ...asking, requestLeaves: 0 }, now })).toBeUndefined();
    expect(await nextAnswer({ context: asking, now })).toBeUndefined();
    await askedByAnother(withheld);
    await askedByAnother(bad);
    await read();
    // That request has moved the end, and not the last moment for another one.
    expect(await nextRequest({ context: asking, now })).toBe(last);
    const { deadline } = await bed.pages.contract.leafRequestOf(pageId, 0);
    expect(await nextAnswer({ context: asking, now })).toBe(deadline);
    expect(await nextAnswer({ context: parts.context, now })).toBeUndefined();
    // Nobody has shown the leaf: past its end the page is pending all the same, and can be challenged.
    await bed.pages.pass(4n * 86_400n);
    await read();
    const later = await bed.pages.now();
    expect(await nextEnd({ context: asking, now: later })).toBe(later);
  });

  it("are not signed while somebody waits for a leaf, nor without a place in the set", async () => {
    const page = await signable();
    await bed.pages.deposit(bed.tee.operator, 100);
    await (await bed.pages.contract.requestLeaf(page.header, 0)).wait();
    await parts.sign();
    expect(await signed(page)).toEqual([]);
    const stranger = await partsOf(9);
    const other = await signable();
    await stranger.sign();
    expect(await signed(other)).toEqual([]);
  });

  it("have signatures of peers, whatever else peers answer", async () => {
    const page = await signable();
    const { pageId } = page;
    const address = String(staking.contract.target);
    const sign = (key: Wallet, about = pageId) =>
      signAttestation({ chainId: 31337n, staking: address, pageId: about, key });
    const genuine = { key: keyOf(3).address, signature: await sign(keyOf(3)) };
    const answers: RequestListener[] = [
      (_, answer) => answer.end(JSON.stringify({ attestations: [genuine] })),
      (_, answer) => answer.end("rubbish"),
      (_, answer) => answer.end(JSON.stringify({ attestations: "many" })),
      (_, answer) => answer.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      (_, answer) => answer.writeHead(500).end(),
      // Never ends, and would not fit.
      (_, answer) => {
        const chunk = Buffer.alloc(65_536, "x");
        const more = (): void => {
          while (answer.write(chunk));
          answer.once("drain", more);
        };
        more();
      },
      (request) => request.socket.destroy(),
    ];
    const lies = [
      { key: keyOf(4).address, signature: await sign(new Wallet(id("nobody"))) },
      { key: keyOf(4).address, signature: await sign(keyOf(4), id("another page")) },
      { key: keyOf(4).address, signature: `0x${"ff".repeat(64)}` },
      // This validator's own, which it has not made.
      { key: keyOf(2).address, signature: await sign(keyOf(2)) },
    ];
    answers.push((_, answer) => answer.end(JSON.stringify({ attestations: lies })));
    const peers = await Promise.all(answers.map(servePeer));
    const machine = await partsOf(2, peers);
    await machine.sign();
    const own = await listAttestations({ database: queue.database, pageId });
    await createCollectPass(machine.context, new AbortController().signal)();
    expect((await signed(page)).sort()).toEqual([keyOf(2).address, keyOf(3).address].sort());
    expect((await listAttestations({ database: queue.database, pageId }))[0]).toEqual(own[0]);
    const failing = peers.filter(({ isResting }) => isResting);
    expect(failing).toHaveLength(6);
    expect(machine.logged("peer of no use: later")).toHaveLength(6);
  });

  it("that were refuted cost their signers, for a bounty, and attested ones are paid", async () => {
    const good = await signable({ fee: 3n * OPG });
    const bad = await signable({ badPlaces: [0] });
    const snapshot = await staking.contract.snapshotNow();
    for (const { header, pageId } of [good, bad]) {
      const signatures = [];
      for (const owner of OWNERS) {
        const address = String(staking.contract.target);
        const key = keyOf(owner);
        signatures.push(await signAttestation({ chainId: 31337n, staking: address, pageId, key }));
      }
      const joined = `0x${signatures.map((one) => one.slice(2)).join("")}`;
      await (await staking.contract.attest(header, [...snapshot], 7n, joined)).wait();
    }
    const before = await Promise.all(OWNERS.map((owner) => staking.stakeOf(owner)));
    await read();
    for (let pass = 0; pass < 4; pass++) {
      await parts.act(WATCH_STEPS);
      await bed.mine(1);
    }
    expect((await bed.stateOf(bad)).state).toBe(3n);
    await read();
    const steps = [slashSigners(parts.context), payPages(parts.context)];
    for (let pass = 0; pass < 3; pass++) {
      await queue.database.query(
        "UPDATE watched_pages SET slash_after = now() WHERE slash_after IS NOT NULL",
      );
      await parts.act(steps);
      await bed.mine(1);
    }
    const after = await Promise.all(OWNERS.map((owner) => staking.stakeOf(owner)));
    // Nobody shows what they have signed themselves.
    expect(after[0]).toBe(before[0]);
    for (const place of [1, 2]) {
      const lost = ((before[place] ?? 0n) * 500n) / 10_000n + 10n * OPG;
      expect((before[place] ?? 0n) - (after[place] ?? 0n)).toBe(lost);
    }
    const { pages } = await staking.contract.tallyOf((await bed.pages.now()) / 86_400n, 7n);
    expect(pages).toBe(0n);
    // Done is done: nothing more is sent.
    const sent = parts.logged("sent").length;
    await parts.act(steps);
    expect(parts.logged("sent")).toHaveLength(sent);
  });

  it("have the epoch frozen where it is needed, once, whatever block an endpoint calls the latest", async () => {
    const now = await bed.pages.now();
    await bed.pages.pass(86_400n - (now % 86_400n) + 3_600n);
    const step = freezeEpoch(parts.context);
    await parts.act([step]);
    expect(parts.logged("sent")).toEqual([]);
    await signable();
    const { provider } = parts.context.chain;
    const unfrozen = await provider.getBlock("latest");
    const pass = createActPass(parts.context, [step], []);
    await pass();
    await bed.mine(1);
    // The block before, asked for before the freezing was mined or from a machine that lags.
    const asked = vi.spyOn(provider, "getBlock").mockResolvedValueOnce(unfrozen);
    await pass();
    expect(parts.logged("mined")).toHaveLength(1);
    asked.mockResolvedValue(unfrozen);
    await pass();
    asked.mockRestore();
    await pass();
    expect(parts.logged("sent")).toMatchObject([
      { purpose: expect.stringMatching(/^freezing of epoch \d+$/) },
    ]);
  });
});

/** A peer that answers so. */
async function servePeer(listener: RequestListener): Promise<Peer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Peer(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}
