import { ATTESTATION_TYPES, stakingDomain } from "@haca/protocol/validatorStaking";
import { id, Signature, verifyTypedData, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stakingInterface } from "../src/chain/chain.ts";
import { freePorts } from "./support/freePorts.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { StakingContract } from "./support/stakingContract.ts";
import { type MadePage, selectorIn, WatchBed } from "./support/watchBed.ts";
import type { Settings } from "./support/worker.ts";

/** Owners of the validators, who pay for what their machines send. */
const OWNERS = [2, 3, 4] as const;
let ports: number[];
/** Blocks after which one is safe, on the chain of these tests. */
const SAFE = 40;

let bed: WatchBed;
let staking: StakingContract;
const keyOf = (owner: number) => new Wallet(developmentKey(owner + 20));

beforeAll(async () => {
  bed = await WatchBed.start();
  staking = await StakingContract.deploy(bed.tee, bed.pages);
  for (const owner of OWNERS) await staking.enter({ owner, key: keyOf(owner), stake: 20_000 });
  await bed.mine(SAFE);
  await nextEpoch();
  ports = await freePorts(OWNERS.length);
});
afterAll(() => bed?.stop());

/** Goes on to one hour after the next midnight, so that no test sees another one. */
async function nextEpoch(): Promise<void> {
  const now = await bed.pages.now();
  await bed.pages.pass(86_400n - (now % 86_400n) + 3_600n);
}

const peersOf = (owner: number): string =>
  OWNERS.flatMap((other, place) =>
    other === owner ? [] : `http://127.0.0.1:${ports[place]}`,
  ).join(",");

const settingsOf = (owner: number, changes: Settings = {}): Settings =>
  bed.settings(owner, {
    HACA_VALIDATOR_KEY: keyOf(owner).privateKey,
    HACA_VALIDATOR_PEERS: peersOf(owner),
    HACA_HTTP_PORT: String(ports[OWNERS.indexOf(owner as 2)]),
    ...changes,
  });

const attestedAt = async ({ pageId }: MadePage) =>
  (await bed.pages.contract.pageOf(pageId)).attestedAt;

/** Names who may vouch for pages. */
const setAttester = async (target: unknown): Promise<void> => {
  await (await bed.pages.contract.setAttester(String(target))).wait();
};

describe("worker validate", () => {
  it("takes a good page to the short road by a quorum over HTTP, in one transaction", async () => {
    const page = await bed.propose({ fee: 3n * 10n ** 18n });
    const workers = OWNERS.map((owner) => bed.worker(settingsOf(owner), ["validate"]));
    await Promise.all(workers.map((worker) => worker.url()));
    await workers[0]?.logged("every leaf of the page is good");
    expect(await attestedAt(page)).toBe(0n);
    await bed.mine(SAFE);
    await waitFor(async () => {
      await bed.mine(1);
      return (await attestedAt(page)) > 0n ? true : undefined;
    });
    expect(await bed.calls(selectorIn(stakingInterface, "attest"))).toHaveLength(1);
    const { signers, shortRoad } = await bed.pages.contract.pageOf(page.pageId);
    expect([3n, 5n, 6n, 7n]).toContain(signers);
    const { until } = await bed.stateOf(page);
    expect(until).toBe((await attestedAt(page)) + shortRoad);

    // What was signed is there for everybody, and whose it is can be seen without asking anybody.
    const url = `${await workers[0]?.url()}/attestations`;
    const { attestations } = (await (await fetch(`${url}/${page.pageId}`)).json()) as {
      attestations: { key: string; signature: string }[];
    };
    expect(attestations.length).toBeGreaterThanOrEqual(2);
    const domain = stakingDomain({ chainId: 31337n, staking: String(staking.contract.target) });
    for (const { key, signature } of attestations) {
      const whole = Signature.from(signature);
      const { pageId } = page;
      expect(verifyTypedData(domain, ATTESTATION_TYPES, { pageId }, whole)).toBe(key);
    }
    expect((await fetch(`${url}/${id("another page")}`)).status).toBe(404);
    expect((await fetch(`${url}/page`)).status).toBe(400);
    for (const { child } of workers) {
      child.kill("SIGTERM");
      expect(await child.exited).toMatchObject({ code: 0 });
    }
  });

  it("brings a quorum that midnight came before: it has the next day's set fixed for it", async () => {
    const page = await bed.propose();
    const workers = OWNERS.map((owner) => bed.worker(settingsOf(owner), ["validate"]));
    await Promise.all(workers.map((worker) => worker.url()));
    // All have signed, and nobody can bring it.
    await setAttester(bed.pages.token.target);
    await bed.mine(SAFE);
    await Promise.all(workers.map((worker) => worker.logged("page signed")));
    await Promise.any(workers.map((worker) => worker.logged("attestation refused")));
    await nextEpoch();
    await setAttester(staking.contract.target);
    await waitFor(async () => {
      await bed.mine(1);
      return (await attestedAt(page)) > 0n ? true : undefined;
    });
    const epoch = (await attestedAt(page)) / 86_400n;
    expect(await staking.contract.snapshotHashOf(epoch)).not.toBe(`0x${"00".repeat(31)}`);
  });
});
