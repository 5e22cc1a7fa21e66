import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "./support/processes.ts";
import { type MadePage, WatchBed } from "./support/watchBed.ts";

const REJECTED = 3n;
const DISPROVED = 4n;
const INVALID_SIGNATURE = 4n;

let bed: WatchBed;
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

describe("worker watch", () => {
  it("challenges a page with a wrong leaf, is paid for it, and leaves a good one alone", async () => {
    const good = await bed.propose();
    const bad = await bed.propose({ count: 5, badPlaces: [3] });
    const before = await bed.heldBy(2);
    const worker = bed.worker(bed.settings(2));
    const url = await worker.url();
    expect(await untilState(bad, REJECTED)).toBe(INVALID_SIGNATURE);
    expect((await bed.heldBy(2)) - before).toBe(500n * 10n ** 18n);
    await worker.logged("every leaf of the page is good");
    await waitFor(async () => {
      await bed.mine(1);
      const { challenges } = (await (await fetch(`${url}/health`)).json()) as {
        challenges: { won: number };
      };
      return challenges.won === 1 ? true : undefined;
    });
    expect((await bed.stateOf(good)).state).toBe(1n);
    expect(await worker.child.stop().then(() => worker.child.exited)).toMatchObject({ code: 0 });
  });

  it("disproves a page that is final, within its evidence window", async () => {
    const bad = await bed.propose({ badPlaces: [0] });
    await bed.pages.end();
    bed.worker(bed.settings(3));
    expect(await untilState(bad, DISPROVED)).toBe(INVALID_SIGNATURE);
  });
});
