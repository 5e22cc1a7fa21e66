import {
  EPOCH_SECONDS,
  hashSnapshot,
  signAttestation,
  signSigningKey,
} from "@haca/protocol/validatorStaking";
import { expect } from "chai";
import { concat, dataSlice, id, Wallet, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { idOf, PARAMETERS, type Page } from "../utils/pageFixture.ts";
import {
  attest,
  attestation,
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
  STAKE_PARAMETERS,
  snapshotOf,
  type Validator,
} from "../utils/stakeFixture.ts";

const connection = await network.create();
/** The first two have two thirds and a unit; the first and the last exactly two thirds. */
const STAKES = [30_000n * OPG + 1n, 30_000n * OPG, 30_000n * OPG - 1n] as const;
const FEE = 3n * OPG;

const deploy = async () => {
  const f = await deployStaking(connection);
  const three = await enterThree(f, STAKES);
  await nextEpoch(f);
  return { ...f, ...three };
};

describe("ValidatorStaking: the quorum's door", () => {
  let f: BareStakeFixture & { a: Validator; b: Validator; c: Validator };
  let a: Validator;
  let b: Validator;
  let c: Validator;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    ({ a, b, c } = f);
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.staking, error);
  const recordOf = async (page: Page) => f.pages.pageOf(await idOf(f, page));
  const stakingOf = (validator: Validator) => f.staking.connect(validator.owner);

  describe("who counts", () => {
    it("test_MoreThanTwoThirdsTakeAPageToTheShortRoad_AndStandInItsSlot", async () => {
      const page = await proposeGood(f, 0, FEE);
      await attest(f, page, [a, b]);
      const { attestedAt, signers } = await recordOf(page);
      expect(attestedAt).to.equal(await now(f));
      const places = placesIn(await snapshotOf(f), [a, b]);
      expect(signers).to.equal(places.reduce((bits, place) => bits | (1 << place), 0));
      const { until } = await f.pages.stateOfPage(await idOf(f, page));
      expect(until).to.equal((await now(f)) + PARAMETERS.shortRoad);
      const tally = await f.staking.tallyOf(await epochNow(f), signers);
      expect([tally.fees, tally.pages]).to.deep.equal([FEE, 1n]);
    });

    it("test_RevertWhen_SignersHaveTwoThirdsOrLess", async () => {
      const page = await proposeGood(f, 0);
      for (const signers of [[a, c], [a], []]) {
        await expectRefusal(attest(f, page, signers), "ValidatorStaking_NoQuorum");
      }
      await attest(f, page, [a, b]);
    });

    it("test_RevertWhen_OneSignatureComesTwice", async () => {
      const page = await proposeGood(f, 0);
      const [header, snapshot, bits, signatures] = await attestation(f, page, [a, b]);
      const first = dataSlice(signatures, 0, 64);
      await expectRefusal(
        f.staking.attest(header, snapshot, bits, concat([first, first])),
        "ValidatorStaking_SignatureInvalid",
      );
      await expectRefusal(
        f.staking.attest(header, snapshot, bits, concat([signatures, first])),
        "ValidatorStaking_SignersInvalid",
      );
    });

    it("test_RevertWhen_SignaturesAreUnsortedMissingOrTooLong", async () => {
      const page = await proposeGood(f, 0);
      const [header, snapshot, bits, signatures] = await attestation(f, page, [a, b]);
      const first = dataSlice(signatures, 0, 64);
      for (const wrong of [concat([dataSlice(signatures, 64), first]), first]) {
        await expectRefusal(
          f.staking.attest(header, snapshot, bits, wrong),
          "ValidatorStaking_SignatureInvalid",
        );
      }
      await expectRefusal(
        f.staking.attest(header, snapshot, bits, `${signatures}00`),
        "ValidatorStaking_SignersInvalid",
      );
    });

    it("test_RevertWhen_ASignerIsNoMember", async () => {
      const page = await proposeGood(f, 0);
      const [header, snapshot, bits, signatures] = await attestation(f, page, [a, b]);
      const key = new Wallet(id("foreign"));
      const pageId = await idOf(f, page);
      const foreign = await signAttestation({ ...(await domainOf(f)), pageId, key });
      await expectRefusal(
        f.staking.attest(header, snapshot, bits, concat([dataSlice(signatures, 0, 64), foreign])),
        "ValidatorStaking_SignatureInvalid",
      );
      for (const more of [8n, 1n << 24n, 1n << 255n]) {
        await expectRefusal(
          f.staking.attest(header, snapshot, bits | more, signatures),
          "ValidatorStaking_SignersInvalid",
        );
      }
    });
  });

  describe("what is signed", () => {
    it("test_RevertWhen_SignaturesAreForAnotherPageContractOrChain", async () => {
      const page = await proposeGood(f, 0);
      const other = await proposeGood(f, 1);
      const [header, snapshot, bits] = await attestation(f, page, [a, b]);
      const pageId = await idOf(f, page);
      const domain = await domainOf(f);
      const places = placesIn(snapshot, [a]);
      const signers = places[0] === placesIn(snapshot, [a, b])[0] ? [a, b] : [b, a];
      const signed = async (overrides: Partial<typeof domain & { pageId: string }>) =>
        concat(
          await Promise.all(
            signers.map(({ key }) => signAttestation({ ...domain, pageId, ...overrides, key })),
          ),
        );
      for (const wrong of [
        { pageId: await idOf(f, other) },
        { staking: await f.pages.getAddress() },
        { chainId: f.chainId + 1n },
      ]) {
        await expectRefusal(
          f.staking.attest(header, snapshot, bits, await signed(wrong)),
          "ValidatorStaking_SignatureInvalid",
        );
      }
      await f.staking.attest(header, snapshot, bits, await signed({}));
    });

    it("test_RevertWhen_ThePageIsOptimisticUnknownOrWaitedFor", async () => {
      const page = await proposeGood(f, 0);
      const call = await attestation(f, page, [a, b]);
      const [header, ...rest] = call;
      await expectRefusal(
        f.staking.attest({ ...header, kind: 3n }, ...rest),
        "ValidatorStaking_KindNotOpen",
      );
      const unknown = { ...page, header: { ...header, blobId: id("another") } };
      await expect(attest(f, unknown, [a, b])).to.be.revertedWithCustomError(
        f.pages,
        "PageSettlement_StateInvalid",
      );
      await f.pages.connect(f.watcher).requestLeaf(header, 0);
      await expect(f.staking.attest(...call)).to.be.revertedWithCustomError(
        f.pages,
        "PageSettlement_RequestOpen",
      );
    });

    it("test_RevertWhen_ThePageIsAttestedAgain_AndItsTallyIsCountedOnce", async () => {
      const page = await proposeGood(f, 0, FEE);
      await attest(f, page, [a, b]);
      await expect(attest(f, page, [a, b, c])).to.be.revertedWithCustomError(
        f.pages,
        "PageSettlement_AlreadyAttested",
      );
      const { signers } = await recordOf(page);
      expect((await f.staking.tallyOf(await epochNow(f), signers)).pages).to.equal(1n);
      expect((await f.staking.tallyOf(await epochNow(f), 7n)).pages).to.equal(0n);
    });
  });

  describe("snapshots", () => {
    it("test_RevertWhen_TheListIsNotTheSnapshot", async () => {
      const page = await proposeGood(f, 0);
      const [header, snapshot, bits, signatures] = await attestation(f, page, [a, b]);
      const [terms, first, second, third] = snapshot as [bigint, bigint, bigint, bigint];
      const lists = [
        [terms, first, second],
        [terms, second, first, third],
        [terms, first + 1n, second, third],
        // no least stake for the whole set
        [terms & ~(((1n << 96n) - 1n) << 64n), first, second, third],
        [],
      ];
      for (const list of lists) {
        await expectRefusal(
          f.staking.attest(header, list, bits, signatures),
          "ValidatorStaking_NotTheSnapshot",
        );
      }
      const hash = dataSlice(hashSnapshot(snapshot), 0, 31);
      expect(await f.staking.snapshotHashOf(await epochNow(f))).to.equal(hash);
    });

    it("test_RevertWhen_TheSnapshotIsYesterdays", async () => {
      const page = await proposeGood(f, 0);
      const call = await attestation(f, page, [a, b]);
      await stakingOf(c).delegate(c.address, OPG);
      await nextEpoch(f);
      await expectRefusal(f.staking.attest(...call), "ValidatorStaking_NotTheSnapshot");
    });

    it("test_StakeThatComesAfterTheEpochBeganCountsInTheNext", async () => {
      const page = await proposeGood(f, 0);
      await stakingOf(a).delegate(a.address, 100_000n * OPG);
      await expectRefusal(attest(f, page, [a]), "ValidatorStaking_NoQuorum");
      await nextEpoch(f);
      await attest(f, page, [a]);
    });

    it("test_StakeThatComesBeforeAnythingElseInAnEpochCountsInTheNext", async () => {
      const page = await proposeGood(f, 0);
      const start = ((await epochNow(f)) + 1n) * EPOCH_SECONDS;
      await f.networkHelpers.time.increaseTo(start);
      await stakingOf(a).delegate(a.address, 100_000n * OPG);
      await expectRefusal(attest(f, page, [a]), "ValidatorStaking_NoQuorum");
    });

    it("test_StakeThatUnbondsSinceTheEpochBeganStillCounts", async () => {
      const page = await proposeGood(f, 0);
      const { content } = await f.staking.delegationOf(a.address, a.address);
      await stakingOf(a).undelegate(a.address, content.shares);
      expect(await f.staking.membersNow()).to.not.include(a.address);
      await attest(f, page, [a, b]);
      await nextEpoch(f);
      const members = (await snapshotOf(f)).length - 1;
      expect(members).to.equal(2);
    });

    it("test_AKeyCountsFromTheNextEpochOn", async () => {
      const key = new Wallet(id("another key"));
      const validator = a.address;
      const consent = await signSigningKey({ ...(await domainOf(f)), validator, key });
      await stakingOf(a).announceKey(key.address, consent);
      await expectRefusal(
        f.staking.applyAnnouncements(a.address),
        "ValidatorStaking_NothingAnnounced",
      );
      await nextEpoch(f, 3n);
      await f.staking.applyAnnouncements(a.address);
      const page = await proposeGood(f, 0);
      await expectRefusal(attest(f, page, [{ key }, b]), "ValidatorStaking_NoQuorum");
      await nextEpoch(f);
      await expectRefusal(attest(f, page, [a, b]), "ValidatorStaking_NoQuorum");
      await attest(f, page, [{ key }, b]);
      expect(await f.staking.validatorOfKey(a.key.address)).to.equal(a.address);
    });

    it("test_NobodyAttestsWithoutASet_OrBelowTheLeastStake", async () => {
      const page = await proposeGood(f, 0);
      for (const validator of [b, c]) await stakingOf(validator).exit();
      await nextEpoch(f);
      await attest(f, page, [a]);
      const other = await proposeGood(f, 1);
      const { content } = await f.staking.delegationOf(a.address, a.address);
      await stakingOf(a).undelegate(a.address, content.shares / 10n);
      await nextEpoch(f);
      await expectRefusal(attest(f, other, [a]), "ValidatorStaking_TotalStakeTooSmall");
      await stakingOf(a).exit();
      await nextEpoch(f);
      await expectRefusal(attest(f, other, []), "ValidatorStaking_TotalStakeTooSmall");
    });

    it("test_ParametersAreTheNextEpochs", async () => {
      const page = await proposeGood(f, 0);
      const minimumTotalStake = 1_000_000n * OPG;
      // The first call of an epoch, too.
      await f.networkHelpers.time.increaseTo(((await epochNow(f)) + 1n) * EPOCH_SECONDS);
      await f.staking
        .connect(f.governance)
        .setParameters({ ...STAKE_PARAMETERS, minimumTotalStake });
      await attest(f, page, [a, b]);
      const other = await proposeGood(f, 1);
      await nextEpoch(f);
      await expectRefusal(attest(f, other, [a, b]), "ValidatorStaking_TotalStakeTooSmall");
    });
  });

  it("test_WhatWasSlashedSinceTheEpochBeganCountsNoMore", async () => {
    const bad = await proposeBad(f, 0);
    await attest(f, bad, [a, b]);
    await refute(f, bad);
    const snapshot = await snapshotOf(f);
    const [place] = placesIn(snapshot, [b]);
    const page = await proposeGood(f, 1);
    await f.staking.slash(await idOf(f, bad), snapshot, place ?? 99);
    await expectRefusal(attest(f, page, [a, b]), "ValidatorStaking_NoQuorum");
    await attest(f, page, [a, b, c]);
    // What somebody else delegates stands for it again, because it can be slashed.
    const other = await proposeGood(f, 2);
    const holder = await makeHolder(f, "holder");
    await f.staking.connect(holder).delegate(b.address, 10_000n * OPG);
    await attest(f, other, [a, b]);
  });

  it("test_RevertWhen_SomebodyElseIsTheAttester", async () => {
    const page = await proposeGood(f, 0);
    const call = await attestation(f, page, [a, b]);
    await f.pages.connect(f.governance).setAttester(ZeroAddress);
    await expect(f.staking.attest(...call)).to.be.revertedWithCustomError(
      f.pages,
      "PageSettlement_NotAttester",
    );
  });
});
