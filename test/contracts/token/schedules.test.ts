import { OPG_SUPPLY, OPG_UNIT } from "@haca/protocol/allocations";
import { vestedAt } from "@haca/protocol/vestingSchedule";
import { expect } from "chai";
import { network } from "hardhat";
import { deployToken, type TokenFixture } from "../utils/tokenFixture.ts";

/**
 * The schedules, written out once more with dates and counted from the other end: what is still locked shrinks to
 * zero at `end`, rounded up. Nothing here comes from the code under test.
 */
type Reference = { name: string; tokens: bigint; atTge: bigint; start: string; end: string };
const TGE = "2026-04-08T00:00:00Z";
const REFERENCES: readonly Reference[] = [
  {
    name: "Ecosystem",
    tokens: 400_000_000n,
    atTge: 40_000_000n,
    start: TGE,
    end: "2031-04-08T00:00:00Z",
  },
  {
    name: "Foundation",
    tokens: 150_000_000n,
    atTge: 49_500_000n,
    start: TGE,
    end: "2030-04-08T00:00:00Z",
  },
  {
    name: "Contributors",
    tokens: 150_000_000n,
    atTge: 0n,
    start: "2027-04-08T00:00:00Z",
    end: "2030-04-08T00:00:00Z",
  },
  {
    name: "Investors",
    tokens: 100_000_000n,
    atTge: 0n,
    start: "2027-04-08T00:00:00Z",
    end: "2030-04-08T00:00:00Z",
  },
  {
    name: "Staking rewards",
    tokens: 100_000_000n,
    atTge: 0n,
    start: TGE,
    end: "2034-04-08T00:00:00Z",
  },
];
const AT_ONCE = 100_000_000n * OPG_UNIT; // liquidity and airdrop
const POINTS = 200;

const seconds = (iso: string): number => Date.parse(iso) / 1000;
const tge = seconds(TGE);

function reference(parameters: { schedule: Reference; total: bigint; time: number }): bigint {
  const { schedule, total, time } = parameters;
  const [start, end] = [seconds(schedule.start), seconds(schedule.end)];
  if (time < tge) return 0n;
  if (time >= end) return total;
  const atTge = (total * schedule.atTge) / schedule.tokens;
  const left = BigInt(end - Math.max(time, start));
  const duration = BigInt(end - start);
  const locked = ((total - atTge) * left + duration - 1n) / duration;
  return total - locked;
}

/** Evenly spread over twice the life of the schedule, and a few odd places. */
function samplesOf(schedule: Reference): number[] {
  const [first, last] = [tge - 30 * 86_400, seconds(schedule.end) + 30 * 86_400];
  const step = (last - first) / (POINTS - 1);
  return Array.from({ length: POINTS }, (_, i) => Math.floor(first + i * step));
}

const boundariesOf = (schedule: Reference): number[] =>
  [tge, seconds(schedule.start), seconds(schedule.end)].flatMap((t) => [t - 1, t, t + 1]);

describe("vesting schedules", () => {
  let fixture: TokenFixture;
  before(async () => {
    const connection = await network.create();
    const now = Number((await connection.ethers.provider.getBlock("latest"))?.timestamp);
    fixture = await deployToken(connection, {
      tge,
      airdropDeadline: now + 365 * 86_400,
    });
  });

  for (const [allocation, schedule] of REFERENCES.entries()) {
    it(`test_EqualsTheReferenceAtEveryBoundarySecond: ${schedule.name}, ${POINTS} points`, async () => {
      const vaults = await fixture.vaultsOf(allocation);
      expect(vaults).to.not.have.length(0);
      for (const vault of vaults) {
        const { total, tgeAmount, tge: event, start, end } = await vault.terms();
        let before = 0n;
        const times = [...samplesOf(schedule), ...boundariesOf(schedule)].sort((a, b) => a - b);
        for (const time of times) {
          const actual = await vault.vested(time);
          expect(actual, `at ${time}`).to.equal(reference({ schedule, total, time }));
          expect(actual >= before, `falls at ${time}`).to.equal(true);
          expect(actual <= total, `above total at ${time}`).to.equal(true);
          expect(
            vestedAt({
              schedule: {
                ...{ total, tgeAmount },
                ...{ tge: Number(event), start: Number(start), end: Number(end) },
              },
              time,
            }),
            `twin at ${time}`,
          ).to.equal(actual);
          before = actual;
        }
        expect(await vault.vested(seconds(schedule.end))).to.equal(total);
        expect((await vault.vested(seconds(schedule.end) - 1)) < total).to.equal(true);
      }
    });
  }

  it("test_AccruesNothingInTheCliffAndNoLumpAtItsEnd", async () => {
    for (const allocation of [2, 3]) {
      for (const vault of await fixture.vaultsOf(allocation)) {
        const cliffEnd = seconds("2027-04-08T00:00:00Z");
        expect(await vault.vested(cliffEnd)).to.equal(0n);
        const { total, start, end } = await vault.terms();
        expect(await vault.vested(cliffEnd + 1)).to.equal(total / (end - start));
      }
    }
  });

  it("test_ConservesTheSupplyAtEverySampledTime", async () => {
    const { opg, vaultsOf, airdrop, liquidity } = fixture;
    const vaults = (await Promise.all(REFERENCES.map((_, i) => vaultsOf(i)))).flat();
    const held = async (): Promise<bigint> => {
      let sum =
        (await opg.balanceOf(await airdrop.getAddress())) +
        (await opg.balanceOf(liquidity.address));
      for (const vault of vaults) sum += await opg.balanceOf(await vault.getAddress());
      return sum;
    };
    const totals = await Promise.all(vaults.map(async (vault) => (await vault.terms()).total));
    expect(totals.reduce((sum, total) => sum + total, 0n) + AT_ONCE).to.equal(OPG_SUPPLY);
    expect(await held()).to.equal(OPG_SUPPLY);

    const { time } = fixture.connection.networkHelpers;
    const paid = new Map<string, bigint>();
    for (const moment of [
      "2027-04-08T00:00:01Z",
      "2028-02-29T12:00:00Z",
      "2030-04-08T00:00:00Z",
      "2034-04-08T00:00:00Z",
    ]) {
      await time.setNextBlockTimestamp(seconds(moment));
      for (const vault of vaults) {
        await vault.release();
        const receiver = await vault.beneficiary();
        paid.set(receiver, await opg.balanceOf(receiver));
      }
      const out = [...paid.values()].reduce((sum, amount) => sum + amount, 0n);
      expect((await held()) + out, moment).to.equal(OPG_SUPPLY);
    }
    for (const vault of vaults) expect(await opg.balanceOf(await vault.getAddress())).to.equal(0n);
  });
});
