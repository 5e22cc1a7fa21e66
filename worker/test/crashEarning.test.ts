import { parseEther, Wallet } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stakingInterface } from "../src/chain/chain.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { type Happened, happenedAt } from "./support/happened.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueue } from "./support/queues.ts";
import { StakingContract } from "./support/stakingContract.ts";
import { WatchBed } from "./support/watchBed.ts";
import { earningDeaths, type WatchTransition } from "./support/watchTransitions.ts";
import type { TestWorker } from "./support/worker.ts";

/** The validator that the machine is, and one with more than two thirds of the stake. */
const [OWNER, OTHER] = [2, 3] as const;
/** Blocks after which one is safe, on the chain of these tests. */
const SAFE = 40;
/** Requests to the endpoint in which a machine has come to all that it does, more than once. */
const LOOKS = 100;
const HOUR = 3_600n;
const DAY = 24n * HOUR;
const isDeep = process.env.HACA_DEEP === "1";

const addressOf = (owner: number) => new Wallet(developmentKey(owner)).address;
const keyOf = (owner: number) => new Wallet(developmentKey(owner + 20));

let bed: WatchBed;
let staking: StakingContract;
let proxy: EndpointProxy;
beforeAll(async () => {
  bed = await WatchBed.start();
  staking = await StakingContract.deploy(bed.tee, bed.pages);
  await staking.enter({ owner: OWNER, key: keyOf(OWNER), stake: 20_000 });
  await staking.enter({ owner: OTHER, key: keyOf(OTHER), stake: 200_000 });
  await bed.mine(SAFE);
  proxy = await EndpointProxy.start(bed.tee.chain.url);
});
afterAll(async () => {
  proxy?.stop();
  await bed?.stop();
});

/** One hour after the next midnight, in an epoch of the test's own. */
beforeEach(async () => {
  const now = await bed.pages.now();
  await bed.pages.pass(DAY - (now % DAY) + HOUR);
});

const count = () => bed.tee.chain.provider.getTransactionCount(addressOf(OWNER), "pending");
const inStaking = () => ({
  ...{ provider: bed.tee.chain.provider, contract: staking.contract, abi: stakingInterface },
});
const happened = async (is: (one: Happened) => boolean): Promise<Happened[]> =>
  (await happenedAt(inStaking())).filter(is);

/**
 * A machine is killed right after what it does first, and another one takes over its queue. Returns what has happened once that one
 * has seen that there is nothing to be done any more.
 */
async function passOn(parameters: {
  at: WatchTransition;
  /** of the contract, which tells that it was done */
  is: (one: Happened) => boolean;
  isDone: () => Promise<boolean>;
  /** what the successor says when it has looked again */
  waitUntil?: (successor: TestWorker) => Promise<unknown>;
}): Promise<{ events: Happened[]; transactions: number }> {
  const { at, is, isDone, waitUntil } = parameters;
  const before = await count();
  const settings = bed.settings(OWNER, {
    ...{ HACA_VALIDATOR_KEY: keyOf(OWNER).privateKey, HACA_REBROADCAST_MS: "500" },
    ...embeddedQueue(),
    ...{ HACA_PAY_MINIMUM: "1", HACA_RPC_URL: proxy.url },
  });
  const crashing = bed.process(settings, ["validate"], at);
  await waitFor(async () => {
    await bed.mine(1);
    return crashing.child.hasEnded ? true : undefined;
  });
  expect(await crashing.child.exited).toMatchObject({ signal: "SIGKILL" });
  const successor = bed.worker(settings, ["validate"]);
  await successor.url();
  await waitFor(async () => {
    await bed.mine(1);
    return (await isDone()) ? true : undefined;
  });
  // Whatever it might do twice, it would do now.
  await proxy.more(LOOKS);
  await waitUntil?.(successor);
  await successor.child.stop();
  return { events: await happened(is), transactions: (await count()) - before };
}

describe.skipIf(!isDeep)("worker validate that is killed while it earns", () => {
  it.each(earningDeaths(isDeep))(
    "by a slash, right after %s, leaves it to a successor that slashes once",
    async (at) => {
      const { header, page, pageId } = await bed.propose({ count: 2, badPlaces: [1] });
      await staking.attest({ page: { header, pageId }, keys: [keyOf(OTHER)], account: OTHER });
      await bed.pages.challenge({ header, page, index: 1 });
      const stake = await staking.stakeOf(OTHER);
      const held = await bed.pages.token.balanceOf(addressOf(OWNER));
      const is = ({ args, name }: Happened) => name === "Slashed" && args.pageId === pageId;
      const { events, transactions } = await passOn({
        ...{ at, is },
        isDone: async () => (await happened(is)).length > 0,
        waitUntil: (successor) => successor.logged("nothing to slash"),
      });
      expect(events).toHaveLength(1);
      const [slash] = events as [Happened];
      const { bounty, taken, validator } = slash.args;
      expect(validator).toBe(addressOf(OTHER));
      expect(await staking.stakeOf(OTHER)).toBe(stake - taken);
      expect(await bed.pages.token.balanceOf(addressOf(OWNER))).toBe(held + bounty);
      expect(transactions).toBe(1);
    },
  );

  it.each(earningDeaths(isDeep))(
    "by fees of a page, right after %s, leaves them to a successor that has them paid once",
    async (at) => {
      const fee = parseEther("3");
      const made = await bed.propose({ fee });
      await staking.attest({ page: made, keys: [OWNER, OTHER].map(keyOf), account: OTHER });
      const { attestedAt, signers } = await bed.pages.contract.pageOf(made.pageId);
      const epoch = attestedAt / DAY;
      const is = ({ args, name }: Happened) => name === "PagesPaid" && args.epoch === epoch;
      const { events, transactions } = await passOn({
        ...{ at, is },
        isDone: async () => (await staking.contract.tallyOf(epoch, signers)).pages === 0n,
      });
      expect(events.map(({ args }) => [args.signers, args.pages, args.amount])).toEqual([
        [signers, 1n, fee],
      ]);
      expect(transactions).toBe(1);
    },
  );
});
