import { expect } from "chai";
import { type Wallet, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { DAY, idOf } from "../utils/pageFixture.ts";
import {
  attest,
  deployStaking,
  enterThree,
  epochNow,
  makeHolder,
  nextEpoch,
  OPG,
  placesIn,
  proposeBad,
  refute,
  register,
  STAKE_PARAMETERS,
  snapshotOf,
  type Validator,
} from "../utils/stakeFixture.ts";

const connection = await network.create();
const STAKES = [40_000n * OPG, 30_000n * OPG, 30_000n * OPG] as const;
const TOKENS = 10_000_000n * OPG;
const MANY_POOLS = 24;
const MINIMUM = STAKE_PARAMETERS.minimumSelfStake;

/** Three validators, and two holders who stake nothing yet. */
const deploy = async () => {
  const f = await deployStaking(connection);
  const three = await enterThree(f, STAKES);
  const votes = await f.ethers.deployContract("StakedVotes", [
    await f.token.getAddress(),
    await f.staking.getAddress(),
  ]);
  const [x, y] = [await makeHolder(f, "x"), await makeHolder(f, "y")];
  await nextEpoch(f);
  return { ...f, ...three, votes, x, y };
};
type Fixture = Awaited<ReturnType<typeof deploy>>;

describe("votes by stake", () => {
  let f: Fixture;
  let a: Validator;
  let b: Validator;
  let x: Wallet;
  let y: Wallet;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    ({ a, b, x, y } = f);
  });

  const delegate = (holder: Wallet, to: Validator, amount: bigint) =>
    f.staking.connect(holder).delegate(to.address, amount);
  const stakeOf = async (holder: { address: string }, validator: Validator) =>
    (await f.staking.delegationOf(validator.address, holder.address)).stake;
  /** A second that nothing happens in. */
  const quietSecond = async () => {
    await f.networkHelpers.time.increase(1);
    const at = await now(f);
    await f.networkHelpers.time.increase(1);
    return at;
  };
  const votesAt = async (holder: { address: string }, at: bigint) =>
    f.votes.getPastVotes(holder.address, at);
  /** Leaves with everything; under which epoch it can be withdrawn. */
  const leave = async (holder: Wallet, validator: Validator) => {
    const { content } = await f.staking.delegationOf(validator.address, holder.address);
    await f.staking.connect(holder).undelegate(validator.address, content.shares);
    return (await epochNow(f)) + 1n;
  };
  /** Slashes a validator for a page of its own. */
  async function slash(validator: Validator, index: number): Promise<void> {
    const page = await proposeBad(f, index);
    await attest(f, page, [f.a, f.b, f.c]);
    await refute(f, page);
    const snapshot = await snapshotOf(f);
    const [place = -1] = placesIn(snapshot, [validator]);
    await f.staking.connect(f.c.owner).slash(await idOf(f, page), snapshot, place);
  }

  it("test_AddsOwnStakeToWhatTheTokenDelegates", async () => {
    const { token, votes } = f;
    await token.connect(y).delegate(x.address);
    await delegate(x, a, 5n * OPG);
    await delegate(x, b, 7n * OPG);
    const at = await quietSecond();
    // Not x's own OPG, which nobody delegated.
    expect(await votesAt(x, at)).to.equal(TOKENS + 12n * OPG);
    expect(await votes.getVotes(x.address)).to.equal(TOKENS + 12n * OPG);
    expect(await votes.getPastStakeVotes(x.address, at)).to.equal(12n * OPG);
    expect(await f.staking.poolsOf(x.address)).to.deep.equal([a.address, b.address]);
    expect(await votes.getPastTotalSupply(at)).to.equal(await token.totalSupply());
    expect(await votes.delegates(y.address)).to.equal(x.address);
    expect(await votes.clock()).to.equal(await now(f));
    expect(await votes.CLOCK_MODE()).to.equal("mode=timestamp");
  });

  it("test_StakeVotesForItsDelegator_NotForTheValidatorOrTheirDelegatee", async () => {
    await f.token.connect(x).delegate(y.address);
    await delegate(x, a, 5n * OPG);
    const at = await quietSecond();
    expect(await votesAt(x, at)).to.equal(5n * OPG);
    expect(await votesAt(a, at)).to.equal(STAKES[0]);
    expect(await votesAt(y, at)).to.equal(TOKENS - 5n * OPG);
  });

  it("test_RevertWhen_DelegatedHereOrAskedForWhatIsNotPast", async () => {
    const { votes, token } = f;
    for (const call of [
      votes.delegate.staticCall(x.address),
      votes.delegateBySig.staticCall(
        x.address,
        0,
        0,
        0,
        `0x${"00".repeat(32)}`,
        `0x${"00".repeat(32)}`,
      ),
    ]) {
      await expect(call)
        .to.be.revertedWithCustomError(votes, "StakedVotes_DelegateInTheToken")
        .withArgs(await token.getAddress());
    }
    const at = (await now(f)) + 100n;
    for (const view of [votes.getPastVotes, votes.getPastStakeVotes] as const) {
      await expect(view(x.address, at)).to.be.revertedWithCustomError(token, "ERC5805FutureLookup");
    }
    const missing = [await token.getAddress(), x.address];
    for (const pair of [missing, [...missing].reverse()]) {
      await expect(f.ethers.deployContract("StakedVotes", pair))
        .to.be.revertedWithCustomError(votes, "StakedVotes_NotAContract")
        .withArgs(x.address);
    }
  });

  it("test_ATokenVotesOnce_WhereverItGoes", async () => {
    const { token, staking } = f;
    for (const holder of [x, y]) await token.connect(holder).delegate(holder.address);
    const moments = [await quietSecond()];
    await delegate(x, a, TOKENS);
    moments.push(await quietSecond());
    const epoch = await leave(x, a);
    moments.push(await quietSecond());
    await f.networkHelpers.time.increase(23n * DAY);
    await staking.connect(x).withdraw(a.address, epoch);
    moments.push(await quietSecond());
    await token.connect(x).transfer(y.address, TOKENS);
    await token.connect(y).approve(staking, TOKENS * 2n);
    await delegate(y, b, TOKENS * 2n);
    moments.push(await quietSecond());
    const both = [];
    for (const at of moments) both.push([await votesAt(x, at), await votesAt(y, at)]);
    expect(both).to.deep.equal([
      [TOKENS, TOKENS],
      [TOKENS, TOKENS],
      // On its way out it votes nowhere.
      [0n, TOKENS],
      [TOKENS, TOKENS],
      [0n, TOKENS * 2n],
    ]);
  });

  it("test_CountsNothingThatCameOrLeftInTheSnapshotsOwnSecond", async () => {
    const { votes, staking } = f;
    await delegate(x, a, 5n * OPG);
    const came = await now(f);
    expect(await votes.getVotes(x.address)).to.equal(0n);
    await quietSecond();
    await delegate(x, a, 7n * OPG);
    const more = await now(f);
    await quietSecond();
    await leave(x, a);
    const left = await now(f);
    await quietSecond();
    const found = [];
    for (const at of [came - 1n, came, came + 1n, more, more + 1n, left - 1n, left, left + 1n]) {
      found.push((await votesAt(x, at)) / OPG);
    }
    expect(found).to.deep.equal([0n, 0n, 5n, 5n, 12n, 12n, 0n, 0n]);

    // All in one block: nothing of it ever counts, before or after.
    const { provider } = connection;
    await provider.request({ method: "evm_setAutomine", params: [false] });
    const gasLimit = 1_000_000n;
    const own = staking.connect(x);
    await own.delegate(a.address, 9n * OPG, { gasLimit });
    await own.undelegate(a.address, 8n * OPG, { gasLimit });
    await own.delegate(b.address, 3n * OPG, { gasLimit });
    await provider.request({ method: "evm_setAutomine", params: [true] });
    await f.networkHelpers.mine();
    const flash = await now(f);
    await quietSecond();
    expect(await votesAt(x, flash)).to.equal(0n);
    expect(await votesAt(x, flash + 1n)).to.equal(4n * OPG);
    // What was known before is as it was.
    expect(await votesAt(x, more)).to.equal(5n * OPG);
  });

  it("test_ASlashTakesFromTheVotesOfEveryDelegator_FromThenOn", async () => {
    await delegate(x, a, 20_000n * OPG);
    await delegate(y, a, 40_000n * OPG);
    await nextEpoch(f);
    const before = await quietSecond();
    await slash(a, 1);
    const after = await quietSecond();
    await delegate(y, a, 1_000n * OPG);
    await nextEpoch(f);
    await slash(a, 2);
    const last = await quietSecond();
    for (const [holder, stake] of [
      [a.owner, STAKES[0]],
      [x, 20_000n * OPG],
      [y, 40_000n * OPG],
    ] as const) {
      expect(await votesAt(holder, before)).to.equal(stake);
      // 5 % and the part of a bounty of 10 OPG, of 100,000.
      expect(await votesAt(holder, after)).to.equal((stake * 9_499n) / 10_000n);
      const real = await stakeOf(holder, a);
      expect(real - (await votesAt(holder, last))).to.be.within(0n, 2n);
    }
    expect(await votesAt(f.b, last)).to.equal(STAKES[1]);
  });

  it("test_AnEmptiedPoolCountsAnew", async () => {
    await nextEpoch(f);
    await slash(b, 1);
    const { content } = await f.staking.delegationOf(b.address, b.address);
    // All but a share, so that rounding decides what it is worth.
    await f.staking.connect(b.owner).undelegate(b.address, content.shares - 1n);
    await delegate(x, b, 10_000n * OPG);
    const at = await quietSecond();
    const real = await stakeOf(x, b);
    expect(real).to.be.greaterThan(9_999n * OPG);
    expect(real - (await votesAt(x, at))).to.be.within(0n, 2n);
  });

  it("test_WhatTheStakingContractHoldsVotesThroughNobody", async () => {
    const { token, votes, staking } = f;
    const at = await quietSecond();
    expect(await token.delegates(staking)).to.equal(ZeroAddress);
    await token.connect(x).transfer(staking, 1_000n * OPG);
    const later = await quietSecond();
    for (const account of [a, f.b, f.c]) {
      expect(await votesAt(account, later)).to.equal(await votesAt(account, at));
    }
    expect(await votes.getPastVotes(await staking.getAddress(), later)).to.equal(0n);
    expect(await votes.getPastTotalSupply(later)).to.equal(await votes.getPastTotalSupply(at));
  });

  it("test_WhoGaveUpTheirVotesGetsNoneByStake", async () => {
    const { token, votes } = f;
    expect(await votes.NON_VOTING()).to.equal(await token.NON_VOTING());
    await delegate(x, a, 5n * OPG);
    const at = await quietSecond();
    expect(await votesAt(x, at)).to.equal(5n * OPG);
    await token.connect(x).delegate(await token.NON_VOTING());
    expect(await votesAt(x, at)).to.equal(0n);
    expect(await votes.getVotes(x.address)).to.equal(0n);
  });

  it("test_LooksAt24PoolsAtMost", async () => {
    const pools: Validator[] = [];
    for (let i = 0; i <= MANY_POOLS; i++) pools.push(await register(f, `pool ${i}`, MINIMUM));
    const last = pools[MANY_POOLS];
    const first = pools[0];
    if (last === undefined || first === undefined) throw new Error("no pools");
    for (const pool of pools.slice(0, MANY_POOLS)) {
      await delegate(x, pool, OPG);
      await delegate(x, pool, OPG);
    }
    const refused = () =>
      expect(delegate(x, last, OPG))
        .to.be.revertedWithCustomError(f.staking, "ValidatorStaking_TooManyPools")
        .withArgs(MANY_POOLS);
    await refused();
    const at = await quietSecond();
    expect(await votesAt(x, at)).to.equal(2n * BigInt(MANY_POOLS) * OPG);
    expect(await f.votes.getPastVotes.estimateGas(x.address, at)).to.be.lessThan(500_000n);

    // The place of one that was left is free when nobody asks for its votes any more.
    await leave(x, first);
    await refused();
    expect(await votesAt(x, at)).to.equal(2n * BigInt(MANY_POOLS) * OPG);
    await f.networkHelpers.time.increase(90n * DAY + 1n);
    await delegate(x, last, OPG);
    const later = await quietSecond();
    expect(await votesAt(x, later)).to.equal((2n * BigInt(MANY_POOLS) - 1n) * OPG);
    expect(await f.staking.poolsOf(x.address))
      .to.include(last.address)
      .and.not.include(first.address);
    await expect(delegate(x, first, OPG)).to.be.revertedWithCustomError(
      f.staking,
      "ValidatorStaking_TooManyPools",
    );
  });
});
