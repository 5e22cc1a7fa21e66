import { expect } from "chai";
import { type Wallet, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, wire } from "../utils/attestationFixture.ts";
import { DAY, idOf } from "../utils/pageFixture.ts";
import {
  attest,
  type BareStakeFixture,
  deployStaking,
  enterThree,
  epochNow,
  makeHolder,
  nextEpoch,
  OPG,
  placesIn,
  proposeBad,
  proposeGood,
  refute,
  STAKE_PARAMETERS,
  snapshotOf,
  type Validator,
} from "../utils/stakeFixture.ts";

const connection = await network.create();
const STAKES = [50_000n * OPG, 30_000n * OPG, 20_000n * OPG] as const;
const REWARDS = 80_000n * OPG;
/** What rounding may take of a sum. */
const DUST = 1_000n;

/** The second validator's pool has a delegator with twice its own stake; commissions are a tenth. */
const deploy = async () => {
  const f = await deployStaking(connection);
  const three = await enterThree(f, STAKES);
  const delegator = await makeHolder(f, "delegator");
  await nextEpoch(f);
  return { ...f, ...three, delegator };
};

describe("ValidatorStaking: rewards", () => {
  let f: BareStakeFixture & { a: Validator; b: Validator; c: Validator; delegator: Wallet };
  let a: Validator;
  let b: Validator;
  let c: Validator;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    ({ a, b, c } = f);
  });

  afterEach(async () => {
    const { staked, unbonding, rewards } = await f.staking.booksNow();
    expect(await f.token.balanceOf(f.staking)).to.equal(staked + unbonding + rewards);
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.staking, error);
  const wait = (seconds: bigint) => f.networkHelpers.time.increase(seconds);
  const near = (actual: bigint, expected: bigint, off = DUST) =>
    expect(
      actual > expected ? actual - expected : expected - actual,
      `${actual} ${expected}`,
    ).to.be.lessThanOrEqual(off);
  /** What somebody's rewards are worth now; none is refused. */
  async function claim(holder: Wallet, of: Validator): Promise<bigint> {
    const before = await f.token.balanceOf(holder);
    await f.staking.connect(holder).claimRewards(of.address);
    return (await f.token.balanceOf(holder)) - before;
  }
  /** Everything that the owners' pools earned, nobody else being in them. */
  const claimAll = async (of = [a, b, c]) => {
    const amounts = [];
    for (const validator of of) amounts.push(await claim(validator.owner, validator));
    return amounts as [bigint, bigint, bigint];
  };

  describe("the stream", () => {
    it("test_FourFifthsGoByStake_InSevenToEightDays_AndNoMoreAfter", async () => {
      await f.staking.addRewards(REWARDS);
      await wait(8n * DAY);
      const first = await claimAll();
      const forStake = (REWARDS * 4n) / 5n;
      for (const [i, share] of [50n, 30n, 20n].entries()) {
        near(first[i] ?? 0n, (forStake * share) / 100n);
      }
      await wait(30n * DAY);
      await expectRefusal(claim(a.owner, a), "ValidatorStaking_AmountInvalid");
      // The other fifth waits for pages.
      near((await f.staking.booksNow()).rewards, REWARDS / 5n);
    });

    it("test_IsTheSameForEverySecond", async () => {
      await f.staking.addRewards(REWARDS);
      const { timestamp } = (await f.ethers.provider.getBlock("latest")) ?? { timestamp: 0 };
      const rewarded: bigint[] = [];
      for (const days of [1n, 2n, 3n]) {
        await f.networkHelpers.time.setNextBlockTimestamp(BigInt(timestamp) + days * DAY);
        rewarded.push(await claim(a.owner, a));
      }
      near(rewarded[0] ?? 0n, rewarded[1] ?? 1n);
      near(rewarded[1] ?? 0n, rewarded[2] ?? 1n);
    });

    it("test_WhoStakesJustBeforeRewardsComeAndLeavesGetsNothing", async () => {
      const staking = f.staking.connect(f.delegator);
      await staking.delegate(a.address, 1_000_000n * OPG);
      await f.staking.addRewards(REWARDS);
      const { content } = await staking.delegationOf(a.address, f.delegator.address);
      await staking.undelegate(a.address, content.shares);
      await wait(8n * DAY);
      // Some seconds' part of 80,000, nine tenths of it.
      expect(await claim(f.delegator, a)).to.be.lessThan(OPG);
    });

    it("test_AddingAUnitAgainAndAgainDelaysNothing", async () => {
      await f.staking.addRewards(REWARDS);
      for (let day = 0; day < 8; day++) {
        await wait(DAY);
        await f.staking.addRewards(1n);
      }
      const sum = (await claimAll()).reduce((all, one) => all + one);
      near(sum, (REWARDS * 4n) / 5n);
    });

    it("test_StandsStillWhileTheSetHasNoStake", async () => {
      for (const validator of [a, b, c]) await f.staking.connect(validator.owner).exit();
      await f.staking.addRewards(REWARDS);
      await wait(100n * DAY);
      for (const validator of [a, b, c]) {
        await expectRefusal(claim(validator.owner, validator), "ValidatorStaking_AmountInvalid");
      }
      await f.staking.connect(c.owner).enter(ZeroAddress);
      await wait(8n * DAY);
      near(await claim(c.owner, c), (REWARDS * 4n) / 5n);
    });

    it("test_PoolsOutsideTheSetEarnNothing", async () => {
      await f.staking.connect(a.owner).exit();
      await f.staking.addRewards(REWARDS);
      await wait(8n * DAY);
      // But for the seconds before.
      await expectRefusal(claim(a.owner, a), "ValidatorStaking_AmountInvalid");
      near(await claim(b.owner, b), (((REWARDS * 4n) / 5n) * 3n) / 5n);
    });

    it("test_RevertWhen_NothingIsAdded", async () => {
      await expectRefusal(f.staking.addRewards(0n), "ValidatorStaking_AmountInvalid");
    });
  });

  describe("commission", () => {
    it("test_IsTheOwnersTenth_TheRestGoesByShares", async () => {
      await f.staking.connect(f.delegator).delegate(b.address, 60_000n * OPG);
      await f.staking.addRewards(REWARDS);
      await wait(8n * DAY);
      const pool = (((REWARDS * 4n) / 5n) * 90n) / 160n;
      near(await claim(f.delegator, b), (pool * 9n * 2n) / 30n);
      near(await claim(b.owner, b), pool / 10n + (pool * 9n) / 30n);
    });

    it("test_RaisedAroundARewardItIsTheOldOneUntilItsTimeComes", async () => {
      await f.staking.connect(f.delegator).delegate(b.address, 60_000n * OPG);
      await f.staking.addRewards(REWARDS);
      const own = f.staking.connect(b.owner);
      await own.setCommission(2_000n);
      await wait(6n * DAY);
      await expectRefusal(own.applyAnnouncements(b.address), "ValidatorStaking_NothingAnnounced");
      await wait(2n * DAY);
      await own.applyAnnouncements(b.address);
      const pool = (((REWARDS * 4n) / 5n) * 90n) / 160n;
      near(await claim(f.delegator, b), (pool * 9n * 2n) / 30n);
      expect((await f.staking.validatorOf(b.address)).commission).to.equal(2_000n);
      await expectRefusal(own.applyAnnouncements(b.address), "ValidatorStaking_NothingAnnounced");
    });

    it("test_LoweredItCountsAtOnce_AndTakesAnAnnouncementBack", async () => {
      const own = f.staking.connect(b.owner);
      await own.setCommission(2_000n);
      await own.setCommission(500n);
      expect((await f.staking.validatorOf(b.address)).commission).to.equal(500n);
      await wait(8n * DAY);
      await expectRefusal(own.applyAnnouncements(b.address), "ValidatorStaking_NothingAnnounced");
    });

    it("test_RevertWhen_ItIsAboveItsBound", async () => {
      await expectRefusal(
        f.staking.connect(b.owner).setCommission(2_001n),
        "ValidatorStaking_CommissionInvalid",
      );
    });
  });

  describe("pages", () => {
    /** Pays a page that these signers vouched for. */
    async function pay(signers: Validator[], epoch?: bigint) {
      const of = epoch ?? (await epochNow(f));
      const snapshot = await snapshotOf(f, of);
      const bits = placesIn(snapshot, signers).reduce(
        (sum, place) => sum | (1n << BigInt(place)),
        0n,
      );
      return f.staking.payPages(of, snapshot, [bits]);
    }

    it("test_FeesGoToTheSignersByWeight_ToTheLastUnit", async () => {
      const fee = 100n * OPG + 1n;
      await attest(f, await proposeGood(f, 0, fee), [a, b]);
      await attest(f, await proposeGood(f, 1, fee), [a, b]);
      await pay([a, b]);
      expect((await f.pages.accountOf(await f.staking.getAddress())).amount).to.equal(0n);
      expect((await f.staking.booksNow()).rewards).to.equal(2n * fee);
      await wait(7n * DAY);
      const amounts = await claimAll([a, b]);
      near(amounts[0], (2n * fee * 50n) / 80n);
      near(amounts[0] + amounts[1], 2n * fee, 4n);
      await expectRefusal(claim(c.owner, c), "ValidatorStaking_AmountInvalid");
    });

    it("test_WhoIsTwoValidators_EarnsWhatOneWithTheirStakeDoes", async () => {
      await f.staking.addRewards(REWARDS);
      const epoch = await epochNow(f);
      await attest(f, await proposeGood(f, 0, 100n * OPG), [a, b, c]);
      await nextEpoch(f);
      await pay([a, b, c], epoch);
      await wait(8n * DAY);
      const [one, first, second] = await claimAll();
      expect(one).to.be.greaterThan((REWARDS * 2n) / 5n);
      near(one, first + second);
    });

    it("test_RevertWhen_TheyWerePaid_OrOthersSigned", async () => {
      await attest(f, await proposeGood(f, 0, OPG), [a, b]);
      await expectRefusal(pay([a, b, c]), "ValidatorStaking_NothingToPay");
      const epoch = await epochNow(f);
      await nextEpoch(f);
      await pay([a, b], epoch);
      await expectRefusal(pay([a, b], epoch), "ValidatorStaking_NothingToPay");
      await expectRefusal(f.staking.payPages(epoch, [0n], [3n]), "ValidatorStaking_NotTheSnapshot");
    });

    it("test_AFifthOfAllRewardsWaitsForPages_AndGoesToWhoSignedThem", async () => {
      await f.staking.addRewards(REWARDS);
      await wait(8n * DAY);
      await nextEpoch(f);
      await claimAll();
      const pot = REWARDS / 5n;
      await attest(f, await proposeGood(f, 0), [a, b]);
      await pay([a, b]);
      await wait(7n * DAY);
      const [first, second] = await claimAll([a, b]);
      near(first + second, pot / 256n);
      await nextEpoch(f);
      for (let index = 1; index <= 20; index++)
        await attest(f, await proposeGood(f, index), [a, c]);
      await pay([a, c]);
      await wait(7n * DAY);
      const [again, third] = await claimAll([a, c]);
      near(again + third, ((pot - pot / 256n) * 20n) / 275n);
      await expectRefusal(claim(b.owner, b), "ValidatorStaking_AmountInvalid");
    });

    it("test_WhoStakesJustBeforeTheyArePaidAndLeavesGetsNothing", async () => {
      await attest(f, await proposeGood(f, 0, 100n * OPG), [a, b]);
      const staking = f.staking.connect(f.delegator);
      await staking.delegate(a.address, 1_000_000n * OPG);
      await pay([a, b]);
      const { content } = await staking.delegationOf(a.address, f.delegator.address);
      await staking.undelegate(a.address, content.shares);
      await wait(8n * DAY);
      expect(await claim(f.delegator, a)).to.be.lessThan(OPG / 100n);
    });

    it("test_ASignerWhoLeftIsPaid", async () => {
      await attest(f, await proposeGood(f, 0, OPG), [a, b]);
      const own = f.staking.connect(b.owner);
      const { content } = await own.delegationOf(b.address, b.address);
      await own.undelegate(b.address, content.shares);
      await pay([a, b]);
      await wait(7n * DAY);
      near(await claim(b.owner, b), (OPG * 30n) / 80n);
    });
  });

  it("test_WhatWasEarnedBeforeASlashIsNotSlashed", async () => {
    await f.staking.addRewards(REWARDS);
    const page = await proposeBad(f, 0);
    await attest(f, page, [a, b]);
    const epoch = await epochNow(f);
    await wait(5n * DAY);
    await refute(f, page);
    const snapshot = await snapshotOf(f, epoch);
    const [place = -1] = placesIn(snapshot, [a]);
    await f.staking.slash(await idOf(f, page), snapshot, place);
    await wait(3n * DAY);
    const [first, second] = await claimAll();
    // a half until the slash, less after it
    expect(first).to.be.lessThan((REWARDS * 4n) / 5n / 2n);
    expect(first).to.be.greaterThan((second * 161n) / 100n);
  });

  describe("RewardRouter", () => {
    const router = async () => {
      const { ethers, manager, token } = f;
      const deployed = await ethers.deployContract("RewardRouter", [
        ...([await manager.getAddress(), await token.getAddress()] as const),
      ]);
      await wire(manager, "RewardRouter", deployed);
      return deployed;
    };

    it("test_PassesOnWhatComes_ToTheRecipientOfTheTime", async () => {
      const routed = await router();
      const refusal = (error: string) =>
        expect(routed.forward()).to.be.revertedWithCustomError(routed, error);
      await refusal("RewardRouter_NoRecipient");
      await routed.connect(f.governance).setRecipient(f.staking);
      await refusal("RewardRouter_NothingHere");
      await f.token.transfer(routed, REWARDS);
      await routed.forward();
      expect((await f.staking.booksNow()).rewards).to.equal(REWARDS);
      expect(await f.token.allowance(routed, f.staking)).to.equal(0n);
      const { ethers, manager, token, pages } = f;
      const next = await ethers.deployContract("ValidatorStaking", [
        ...([await manager.getAddress(), await token.getAddress()] as const),
        ...([await pages.getAddress(), STAKE_PARAMETERS] as const),
      ]);
      await f.token.transfer(routed, OPG);
      await routed.connect(f.governance).setRecipient(next);
      await routed.forward();
      expect(await f.token.balanceOf(next)).to.equal(OPG);
    });

    it("test_RevertWhen_SomebodyElseNamesTheRecipient_OrItHasNoCode", async () => {
      const routed = await router();
      await expect(
        routed.connect(f.operator).setRecipient(f.staking),
      ).to.be.revertedWithCustomError(routed, "AccessManagedUnauthorized");
      await expect(
        routed.connect(f.governance).setRecipient(f.operator.address),
      ).to.be.revertedWithCustomError(routed, "RewardRouter_NotAContract");
    });
  });
});
