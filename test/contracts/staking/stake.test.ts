import { EPOCH_SECONDS, signSigningKey } from "@haca/protocol/validatorStaking";
import { expect } from "chai";
import { id, Wallet, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import { DAY } from "../utils/pageFixture.ts";
import {
  type BareStakeFixture,
  deployStaking,
  domainOf,
  enterAll,
  epochNow,
  makeHolder,
  nextEpoch,
  OPG,
  register,
  registration,
  STAKE_PARAMETERS,
  snapshotOf,
  type Validator,
} from "../utils/stakeFixture.ts";

const connection = await network.create();
const MINIMUM = STAKE_PARAMETERS.minimumSelfStake;
const deploy = () => deployStaking(connection);

describe("ValidatorStaking: stake and set", () => {
  let f: BareStakeFixture;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  afterEach(async () => {
    const { staked, unbonding, rewards } = await f.staking.booksNow();
    expect(await f.token.balanceOf(f.staking)).to.equal(staked + unbonding + rewards);
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.staking, error);
  const stakeOf = async (of: { address: string }, validator: Validator) =>
    (await f.staking.delegationOf(validator.address, of.address)).stake;
  const sharesOf = async (of: { address: string }, validator: Validator) =>
    (await f.staking.delegationOf(validator.address, of.address)).content.shares;

  describe("validators", () => {
    it("test_RegisterWithAKeyOfTheirOwn", async () => {
      const a = await register(f, "a", MINIMUM);
      expect(await f.staking.validatorOfKey(a.key.address)).to.equal(a.address);
      const { key, stake, commission, place } = await f.staking.validatorOf(a.address);
      expect([key, stake, commission, place]).to.deep.equal([a.key.address, MINIMUM, 1_000n, 0n]);
      await expectRefusal(
        f.staking.connect(a.owner).register(...(await registration(f, a, OPG))),
        "ValidatorStaking_AlreadyRegistered",
      );
    });

    it("test_RevertWhen_TheKeyIsAnothersOrHasNotAgreed", async () => {
      const a = await register(f, "a", MINIMUM);
      const owner = await makeHolder(f, "b");
      const attempt = async (key: Wallet, validator: string, signer = key) => {
        const consent = await signSigningKey({ ...(await domainOf(f)), validator, key: signer });
        return f.staking.connect(owner).register(key.address, consent, 0n, MINIMUM);
      };
      await expectRefusal(attempt(a.key, owner.address), "ValidatorStaking_KeyInvalid");
      const fresh = new Wallet(id("fresh"));
      // Whoever sees a registration coming cannot take its key.
      await expectRefusal(attempt(fresh, a.address), "ValidatorStaking_NoConsentOfKey");
      await expectRefusal(attempt(fresh, owner.address, a.key), "ValidatorStaking_NoConsentOfKey");
      await expectRefusal(
        f.staking.connect(owner).register(ZeroAddress, "0x", 0n, MINIMUM),
        "ValidatorStaking_KeyInvalid",
      );
      await attempt(fresh, owner.address);
    });

    it("test_RevertWhen_AnAnnouncedKeyWasTakenMeanwhile", async () => {
      const a = await register(f, "a", MINIMUM);
      const key = new Wallet(id("shared"));
      const consent = async (validator: string) =>
        signSigningKey({ ...(await domainOf(f)), validator, key });
      await f.staking.connect(a.owner).announceKey(key.address, await consent(a.address));
      const owner = await makeHolder(f, "b");
      await f.staking
        .connect(owner)
        .register(key.address, await consent(owner.address), 0n, MINIMUM);
      await f.networkHelpers.time.increase(2n * DAY);
      await expectRefusal(f.staking.applyAnnouncements(a.address), "ValidatorStaking_KeyInvalid");
      await f.staking.connect(a.owner).announceKey(ZeroAddress, "0x");
      await expectRefusal(
        f.staking.applyAnnouncements(a.address),
        "ValidatorStaking_NothingAnnounced",
      );
      expect(await f.staking.validatorOfKey(key.address)).to.equal(owner.address);
    });

    it("test_RevertWhen_TheValidatorIsUnknown", async () => {
      const { operator, staking } = f;
      const stranger = staking.connect(operator);
      const calls = [
        () => stranger.enter(ZeroAddress),
        () => stranger.setCommission(0n),
        () => stranger.announceKey(ZeroAddress, "0x"),
        () => stranger.applyAnnouncements(operator.address),
        () => stranger.delegate(operator.address, OPG),
        () => stranger.undelegate(operator.address, 1n),
        () => stranger.claimRewards(operator.address),
      ];
      for (const call of calls) await expectRefusal(call(), "ValidatorStaking_UnknownValidator");
      await expectRefusal(stranger.exit(), "ValidatorStaking_PlaceInvalid");
    });
  });

  describe("the set", () => {
    it("test_RevertWhen_TheOwnersOwnStakeIsTooSmall_WhateverOthersDelegate", async () => {
      const a = await register(f, "a", MINIMUM - 1n);
      const holder = await makeHolder(f, "holder");
      await f.staking.connect(holder).delegate(a.address, MINIMUM);
      const own = f.staking.connect(a.owner);
      await expectRefusal(own.enter(ZeroAddress), "ValidatorStaking_SelfStakeTooSmall");
      await own.delegate(a.address, OPG);
      await own.enter(ZeroAddress);
      await expectRefusal(own.enter(ZeroAddress), "ValidatorStaking_PlaceInvalid");
      // Taking it out again is leaving.
      await own.undelegate(a.address, OPG);
      expect(await f.staking.membersNow()).to.deep.equal([]);
    });

    it("test_AFullSetGivesAPlaceToWhoHasMoreThanItsWeakest_AndToNobodyElse", async () => {
      const stakes = Array.from({ length: 21 }, (_, i) => MINIMUM + BigInt((i * 8) % 21) * OPG);
      const members = await enterAll(f, stakes);
      const weakest = members[stakes.indexOf(MINIMUM)];
      const second = members[stakes.indexOf(MINIMUM + OPG)];
      if (!weakest || !second) throw new Error("no validators");
      const equal = await register(f, "equal", MINIMUM);
      const own = f.staking.connect(equal.owner);
      for (const wrong of [ZeroAddress, second.address, equal.address]) {
        await expectRefusal(own.enter(wrong), "ValidatorStaking_NotTheWeakest");
      }
      await expectRefusal(own.enter(weakest.address), "ValidatorStaking_NotStronger");
      await own.delegate(equal.address, 2n * OPG);
      await own.enter(weakest.address);
      const now = [...(await f.staking.membersNow())];
      expect(now).to.have.length(21).and.not.include(weakest.address);
      for (const [i, member] of now.entries()) {
        expect((await f.staking.validatorOf(member)).place).to.equal(i + 1);
      }
      await expectRefusal(
        f.staking.connect(weakest.owner).enter(second.address),
        "ValidatorStaking_NotStronger",
      );
      // Whoever was displaced takes what is theirs.
      await f.staking.connect(weakest.owner).undelegate(weakest.address, MINIMUM);
    });

    it("test_RevertWhen_SomebodyIsNamedWhileThereIsRoom", async () => {
      const [a] = await enterAll(f, [MINIMUM]);
      const b = await register(f, "b", MINIMUM);
      await expectRefusal(
        f.staking.connect(b.owner).enter(a?.address ?? ""),
        "ValidatorStaking_NotTheWeakest",
      );
    });

    it("test_ASnapshotNeverChanges_AndIsMadeOnce", async () => {
      const [a] = await enterAll(f, [MINIMUM, 2n * MINIMUM]);
      if (!a) throw new Error("no validator");
      await nextEpoch(f);
      const epoch = await epochNow(f);
      const hash = await f.staking.snapshotHashOf(epoch);
      await f.staking.connect(a.owner).delegate(a.address, MINIMUM);
      await f.staking.connect(a.owner).exit();
      await f.staking.freeze();
      await f.staking.connect(f.governance).setParameters(STAKE_PARAMETERS);
      expect(await f.staking.snapshotHashOf(epoch)).to.equal(hash);
      await nextEpoch(f);
      await f.staking.freeze();
      expect(await f.staking.snapshotHashOf(epoch)).to.equal(hash);
      expect(await snapshotOf(f)).to.have.length(2);
    });
  });

  describe("delegations", () => {
    let a: Validator;
    let holder: Wallet;

    beforeEach(async () => {
      a = await register(f, "a", MINIMUM);
      holder = await makeHolder(f, "holder");
    });

    it("test_GoIn_WaitAndComeOut_ToTheUnit", async () => {
      const own = f.staking.connect(holder);
      const before = await f.token.balanceOf(holder);
      await own.delegate(a.address, 7n * OPG + 1n);
      expect(await stakeOf(holder, a)).to.equal(7n * OPG + 1n);
      await own.undelegate(a.address, 3n * OPG);
      await own.undelegate(a.address, 4n * OPG + 1n);
      const epoch = (await epochNow(f)) + 1n;
      expect(await stakeOf(holder, a)).to.equal(0n);
      const ripe = epoch * EPOCH_SECONDS + 21n * DAY;
      await f.networkHelpers.time.setNextBlockTimestamp(ripe - 1n);
      await expectRefusal(own.withdraw(a.address, epoch), "ValidatorStaking_TooEarly");
      await f.networkHelpers.time.setNextBlockTimestamp(ripe);
      await own.withdraw(a.address, epoch);
      expect(await f.token.balanceOf(holder)).to.equal(before);
      await expectRefusal(own.withdraw(a.address, epoch), "ValidatorStaking_AmountInvalid");
      await expectRefusal(own.withdraw(a.address, epoch + 1n), "ValidatorStaking_AmountInvalid");
    });

    it("test_RevertWhen_TheyAreDust_OrMoreThanThereIs", async () => {
      const own = f.staking.connect(holder);
      for (const amount of [0n, OPG - 1n]) {
        await expectRefusal(own.delegate(a.address, amount), "ValidatorStaking_AmountInvalid");
      }
      await own.delegate(a.address, OPG);
      for (const shares of [0n, OPG + 1n, MINIMUM]) {
        await expectRefusal(own.undelegate(a.address, shares), "ValidatorStaking_AmountInvalid");
      }
    });

    it("test_WhatIsSentWithoutACallMakesNoShareDearer", async () => {
      // The owner leaves one unit behind and gives the pool a fortune: the next one would get nothing.
      await f.staking.connect(a.owner).undelegate(a.address, MINIMUM - 1n);
      await f.token.connect(a.owner).transfer(f.staking, MINIMUM);
      await f.staking.connect(holder).delegate(a.address, 5n * OPG);
      expect(await stakeOf(holder, a)).to.equal(5n * OPG);
      expect(await sharesOf(holder, a)).to.equal(5n * OPG);
      expect(await stakeOf(a, a)).to.equal(1n);
      // The books do not know of it.
      const { staked, unbonding } = await f.staking.booksNow();
      expect(await f.token.balanceOf(f.staking)).to.equal(staked + unbonding + MINIMUM);
      await f.networkHelpers.impersonateAccount(await f.staking.getAddress());
      await f.networkHelpers.setBalance(await f.staking.getAddress(), OPG);
      const self = await f.ethers.getSigner(await f.staking.getAddress());
      await f.token.connect(self).transfer(a.owner, MINIMUM);
    });

    it("test_NobodyElseTakesThemOut", async () => {
      await f.staking.connect(holder).delegate(a.address, 5n * OPG);
      const other = f.staking.connect(await makeHolder(f, "other"));
      await expectRefusal(other.undelegate(a.address, 1n), "ValidatorStaking_AmountInvalid");
      await f.staking.connect(holder).undelegate(a.address, 5n * OPG);
      const epoch = (await epochNow(f)) + 1n;
      await f.networkHelpers.time.increase(22n * DAY);
      await expectRefusal(other.withdraw(a.address, epoch), "ValidatorStaking_AmountInvalid");
      await f.staking.connect(holder).withdraw(a.address, epoch);
    });
  });

  it("test_ATokenThatCallsBackGetsNothingTwice", async () => {
    const token = await deployMock(f.ethers, "ReenteringToken");
    const staking = await f.ethers.deployContract("ValidatorStaking", [
      ...([await f.manager.getAddress(), await token.getAddress()] as const),
      ...([await f.pages.getAddress(), STAKE_PARAMETERS] as const),
    ]);
    const a = await makeHolder(f, "a");
    const key = new Wallet(id("key"));
    const domain = { chainId: f.chainId, staking: await staking.getAddress() };
    const consent = await signSigningKey({ ...domain, validator: a.address, key });
    const stake = 10n * MINIMUM;
    await token.transfer(a.address, stake);
    await token.transfer(await token.getAddress(), stake);
    const erc20 = await f.ethers.getContractAt("OPG", await token.getAddress());
    await erc20.connect(a).approve(staking, stake);
    await staking.connect(a).register(key.address, consent, 0n, stake);
    await staking.connect(a).enter(ZeroAddress);
    const encode = (
      name: "withdraw" | "delegate" | "undelegate" | "claimRewards",
      ...args: unknown[]
    ) => staking.interface.encodeFunctionData(name as "withdraw", args as never);
    const act = (data: string) => token.act(domain.staking, data);
    const approve = erc20.interface.encodeFunctionData("approve", [domain.staking, stake]);
    await token.act(await token.getAddress(), approve);
    await act(encode("delegate", a.address, stake));
    await erc20.approve(staking, stake);
    await staking.addRewards(stake);
    const epoch = (await f.networkHelpers.time.latest()) / Number(EPOCH_SECONDS) + 1;
    await act(encode("undelegate", a.address, stake / 2n));
    await f.networkHelpers.time.increase(23n * DAY);
    const ofToken = () => erc20.balanceOf(token.target);

    const withdraw = encode("withdraw", a.address, Math.floor(epoch));
    await token.arm(domain.staking, withdraw);
    await act(withdraw);
    expect(await ofToken()).to.equal(stake / 2n);
    const claim = encode("claimRewards", a.address);
    await token.arm(domain.staking, claim);
    await act(claim);
    const after = await ofToken();
    expect(after).to.be.greaterThan(stake / 2n);
    expect(after).to.be.lessThan(stake / 2n + (stake * 4n) / 5n);
    expect([await token.calls(), await token.successes()]).to.deep.equal([2n, 0n]);
    const { staked, unbonding, rewards } = await staking.booksNow();
    expect(await erc20.balanceOf(staking)).to.equal(staked + unbonding + rewards);
  });

  describe("settings", () => {
    it("test_AreGovernancesAlone", async () => {
      await expectRefusal(
        f.staking.connect(f.guardian).setParameters(STAKE_PARAMETERS),
        "AccessManagedUnauthorized",
      );
      const changed = { ...STAKE_PARAMETERS, minimumSelfStake: 20_000n * OPG };
      await f.staking.connect(f.governance).setParameters(changed);
      expect((await f.staking.parametersNow()).minimumSelfStake).to.equal(20_000n * OPG);
    });

    it("test_RevertWhen_TheyAreOutOfTheirBounds", async () => {
      const own = f.staking.connect(f.governance);
      const wrong: Partial<typeof STAKE_PARAMETERS>[] = [
        { minimumSelfStake: 100n * OPG - 1n },
        { minimumSelfStake: 100_000_000n * OPG + 1n },
        { minimumTotalStake: 1_000n * OPG - 1n },
        { minimumTotalStake: 100_000_000n * OPG + 1n },
        { slashWithQuorum: 99n, slashWithout: 10n },
        { slashWithQuorum: 1_001n },
        { slashWithout: 9n, bounty: 0n },
        { slashWithout: 501n },
        { dailySlash: 999n },
        { dailySlash: 10_001n },
        { bounty: 25n * OPG + 1n },
      ];
      for (const part of wrong) {
        await expectRefusal(
          own.setParameters({ ...STAKE_PARAMETERS, ...part }),
          "ValidatorStaking_ParameterInvalid",
        );
      }
      await own.setParameters({ ...STAKE_PARAMETERS, bounty: 25n * OPG, dailySlash: 1_000n });
    });

    it("test_RevertWhen_AContractIsMissing", async () => {
      const all = [
        ...([await f.manager.getAddress(), await f.token.getAddress()] as const),
        await f.pages.getAddress(),
      ];
      for (const missing of [0, 1, 2]) {
        const [manager = "", token = "", pages = ""] = all.map((address, i) =>
          i === missing ? f.operator.address : address,
        );
        await expectRefusal(
          f.ethers.deployContract("ValidatorStaking", [manager, token, pages, STAKE_PARAMETERS]),
          "ValidatorStaking_NotAContract",
        );
      }
    });
  });
});
