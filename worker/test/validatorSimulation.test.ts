import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeSnapshot, signAttestation } from "@haca/protocol/validatorStaking";
import { concat, parseEther, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { stakingInterface } from "../src/chain/chain.ts";
import type { FrontMode } from "./support/blobFront.ts";
import { EndpointProxy, type ProxyMode } from "./support/endpointProxy.ts";
import { freePorts } from "./support/freePorts.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { seeded } from "./support/seeded.ts";
import { StakingContract } from "./support/stakingContract.ts";
import { type MadePage, WatchBed } from "./support/watchBed.ts";
import { type Settings, WorkerProcess } from "./support/worker.ts";

const isDeep = process.env.HACA_DEEP === "1";
/** Days, of so many pages each: one that the colluding validators vouch for though it is wrong, two wrong ones more. */
const DAYS = isDeep ? 25 : 1;
const PAGES_A_DAY = isDeep ? 8 : 5;
const WRONG_A_DAY = 3;
/** Things that happen in a day. */
const TROUBLES = isDeep ? 8 : 4;
const SEED = process.env.HACA_SEED ?? "validators";
/** Owners of validators: four that run the worker, and three who have more than two thirds of the stake. */
const HONEST = [2, 3, 4, 5] as const;
const COLLUDING = [6, 7, 9] as const;
const WATCHER = 12;
const [FINAL, REJECTED, DISPROVED] = [2n, 3n, 4n];
const INVALID_SIGNATURE = 4n;
const HOUR = 3_600n;
const DAY = 24n * HOUR;
/** More blocks than go by between two snapshots of the chain. */
const REORG_BLOCKS = 128;
/** Blocks after which one is safe, on the chain of these tests. */
const SAFE = 40;

const ownerOf = (owner: number) => new Wallet(developmentKey(owner)).address;
const keyOf = (owner: number) => new Wallet(developmentKey(owner + 20));

/** Three validators who sign whatever is proposed, and give their signatures to everybody. */
class Colluders {
  readonly #bed: WatchBed;
  readonly #staking: StakingContract;
  readonly #server: Server;

  private constructor(bed: WatchBed, staking: StakingContract) {
    this.#bed = bed;
    this.#staking = staking;
    this.#server = createServer(async ({ url = "" }, outgoing) => {
      const pageId = url.split("/").at(-1) ?? "";
      const attestations = await Promise.all(
        COLLUDING.map(async (owner) => ({
          key: keyOf(owner).address,
          signature: await this.#sign(owner, pageId),
        })),
      );
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ pageId, attestations }));
    });
  }

  static async start(bed: WatchBed, staking: StakingContract): Promise<Colluders> {
    const colluders = new Colluders(bed, staking);
    await new Promise<void>((resolve) => colluders.#server.listen(0, "127.0.0.1", resolve));
    return colluders;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Takes a page to the short road by their own stake. */
  async attest({ header, pageId }: MadePage): Promise<void> {
    const words = await this.#snapshot();
    const { members } = decodeSnapshot(words);
    let signers = 0n;
    const signatures: string[] = [];
    for (const [place, { key }] of members.entries()) {
      const owner = COLLUDING.find((one) => keyOf(one).address === key);
      if (owner === undefined) continue;
      signers |= 1n << BigInt(place);
      signatures.push(await this.#sign(owner, pageId));
    }
    const contract = contractAt({
      ...{ name: "ValidatorStaking", address: String(this.#staking.contract.target) },
      runner: new Wallet(developmentKey(COLLUDING[0]), this.#bed.tee.chain.provider),
    });
    await (await contract.attest(header, words, signers, concat(signatures))).wait();
  }

  /** The set of the epoch, which one of them has frozen. */
  async #snapshot(): Promise<bigint[]> {
    const { contract } = this.#staking;
    const epoch = (await this.#bed.pages.now()) / DAY;
    if ((await this.#frozen(epoch)) === undefined) await (await contract.freeze()).wait();
    const words = await this.#frozen(epoch);
    if (words === undefined) throw new Error(`epoch ${epoch} is not frozen`);
    return words;
  }

  async #frozen(epoch: bigint): Promise<bigint[] | undefined> {
    const address = String(this.#staking.contract.target);
    const topics = stakingInterface.encodeFilterTopics("SnapshotFrozen", [epoch]);
    const { provider } = this.#bed.tee.chain;
    const [log] = await provider.getLogs({ address, topics, fromBlock: 0 });
    return log && [...(stakingInterface.parseLog(log)?.args.snapshot ?? [])];
  }

  #sign(owner: number, pageId: string): Promise<string> {
    const staking = String(this.#staking.contract.target);
    return signAttestation({ chainId: 31337n, staking, pageId, key: keyOf(owner) });
  }
}

/** A process that is started again with the same queue and port each time that it is killed. */
class Machine {
  readonly #settings: Settings;
  readonly #role: "validate" | "watch";
  #process: WorkerProcess | undefined;

  constructor(settings: Settings, role: "validate" | "watch") {
    this.#settings = settings;
    this.#role = role;
    onTestFinished(() => this.kill());
  }

  async start(): Promise<void> {
    this.#process = new WorkerProcess({ settings: this.#settings, roles: [this.#role] });
    await this.#process.url();
  }

  async kill(): Promise<void> {
    await this.#process?.child.stop("SIGKILL");
    this.#process = undefined;
  }
}

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
    await bed.tee.chain.send("anvil_setBalance", ownerOf(WATCHER), balance);
    await bed.mine(SAFE);
    colluders = await Colluders.start(bed, staking);
    proxy = await EndpointProxy.start(bed.tee.chain.url);
  });
  afterAll(async () => {
    proxy?.stop();
    colluders?.stop();
    await bed?.stop();
  });

  const random = seeded(SEED);
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
  }

  const untilRefuted = (page: MadePage) =>
    waitFor(async () => {
      await bed.mine(1);
      const { reason, state } = await bed.stateOf(page);
      return state === REJECTED || state === DISPROVED ? { reason, state } : undefined;
    });

  async function machinesOf(): Promise<{ validators: Machine[]; watcher: Machine }> {
    const ports = await freePorts(HONEST.length);
    const common = {
      HACA_RPC_URL: proxy.url,
      HACA_REORG_BLOCKS: String(REORG_BLOCKS),
      HACA_REBROADCAST_MS: "2000",
    };
    const validators = HONEST.map((owner, place) => {
      const others = ports.filter((port) => port !== ports[place]);
      const peers = [...others.map((port) => `http://127.0.0.1:${port}`), colluders.url];
      const settings = bed.settings(owner, {
        ...common,
        HACA_VALIDATOR_KEY: keyOf(owner).privateKey,
        HACA_VALIDATOR_PEERS: peers.join(","),
        HACA_HTTP_PORT: String(ports[place]),
      });
      return new Machine(settings, "validate");
    });
    return { validators, watcher: new Machine(bed.settings(WATCHER, common), "watch") };
  }

  it(`refute each wrong page of ${DAYS * PAGES_A_DAY}, and no other (seed ${SEED})`, {
    timeout: isDeep ? 5_400_000 : 600_000,
  }, async () => {
    const { validators, watcher } = await machinesOf();
    const machines = [...validators, watcher];
    await Promise.all(machines.map((machine) => machine.start()));
    const good: MadePage[] = [];
    let disproved = 0;
    for (let day = 0; day < DAYS; day++) {
      // An hour after midnight: what follows takes less than a day, so that all of it is of one epoch.
      await bed.pages.pass(DAY - ((await bed.pages.now()) % DAY) + HOUR);
      const before = await Promise.all(COLLUDING.map((owner) => staking.stakeOf(owner)));
      // On some days the watcher comes back when the short road is at its end.
      const isLate = day % 2 === 1 || !isDeep;
      if (isLate) await Promise.all(machines.map((machine) => machine.kill()));
      const wrong: MadePage[] = [];
      const first = random(PAGES_A_DAY - WRONG_A_DAY + 1);
      for (let made = 0; made < PAGES_A_DAY; made++) {
        const isWrong = made >= first && made < first + WRONG_A_DAY;
        const count = 1 + random(4);
        const badPlaces = isWrong ? [random(count)] : [];
        (isWrong ? wrong : good).push(await bed.propose({ count, badPlaces }));
      }
      const [vouched, ...others] = wrong;
      if (vouched === undefined) throw new Error("no wrong page");
      await colluders.attest(vouched);
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
        await bed.mine(1);
        const after = await Promise.all(COLLUDING.map((owner) => staking.stakeOf(owner)));
        return after.every((stake, place) => stake < (before[place] ?? 0n)) ? true : undefined;
      });
    }
    await bed.pages.end();
    await bed.mine(1);
    let attested = 0;
    for (const page of good) {
      expect((await bed.stateOf(page)).state).toBe(FINAL);
      if ((await bed.pages.contract.pageOf(page.pageId)).attestedAt > 0n) attested += 1;
    }
    // By the machines' quorum, to which the three belong; they sign what is good as well.
    if (isDeep) expect(attested).toBeGreaterThan(0);
    for (const owner of HONEST) expect(await staking.stakeOf(owner)).toBe(parseEther("20000"));
    expect(disproved).toBe(isDeep ? Math.floor(DAYS / 2) : DAYS);
    expect(happened.kill ?? 0).toBeGreaterThan(0);
  });
});
