import { Wallet } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { endLeasesOf, mortalQueue } from "./support/queues.ts";
import { StakingContract } from "./support/stakingContract.ts";
import { type MadePage, WatchBed } from "./support/watchBed.ts";
import { validateDeaths } from "./support/watchTransitions.ts";
import type { Settings } from "./support/worker.ts";

/** The one validator, whose stake is all there is. */
const OWNER = 2;
/** Blocks after which one is safe, on the chain of these tests. */
const SAFE = 40;
const HOUR = 3_600n;
const DAY = 24n * HOUR;
const GWEI = 10n ** 9n;

let bed: WatchBed;
let staking: StakingContract;
const { address } = new Wallet(developmentKey(OWNER));
const key = new Wallet(developmentKey(OWNER + 20));

beforeAll(async () => {
  bed = await WatchBed.start();
  staking = await StakingContract.deploy(bed.tee, bed.pages);
  await staking.enter({ owner: OWNER, key, stake: 20_000 });
  await bed.mine(SAFE);
});
afterAll(() => bed?.stop());

/** One hour after the next midnight, in an epoch that nobody has frozen. */
beforeEach(async () => {
  const now = await bed.pages.now();
  await bed.pages.pass(DAY - (now % DAY) + HOUR);
});

const settingsOf = (changes: Settings = {}): Settings =>
  bed.settings(OWNER, {
    HACA_VALIDATOR_KEY: key.privateKey,
    HACA_REBROADCAST_MS: "500",
    ...changes,
  });
const count = () => bed.tee.chain.provider.getTransactionCount(address);
const attestedAt = async ({ pageId }: MadePage) =>
  (await bed.pages.contract.pageOf(pageId)).attestedAt;
const safePage = async (): Promise<MadePage> => {
  const page = await bed.propose();
  await bed.mine(SAFE);
  return page;
};
const untilAttested = (page: MadePage, mine = () => bed.mine(1)) =>
  waitFor(async () => {
    await mine();
    return (await attestedAt(page)) > 0n ? true : undefined;
  });

describe("worker validate", () => {
  const deaths = validateDeaths(process.env.HACA_DEEP === "1");
  it.each(deaths.map((at, turn) => [at, turn] as const))(
    "that is killed right after %s leaves it to a successor that signs and brings the quorum once",
    async (at, turn) => {
      const before = await count();
      const settings = settingsOf(mortalQueue(turn));
      const page = await safePage();
      const crashing = bed.process(settings, ["validate"], at);
      await waitFor(async () => {
        await bed.mine(1);
        return crashing.child.hasEnded ? true : undefined;
      });
      expect(await crashing.child.exited).toMatchObject({ signal: "SIGKILL" });
      await endLeasesOf(settings);
      const successor = bed.worker(settings, ["validate"]);
      const url = await successor.url();
      await untilAttested(page);
      const answer = await fetch(`${url}/attestations/${page.pageId}`);
      const { attestations } = (await answer.json()) as { attestations: { key: string }[] };
      expect(attestations.map((one) => one.key)).toEqual([key.address]);
      // The epoch was frozen, and the quorum brought.
      expect((await count()) - before).toBe(2);
      await successor.child.stop();
    },
  );

  it("waits while gas is dear, and pays for it as long as a quorum makes the page final earlier", async () => {
    const [calm, dear] = [2n * GWEI, 20n * GWEI];
    const { provider } = bed.tee.chain;
    const mineDear = async () => {
      await provider.send("anvil_setNextBlockBaseFeePerGas", [`0x${dear.toString(16)}`]);
      await bed.mine(1);
    };
    const page = await safePage();
    await mineDear();
    const before = await count();
    const worker = bed.worker(
      settingsOf({
        HACA_MAX_FEE_PER_GAS: String(calm),
        HACA_URGENT_MAX_FEE_PER_GAS: String(10n * dear),
        // The last moment for the short road is 42 hours after the proposal.
        HACA_URGENT_SECONDS: String(24n * HOUR),
      }),
      ["validate"],
    );
    await worker.logged("gas is above HACA_MAX_FEE_PER_GAS: waiting");
    expect(await provider.getTransactionCount(address, "pending")).toBe(before);
    await bed.pages.pass(20n * HOUR);
    await untilAttested(page, mineDear);
    const { shortRoad } = await bed.pages.contract.pageOf(page.pageId);
    expect((await bed.stateOf(page)).until).toBe((await attestedAt(page)) + shortRoad);
  });
});
