import { parseEther, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FrontMode } from "./support/blobFront.ts";
import { COLLUDING, Colluders, keyOf } from "./support/colluders.ts";
import { EndpointProxy, type ProxyMode } from "./support/endpointProxy.ts";
import { freePorts } from "./support/freePorts.ts";
import { developmentKey } from "./support/localChain.ts";
import { Machine } from "./support/machine.ts";
import { EVIDENCE_SECONDS } from "./support/pageContract.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueue } from "./support/queues.ts";
import { seeded } from "./support/seeded.ts";
import { StakingContract } from "./support/stakingContract.ts";
import { tablesAgree } from "./support/tablesAgree.ts";
import { type MadePage, WatchBed } from "./support/watchBed.ts";

const isDeep = process.env.HACA_DEEP === "1";
/** Days, of so many pages each: one that the colluding validators vouch for though it is wrong, and other wrong ones. */
const DAYS = isDeep ? Number(process.env.HACA_SIMULATED_DAYS ?? 10) : 1;
const PAGES_A_DAY = isDeep ? 20 : 5;
const WRONG_A_DAY = isDeep ? 5 : 3;
/** Things that happen in a day. */
const TROUBLES = isDeep ? 12 : 4;
/** Between two looks of a machine that has nothing to do: five machines that look more often leave no time for what they do. */
const POLL_MS = isDeep ? "1000" : "250";
const SEED = process.env.HACA_SEED ?? "validators";
/** Owners of the validators that run the worker; three others have more than two thirds of the stake. */
const HONEST = [2, 3, 4, 5] as const;
const WATCHER = 12;
/** Has stake in a pool of each side. */
const DELEGATOR = 13;
/** Stake of a colluding validator at the start of each day. */
const STAKE = parseEther("200000");
const [FINAL, REJECTED, DISPROVED] = [2n, 3n, 4n];
const INVALID_SIGNATURE = 4n;
const HOUR = 3_600n;
const DAY = 24n * HOUR;
/** More blocks than go by between two snapshots of the chain. */
const REORG_BLOCKS = 128;
/** Blocks after which one is safe, on the chain of these tests. */
const SAFE = 40;
/** Requests to the endpoint in which most machines have noticed what is the matter with it. */
const LOOKS = 40;
/** Requests to the endpoint between two blocks. */
const BLOCK_LOOKS = 15;
/** Headers that one transaction releases. */
const RELEASED = 50;

const ownerOf = (owner: number) => new Wallet(developmentKey(owner)).address;

describe("four validators and a watcher, against three validators with more than two thirds of the stake", () => {
  let bed: WatchBed;
  let staking: StakingContract;
  let colluders: Colluders;
  let proxy: EndpointProxy;
  beforeAll(async () => {
    bed = await WatchBed.start();
    staking = await StakingContract.deploy(bed.tee, bed.pages);
    for (const owner of HONEST) await staking.enter({ owner, key: keyOf(owner), stake: 20_000 });
    for (const owner of COLLUDING) {
      await staking.enter({ owner, key: keyOf(owner), stake: 200_000 });
    }
    const balance = `0x${parseEther("100").toString(16)}`;
    for (const account of [WATCHER, DELEGATOR]) {
      await bed.tee.chain.send("anvil_setBalance", ownerOf(account), balance);
    }
    for (const owner of [HONEST[0], COLLUDING[0]]) {
      await staking.delegate({ account: DELEGATOR, owner, amount: parseEther("500") });
    }
    await bed.mine(SAFE);
    colluders = await Colluders.start(staking);
    proxy = await EndpointProxy.start(bed.tee.chain.url);
  });
  afterAll(async () => {
    proxy?.stop();
    colluders?.stop();
    await bed?.stop();
  });

  const random = seeded(SEED);
  const randomFee = seeded(`${SEED}: fees`);
  const happened: Record<string, number> = {};

  const repair = (): void => {
    proxy.mode = "up";
    bed.front.mode = "up";
  };

  /** One of the things that happen to machines, endpoint and store. */
  async function trouble(machines: readonly Machine[]): Promise<void> {
    const kinds = ["kill", "endpoint", "store", "repair"] as const;
    const kind = kinds[random(kinds.length)] ?? "repair";
    happened[kind] = (happened[kind] ?? 0) + 1;
    if (kind === "kill") {
      const machine = machines[random(machines.length)];
      await machine?.kill();
      // A machine that starts asks the endpoint who it is.
      repair();
      await machine?.start();
    } else if (kind === "endpoint") {
      const modes: ProxyMode[] = ["down", "failing"];
      proxy.mode = modes[random(modes.length)] ?? "down";
    } else if (kind === "store") {
      const modes: FrontMode[] = ["down", "failing", "lying", "cutting"];
      bed.front.mode = modes[random(modes.length)] ?? "down";
    } else {
      repair();
    }
    await bed.mine(1 + random(8));
    // As long as it takes the machines to notice.
    await proxy.more(LOOKS);
  }

  /** Mines a block and lets machines look at it. */
  const goOn = async (): Promise<void> => {
    await bed.mine(1);
    await proxy.more(BLOCK_LOOKS);
  };

  const untilRefuted = (page: MadePage) =>
    waitFor(async () => {
      await goOn();
      const { reason, state } = await bed.stateOf(page);
      return state === REJECTED || state === DISPROVED ? { reason, state } : undefined;
    });

  async function machinesOf(): Promise<{ validators: Machine[]; watcher: Machine }> {
    const ports = await freePorts(HONEST.length);
    const common = {
      HACA_RPC_URL: proxy.url,
      HACA_REORG_BLOCKS: String(REORG_BLOCKS),
      HACA_REBROADCAST_MS: "2000",
      HACA_POLL_MS: POLL_MS,
      HACA_PAY_MINIMUM: "1",
    };
    const validators = HONEST.map((owner, place) => {
      const others = ports.filter((port) => port !== ports[place]);
      const peers = [...others.map((port) => `http://127.0.0.1:${port}`), colluders.url];
      const settings = bed.settings(owner, {
        ...common,
        ...embeddedQueue(),
        HACA_VALIDATOR_KEY: keyOf(owner).privateKey,
        HACA_VALIDATOR_PEERS: peers.join(","),
        HACA_HTTP_PORT: String(ports[place]),
      });
      return new Machine(settings, "validate");
    });
    return {
      validators,
      watcher: new Machine(bed.settings(WATCHER, { ...common, ...embeddedQueue() }), "watch"),
    };
  }

  const stakesOf = (owners: readonly number[]): Promise<bigint[]> =>
    Promise.all(owners.map((owner) => staking.stakeOf(owner)));

  /** Who lost stake has as much as before again, somebody takes out what answers for yesterday, rewards come in. */
  async function moveStake(day: number): Promise<void> {
    for (const owner of COLLUDING) {
      const missing = STAKE - (await staking.stakeOf(owner));
      if (missing > 0n) await staking.delegate({ account: owner, owner, amount: missing });
    }
    if (day === 0) await staking.undelegateHalf({ account: DELEGATOR, owner: COLLUDING[0] });
    await staking.addRewards(100);
  }

  /** What is left when nobody can show anything any more: pages' bonds are released, what they brought is paid and claimed. */
  async function settleUp(good: readonly MadePage[]): Promise<void> {
    await staking.payPages();
    await bed.pages.pass(EVIDENCE_SECONDS + 2n * DAY);
    for (let first = 0; first < good.length; first += RELEASED) {
      const headers = good.slice(first, first + RELEASED).map(({ header }) => header);
      await (await bed.pages.contract.releaseBonds(headers)).wait();
    }
    for (const owner of [...HONEST, ...COLLUDING]) await staking.claim({ account: owner, owner });
    await bed.mine(1);
  }

  it(`refute each wrong page of ${DAYS * PAGES_A_DAY}, and no other (seed ${SEED})`, {
    timeout: isDeep ? 5_400_000 : 600_000,
  }, async () => {
    const { validators, watcher } = await machinesOf();
    const machines = [...validators, watcher];
    const honest = await stakesOf(HONEST);
    await Promise.all(machines.map((machine) => machine.start()));
    const good: MadePage[] = [];
    let disproved = 0;
    for (let day = 0; day < DAYS; day++) {
      // An hour after midnight: what follows takes less than a day, so that all of it is of one epoch.
      await bed.pages.pass(DAY - ((await bed.pages.now()) % DAY) + HOUR);
      await moveStake(day);
      const before = await stakesOf(COLLUDING);
      // On some days the watcher comes back when the short road is at its end.
      const isLate = day % 2 === 1 || !isDeep;
      if (isLate) await Promise.all(machines.map((machine) => machine.kill()));
      // On others the watcher sees nothing before the three have vouched: it may be faster than they are.
      else proxy.mode = "down";
      const wrong: MadePage[] = [];
      const first = random(PAGES_A_DAY - WRONG_A_DAY + 1);
      for (let made = 0; made < PAGES_A_DAY; made++) {
        const isWrong = made >= first && made < first + WRONG_A_DAY;
        const count = 1 + random(4);
        const badPlaces = isWrong ? [random(count)] : [];
        const fee = randomFee(2) === 0 ? 0n : parseEther("3");
        (isWrong ? wrong : good).push(await bed.propose({ count, badPlaces, fee }));
      }
      const [vouched, ...others] = wrong;
      if (vouched === undefined) throw new Error("no wrong page");
      await colluders.attest(vouched);
      repair();
      if (isLate) {
        await bed.pages.pass(7n * HOUR);
        await bed.mine(1);
        expect((await bed.stateOf(vouched)).state).toBe(FINAL);
        await Promise.all(machines.map((machine) => machine.start()));
      }
      const snapshot = await bed.tee.chain.send("evm_snapshot");
      for (let count = 0; count < TROUBLES; count++) await trouble(machines);
      repair();
      // What they did meanwhile is undone by a reorganisation.
      await bed.tee.chain.send("evm_revert", snapshot);
      await bed.mine(2);
      const ended = await untilRefuted(vouched);
      expect(ended).toEqual({ reason: INVALID_SIGNATURE, state: isLate ? DISPROVED : REJECTED });
      if (isLate) disproved += 1;
      for (const page of others) {
        expect(await untilRefuted(page)).toEqual({ reason: INVALID_SIGNATURE, state: REJECTED });
      }
      // Who vouched for it loses a part of the stake, each of the three.
      await waitFor(async () => {
        await goOn();
        const after = await stakesOf(COLLUDING);
        return after.every((stake, place) => stake < (before[place] ?? 0n)) ? true : undefined;
      });
      if (isDeep) console.log(`${new Date().toISOString()}: day ${day + 1} of ${DAYS} is over`);
    }
    await Promise.all(machines.map((machine) => machine.kill()));
    await bed.pages.end();
    await bed.mine(1);
    let attested = 0;
    for (const page of good) {
      expect((await bed.stateOf(page)).state).toBe(FINAL);
      if ((await bed.pages.contract.pageOf(page.pageId)).attestedAt > 0n) attested += 1;
    }
    // By the machines' quorum, to which the three belong; they sign what is good as well.
    if (isDeep) expect(attested).toBeGreaterThan(0);
    expect(await stakesOf(HONEST)).toEqual(honest);
    expect(disproved).toBe(isDeep ? Math.floor(DAYS / 2) : DAYS);
    expect(happened.kill ?? 0).toBeGreaterThan(0);
    await settleUp(good);
    // The indexer takes as long to start as the day took.
    if (isDeep) await tablesAgree(bed, staking);
  });
});
