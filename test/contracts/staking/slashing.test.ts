import { OPTIMISTIC, PAGE_REASONS } from "@haca/protocol/pageSettlement";
import { encodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { EPOCH_SECONDS, signAttestation } from "@haca/protocol/validatorStaking";
import { expect } from "chai";
import { parseEther, type Wallet, ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  challenge,
  DAY,
  DEPOSIT,
  goodResults,
  idOf,
  makePage,
  makeResult,
  type Page,
  propose,
} from "../utils/pageFixture.ts";
import {
  attest,
  type BareStakeFixture,
  deployStaking,
  domainOf,
  enterThree,
  epochNow,
  makeHolder,
  nextEpoch,
  OPG,
  placesIn,
  proposeBad,
  proposeGood,
  refute,
  register,
  STAKE_PARAMETERS,
  snapshotOf,
  type Validator,
} from "../utils/stakeFixture.ts";

const connection = await network.create();
const STAKES = [40_000n * OPG, 30_000n * OPG, 30_000n * OPG] as const;
const { bounty: BOUNTY } = STAKE_PARAMETERS;

/** The first validator has a delegator with as much stake as its own. */
const deploy = async () => {
  const f = await deployStaking(connection);
  const three = await enterThree(f, STAKES);
  const delegator = await makeHolder(f, "delegator");
  await f.staking.connect(delegator).delegate(three.a.address, 40_000n * OPG);
  await nextEpoch(f);
  return { ...f, ...three, delegator };
};

describe("ValidatorStaking: slashing", () => {
  let f: BareStakeFixture & { a: Validator; b: Validator; c: Validator; delegator: Wallet };
  let a: Validator;
  let b: Validator;
  let c: Validator;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    ({ a, b, c } = f);
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.staking, error);
  const stakeOf = async ({ address }: { address: string }, of = a) =>
    (await f.staking.delegationOf(of.address, address)).stake;
  const poolOf = async ({ address }: Validator) => (await f.staking.validatorOf(address)).stake;

  /** A wrong page that a and b vouched for, refuted. */
  async function wrongPage(index: number): Promise<{ page: Page; epoch: bigint }> {
    const page = await proposeBad(f, index);
    await attest(f, page, [a, b]);
    const epoch = await epochNow(f);
    await refute(f, page);
    return { page, epoch };
  }

  async function slash(page: Page, epoch: bigint, validator = a, by: Wallet = f.delegator) {
    const snapshot = await snapshotOf(f, epoch);
    const [place = -1] = placesIn(snapshot, [validator]);
    return f.staking.connect(by).slash(await idOf(f, page), snapshot, place);
  }

  /** Shows a validator's signature for a page. */
  async function show(page: Page, epoch: bigint, validator = a, signer = validator) {
    const snapshot = await snapshotOf(f, epoch);
    const [place = -1] = placesIn(snapshot, [validator]);
    const pageId = await idOf(f, page);
    const signature = await signAttestation({ ...(await domainOf(f)), pageId, key: signer.key });
    return f.staking.slashShown(pageId, epoch, snapshot, place, signature);
  }

  describe("signers of a quorum", () => {
    it("test_LoseATwentieth_OwnerAndDelegatorsAlike_AllOfItBurned", async () => {
      const { page, epoch } = await wrongPage(0);
      const supply = await f.token.totalSupply();
      const before = await f.token.balanceOf(f.delegator);
      await slash(page, epoch);
      const lost = (80_000n * OPG * 5n) / 100n;
      expect(await f.token.totalSupply()).to.equal(supply - lost);
      expect(await f.token.balanceOf(f.delegator)).to.equal(before + BOUNTY);
      expect(await poolOf(a)).to.equal(80_000n * OPG - lost - BOUNTY);
      expect(await stakeOf(a)).to.equal((80_000n * OPG - lost - BOUNTY) / 2n);
      expect(await stakeOf(f.delegator)).to.equal(await stakeOf(a));
      expect(await poolOf(b)).to.equal(30_000n * OPG);
      const books = await f.staking.booksNow();
      expect(await f.token.balanceOf(f.staking)).to.equal(books.staked);
    });

    it("test_EveryOneOfThemOnce", async () => {
      const { page, epoch } = await wrongPage(0);
      await slash(page, epoch);
      await slash(page, epoch, b);
      for (const validator of [a, b]) {
        await expectRefusal(slash(page, epoch, validator), "ValidatorStaking_AlreadySlashed");
      }
      await expectRefusal(slash(page, epoch, c), "ValidatorStaking_SignerInvalid");
      const snapshot = await snapshotOf(f, epoch);
      for (const place of [3, 23, 24, 255, 256]) {
        await expectRefusal(
          f.staking.slash(await idOf(f, page), snapshot, place),
          "ValidatorStaking_SignerInvalid",
        );
      }
    });

    it("test_RevertWhen_TheListIsAnotherEpochs", async () => {
      const { page } = await wrongPage(0);
      const holder = await makeHolder(f, "holder");
      await f.staking.connect(holder).delegate(b.address, OPG);
      await nextEpoch(f);
      await expectRefusal(slash(page, await epochNow(f)), "ValidatorStaking_NotTheSnapshot");
    });

    it("test_AlsoAfterThePageWasFinal", async () => {
      const page = await proposeBad(f, 0);
      await attest(f, page, [a, b]);
      const epoch = await epochNow(f);
      await expectRefusal(slash(page, epoch), "ValidatorStaking_NotSlashable");
      await f.networkHelpers.time.increase(6n * DAY);
      await refute(f, page);
      expect((await f.pages.stateOfPage(await idOf(f, page))).state).to.equal(4n);
      // Whatever they were given for it, each of them pays.
      await slash(page, epoch);
      await slash(page, epoch, b);
      expect([await poolOf(a), await poolOf(b)]).to.deep.equal([
        ...[76_000n * OPG - BOUNTY, 28_500n * OPG - BOUNTY],
      ]);
    });

    it("test_RevertWhen_SignersCouldNotSeeWhatIsWrong", async () => {
      const page = await proposeGood(f, 0);
      await attest(f, page, [a, b]);
      const epoch = await epochNow(f);
      await expectRefusal(slash(page, epoch), "ValidatorStaking_NotSlashable");
      await f.registry.connect(f.guardian).banTEE(f.enclave.teeId);
      await challenge(f, page, 0);
      await expectRefusal(slash(page, epoch), "ValidatorStaking_NotSlashable");
      await expectRefusal(show(page, epoch), "ValidatorStaking_NotSlashable");
    });

    it("test_RevertWhen_AnotherAttesterToldOfThem", async () => {
      await f.networkHelpers.impersonateAccount(await f.registry.getAddress());
      await f.networkHelpers.setBalance(await f.registry.getAddress(), parseEther("1"));
      await f.pages.connect(f.governance).setAttester(f.registry);
      const page = await proposeBad(f, 0);
      const other = await f.ethers.getSigner(await f.registry.getAddress());
      await f.pages.connect(other).attest(page.header, 7n);
      await f.pages.connect(f.governance).setAttester(f.staking);
      await refute(f, page);
      const epoch = await epochNow(f);
      await expectRefusal(slash(page, epoch), "ValidatorStaking_SignerInvalid");
      await expectRefusal(show(page, epoch, a, b), "ValidatorStaking_SignatureInvalid");
      await show(page, epoch);
    });

    it("test_ProposerSignersAndChallenger_WhoAreOne_LoseByALeafThatTheyPlanted", async () => {
      const page = await proposeBad(f, 0);
      await attest(f, page, [a, b]);
      const epoch = await epochNow(f);
      const all = [f.operator, f.watcher, a.owner, b.owner];
      const has = async () => {
        let sum = 0n;
        for (const one of all) {
          sum += (await f.token.balanceOf(one)) + (await f.pages.accountOf(one.address)).amount;
          sum += (await stakeOf(one, a)) + (await stakeOf(one, b));
        }
        return sum;
      };
      const before = await has();
      await challenge(f, page, 0);
      await slash(page, epoch, a, b.owner);
      await slash(page, epoch, b, b.owner);
      // Half of the deposit; a twentieth of their stake; and the part of one bounty that the first one's delegator bore is theirs.
      const lost = DEPOSIT / 2n + (70_000n * OPG * 5n) / 100n - BOUNTY / 2n;
      expect(before - (await has())).to.be.within(lost, lost + 2n);
    });

    it("test_WhoSlashesThemselvesLosesMoreThanTheyGet", async () => {
      const { page, epoch } = await wrongPage(0);
      const has = async () => (await f.token.balanceOf(b.owner)) + (await stakeOf(b, b));
      const before = await has();
      await slash(page, epoch, b, b.owner);
      expect(before - (await has())).to.be.greaterThanOrEqual((30_000n * OPG * 5n) / 100n);
    });
  });

  describe("what answers", () => {
    it("test_StakeThatLeftInTheEpochOrLater_NotWhatLeftBefore_NorWhatWasWithdrawn", async () => {
      const [early, same, late] = await Promise.all(
        ["early", "same", "late"].map(async (name) => makeHolder(f, name)),
      ).then((holders) => holders as [Wallet, Wallet, Wallet]);
      const stake = 10_000n * OPG;
      for (const holder of [early, same, late]) {
        await f.staking.connect(holder).delegate(a.address, stake);
      }
      await nextEpoch(f);
      await f.staking.connect(early).undelegate(a.address, stake);
      await nextEpoch(f);
      const page = await proposeBad(f, 0);
      await attest(f, page, [a, b]);
      const epoch = await epochNow(f);
      await f.staking.connect(same).undelegate(a.address, stake);
      await nextEpoch(f);
      await f.staking.connect(late).undelegate(a.address, stake);
      await refute(f, page);
      await slash(page, epoch);
      const left = async (holder: Wallet, at: bigint) =>
        (await f.staking.unbondingOf(a.address, at, holder.address)).amount;
      // 100,000 of pool and stake that leaves answered with a twentieth and the bounty.
      const kept = stake - (stake * (5_000n * OPG + BOUNTY)) / (100_000n * OPG);
      expect(await left(early, epoch)).to.equal(stake);
      expect(await left(same, epoch + 1n)).to.equal(kept);
      expect(await left(late, epoch + 2n)).to.equal(kept);
      expect(await poolOf(a)).to.equal(8n * kept);
      const books = await f.staking.booksNow();
      expect(await f.token.balanceOf(f.staking)).to.equal(books.staked + books.unbonding);
    });

    it("test_NothingWhoseTimeIsOver", async () => {
      const page = await proposeBad(f, 0);
      await attest(f, page, [a, b]);
      const epoch = await epochNow(f);
      await f.staking.connect(f.delegator).undelegate(a.address, 40_000n * OPG);
      await refute(f, page);
      const ripe = (epoch + 1n) * EPOCH_SECONDS + 21n * DAY;
      await f.networkHelpers.time.increaseTo(ripe - 2n);
      await expectRefusal(
        f.staking.connect(f.delegator).withdraw(a.address, epoch + 1n),
        "ValidatorStaking_TooEarly",
      );
      await f.networkHelpers.time.increaseTo(ripe);
      await slash(page, epoch);
      expect(await poolOf(a)).to.equal(40_000n * OPG - 2_000n * OPG - BOUNTY);
      await f.staking.connect(f.delegator).withdraw(a.address, epoch + 1n);
    });

    it("test_AStranger_WhoDelegatesToAPoolWithOpenSignatures", async () => {
      const { page, epoch } = await wrongPage(0);
      const holder = await makeHolder(f, "holder");
      await f.staking.connect(holder).delegate(b.address, 30_000n * OPG);
      await slash(page, epoch, b);
      expect(await stakeOf(holder, b)).to.equal((60_000n * OPG - 3_000n * OPG - BOUNTY) / 2n);
    });

    it("test_UnbondingIsLongerThanEverythingThatCanHappenToAPage", async () => {
      const [unbonding, epoch, long, answer, after, evidence] = await Promise.all([
        f.staking.UNBONDING(),
        f.staking.EPOCH(),
        f.pages.MAXIMUM_LONG_ROAD(),
        f.pages.ANSWER_TIME(),
        f.pages.TIME_AFTER_ANSWER(),
        f.pages.EVIDENCE_WINDOW(),
      ]);
      expect(unbonding).to.be.greaterThanOrEqual(epoch + long + answer + after + evidence);
      // What is shown off the chain, of pages that end while they are pending.
      const shown = await f.staking.EVIDENCE_TIME();
      expect(unbonding).to.be.greaterThanOrEqual(epoch + long + answer + after + shown);
    });
  });

  describe("by the day", () => {
    it("test_ATenthAtMost_UntilTomorrow_OrUntilGovernanceDecides", async () => {
      const wrong = [
        await wrongPage(0),
        await wrongPage(1),
        await wrongPage(2),
        await wrongPage(3),
      ];
      const [first, second, third, fourth] = wrong as [
        (typeof wrong)[0],
        (typeof wrong)[0],
        (typeof wrong)[0],
        (typeof wrong)[0],
      ];
      await slash(first.page, first.epoch);
      await slash(second.page, second.epoch);
      await expectRefusal(slash(third.page, third.epoch), "ValidatorStaking_DailySlashReached");
      // Another validator has a tenth of its own.
      await slash(third.page, third.epoch, b);
      await nextEpoch(f);
      await slash(third.page, third.epoch);
      await f.staking
        .connect(f.governance)
        .setParameters({ ...STAKE_PARAMETERS, dailySlash: 10_000n });
      await nextEpoch(f);
      await slash(fourth.page, fourth.epoch);
      expect(await poolOf(a)).to.be.lessThan((80_000n * OPG * 82n) / 100n);
    });

    it("test_GovernanceChangesWhatEpochsToComeCost_NotThis", async () => {
      await f.staking
        .connect(f.governance)
        .setParameters({ ...STAKE_PARAMETERS, slashWithQuorum: 1_000n });
      const { page, epoch } = await wrongPage(0);
      await nextEpoch(f);
      const later = await wrongPage(1);
      await slash(page, epoch);
      expect(await poolOf(a)).to.equal(76_000n * OPG - BOUNTY);
      await nextEpoch(f);
      await slash(later.page, later.epoch);
      const rest = 76_000n * OPG - BOUNTY;
      expect(await poolOf(a)).to.equal(rest - rest / 10n - BOUNTY);
    });
  });

  describe("signatures that no quorum brought", () => {
    it("test_CostAHundredth_OnceForAPage", async () => {
      const page = await proposeBad(f, 0);
      const epoch = await epochNow(f);
      await expectRefusal(show(page, epoch), "ValidatorStaking_NotSlashable");
      await refute(f, page);
      await show(page, epoch);
      expect(await poolOf(a)).to.equal(80_000n * OPG - 800n * OPG - BOUNTY);
      await expectRefusal(show(page, epoch), "ValidatorStaking_AlreadySlashed");
    });

    it("test_RevertWhen_ItIsNotTheMembers", async () => {
      const page = await proposeBad(f, 0);
      const epoch = await epochNow(f);
      await refute(f, page);
      await expectRefusal(show(page, epoch, a, b), "ValidatorStaking_SignatureInvalid");
      const snapshot = await snapshotOf(f, epoch);
      const pageId = await idOf(f, page);
      for (const signature of ["0x", `0x${"00".repeat(64)}`]) {
        await expectRefusal(
          f.staking.slashShown(pageId, epoch, snapshot, 0, signature),
          "ValidatorStaking_SignatureInvalid",
        );
      }
      await expectRefusal(
        f.staking.slashShown(pageId, epoch, snapshot, 3, "0x"),
        "ValidatorStaking_SignerInvalid",
      );
    });

    it("test_RevertWhen_ThePageIsOptimistic", async () => {
      const node = f.operator.address;
      const requestId = encodeRequestId({ node, nonce: 0n });
      const result = await makeResult(f, 0, { teeId: ZeroHash, requestId });
      const page = makePage(
        f,
        { 0: { result, signature: "0x" } },
        { kind: OPTIMISTIC, teeId: ZeroHash, ledgerPage: ledgerPageOf({ node, index: 0n }) },
      );
      await propose(f, page);
      const epoch = await epochNow(f);
      await refute(f, page);
      const { reason } = await f.pages.pageOf(await idOf(f, page));
      expect(PAGE_REASONS[Number(reason)]).to.equal("InvalidSignature");
      const before = await poolOf(a);
      await expect(show(page, epoch))
        .to.be.revertedWithCustomError(f.staking, "ValidatorStaking_KindNotOpen")
        .withArgs(OPTIMISTIC);
      await expectRefusal(slash(page, epoch), "ValidatorStaking_SignerInvalid");
      expect(await poolOf(a)).to.equal(before);
    });

    it("test_RevertWhen_TheyComeAWeekAfterTheEnd", async () => {
      const page = await proposeBad(f, 0);
      const epoch = await epochNow(f);
      await challenge(f, page, 0);
      const latest = (await now(f)) + 7n * DAY;
      await f.networkHelpers.time.setNextBlockTimestamp(latest + 1n);
      await expectRefusal(show(page, epoch), "ValidatorStaking_TooLate");
    });

    it("test_RevertWhen_TheEpochIsNotBetweenProposalAndEnd", async () => {
      const before = await epochNow(f);
      await nextEpoch(f);
      const page = await proposeBad(f, 0);
      const epoch = await epochNow(f);
      await refute(f, page);
      await nextEpoch(f);
      for (const other of [before, epoch + 1n]) {
        await expectRefusal(show(page, other), "ValidatorStaking_SignerInvalid");
      }
      await show(page, epoch);
    });

    it("test_CostNobodyOfTheQuorumLessThanTheyOwe", async () => {
      await nextEpoch(f);
      const { page, epoch } = await wrongPage(0);
      await expectRefusal(show(page, epoch), "ValidatorStaking_SignerInvalid");
      await expectRefusal(show(page, epoch - 1n), "ValidatorStaking_SignerInvalid");
      // Somebody who signed as well and was left out of it.
      await show(page, epoch, c);
      expect(await poolOf(c)).to.equal(30_000n * OPG - 300n * OPG - BOUNTY);
    });
  });

  it("test_APoolThatLostAlmostAllIsClosed_WithAHundredPagesOpen", async () => {
    const { staking, governance } = f;
    await staking.connect(governance).setParameters({
      ...STAKE_PARAMETERS,
      ...{ slashWithQuorum: 1_000n, dailySlash: 10_000n, bounty: 0n },
    });
    await nextEpoch(f);
    const wrong = [];
    for (let index = 0; index < 100; index++) {
      const page = makePage(f, { [index]: { ...(await oneResult(index)), signature: "0x" } });
      await propose(f, page);
      await attest(f, page, [a, b]);
      wrong.push(page);
    }
    const epoch = await epochNow(f);
    // All of them fall with the first; nobody has a deposit any more.
    for (const page of wrong) {
      const [index = -1] = [...page.results.keys()];
      await challenge(f, page, index);
    }
    let slashes = 0;
    while (!(await staking.validatorOf(a.address)).isClosed) {
      const page = wrong[slashes];
      if (page === undefined) break;
      await slash(page, epoch);
      slashes += 1;
    }
    expect(slashes).to.equal(66);
    expect(await staking.membersNow()).to.not.include(a.address);
    const own = staking.connect(a.owner);
    await expectRefusal(own.enter(ZeroAddress), "ValidatorStaking_Closed");
    await expectRefusal(
      staking.connect(f.delegator).delegate(a.address, 1_000n * OPG),
      "ValidatorStaking_Closed",
    );
    // What is left can be taken out, and goes on answering.
    const { content } = await staking.delegationOf(a.address, a.address);
    await own.undelegate(a.address, content.shares);
    for (const page of wrong.slice(66, 70)) await slash(page, epoch);
    const leaves = await epochNow(f);
    await f.networkHelpers.time.increase(22n * DAY);
    await own.withdraw(a.address, leaves + 1n);
    // The way back is another account, another key and other stake.
    const again = await register(f, "again", 20_000n * OPG);
    await staking.connect(again.owner).enter(ZeroAddress);
  });

  async function oneResult(index: number) {
    const content = await goodResults(f, [index]);
    const leaf = content[index];
    if (leaf === undefined || leaf === "EMPTY") throw new Error("no result");
    return leaf;
  }
});
