import { OPG_UNIT } from "@haca/protocol/allocations";
import { signSigningKey } from "@haca/protocol/validatorStaking";
import { expect } from "chai";
import { type BaseContract, id, Wallet } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import {
  byHash,
  byText,
  deployGovernance,
  type GovernanceFixture,
  idOf,
  type Proposal,
  proposalOf,
} from "../utils/governanceFixture.ts";
import {
  eventsOf,
  GOVERNOR_SETTINGS,
  MIN_DELAY,
  type TokenFixture,
} from "../utils/tokenFixture.ts";

const FOR = 1;
const [ECOSYSTEM, FOUNDATION, CONTRIBUTORS, INVESTORS, STAKING_REWARDS] = [0, 1, 2, 3, 4];
const MILLION = 1_000_000n * OPG_UNIT;
const { votingDelay, votingPeriod, quorumPercent } = GOVERNOR_SETTINGS;

/** What can vote before the foundation's vault has paid: contributors, investors, liquidity, airdrop. */
const DISTRIBUTED = 350n * MILLION;

type Vault = Awaited<ReturnType<TokenFixture["vaultAt"]>>;

describe("who votes", () => {
  let connection: NetworkConnection;
  let fixture: GovernanceFixture;
  let vaults: Vault[];
  before(async () => {
    connection = await network.create();
  });
  beforeEach(async () => {
    fixture = await connection.networkHelpers.loadFixture(deploy);
    const { genesis, ethers } = fixture;
    vaults = [];
    for (const { args } of await eventsOf(genesis, "Allocated")) {
      if (Number(args.allocation) > STAKING_REWARDS) continue;
      vaults[Number(args.allocation)] = await ethers.getContractAt("VestingVault", args.receiver);
    }
  });
  async function deploy() {
    return deployGovernance(connection);
  }
  const vault = (allocation: number): Vault => {
    const found = vaults[allocation];
    if (found === undefined) throw new Error(`no vault of allocation ${allocation}`);
    return found;
  };
  const votesOf = (account: string): Promise<bigint> => fixture.opg.getVotes(account);
  const now = () => connection.networkHelpers.time.latest();
  const electorate = async (): Promise<bigint> => {
    await connection.networkHelpers.time.increase(2);
    return fixture.governor.electorate((await now()) - 1);
  };

  /** A proposal of alice's, who alone votes, up to its execution. */
  async function pass(proposal: Proposal): Promise<void> {
    const { governor, alice, stranger } = fixture;
    const { time } = connection.networkHelpers;
    await governor.connect(alice).propose(...byText(proposal));
    await time.increase(votingDelay + 1);
    await governor.connect(alice).castVote(await idOf(governor, proposal), FOR);
    await time.increase(votingPeriod);
    await governor.connect(stranger).queue(...byHash(proposal));
    await time.increase(MIN_DELAY + 1);
    await governor.connect(stranger).execute(...byHash(proposal));
  }

  /** Alice has all of the liquidity, and with it every vote that is cast. */
  async function giveVotes(): Promise<void> {
    const { opg, liquidity, alice } = fixture;
    await opg.connect(liquidity).transfer(alice.address, 60n * MILLION);
    await opg.connect(alice).delegate(alice.address);
    await connection.networkHelpers.time.increase(10);
  }

  it("test_RevertWhen_TreasuryVaultDelegates_OthersMay", async () => {
    const { opg, foundation, contributor, investor, alice } = fixture;
    const silent = await opg.NON_VOTING();
    for (const allocation of [ECOSYSTEM, FOUNDATION, STAKING_REWARDS]) {
      const delegatee = await opg.delegates(await vault(allocation).getAddress());
      expect(delegatee).to.equal(silent);
    }
    await expect(vault(FOUNDATION).connect(foundation).delegate(foundation.address))
      .to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp")
      .withArgs(await vault(FOUNDATION).getAddress());

    await vault(CONTRIBUTORS).connect(contributor).delegate(alice.address);
    await vault(INVESTORS).connect(investor).delegate(investor.address);
    expect(await votesOf(alice.address)).to.equal(150n * MILLION);
    expect(await votesOf(investor.address)).to.equal(100n * MILLION);
    expect(await votesOf(foundation.address)).to.equal(0n);
  });

  it("test_KeepsTreasuryVotesGivenUpWhenHandedOverOrRedirected", async () => {
    const { opg, foundation, alice, timelock, ethers, vestingFactory } = fixture;
    await vault(FOUNDATION).connect(foundation).transferBeneficiary(alice.address);
    await vault(FOUNDATION).connect(alice).acceptBeneficiary();
    await expect(
      vault(FOUNDATION).connect(alice).delegate(alice.address),
    ).to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp");

    // Any contract stands for the one that distributes the rewards.
    const staking = await vestingFactory.getAddress();
    const { impersonateAccount, setBalance } = connection.networkHelpers;
    for (const account of [await timelock.getAddress(), staking]) {
      await impersonateAccount(account);
      await setBalance(account, 10n ** 18n);
    }
    const asTimelock = await ethers.getSigner(await timelock.getAddress());
    await vault(STAKING_REWARDS).connect(asTimelock).redirect(staking);
    await expect(
      vault(STAKING_REWARDS)
        .connect(await ethers.getSigner(staking))
        .delegate(alice.address),
    ).to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp");
  });

  it("test_RevertWhen_AnotherThanBeneficiaryOrFactoryGivesUpVotes", async () => {
    const { opg, stranger } = fixture;
    const silent = await opg.NON_VOTING();
    await expect(vault(INVESTORS).connect(stranger).delegate(silent)).to.be.revertedWithCustomError(
      vault(INVESTORS),
      "VestingVault_NotBeneficiary",
    );
  });

  it("test_KeepsVotesGivenUpWhoeverAsks", async () => {
    const { opg, stranger, alice } = fixture;
    await opg.connect(stranger).delegate(await opg.NON_VOTING());
    await expect(opg.connect(stranger).delegate(alice.address))
      .to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp")
      .withArgs(stranger.address);
  });

  it("test_CountsTheQuorumOfWhatCanVote", async () => {
    const { opg, governor, timelock, foundation } = fixture;
    expect(await electorate()).to.equal(DISTRIBUTED);
    const supply = await opg.totalSupply();

    // To the timelock: the ecosystem's tokens stay the treasury's.
    await vault(ECOSYSTEM).connect(foundation).release();
    expect(await opg.balanceOf(await timelock.getAddress())).to.be.greaterThan(0n);
    expect(await electorate()).to.equal(DISTRIBUTED);
    await vault(FOUNDATION).connect(foundation).release();
    const paid: bigint = await opg.balanceOf(foundation.address);
    expect(paid).to.be.greaterThan(49n * MILLION);
    expect(await electorate()).to.equal(DISTRIBUTED + paid);
    expect(await opg.totalSupply()).to.equal(supply);

    const at = (await now()) - 1;
    expect(await governor.quorum(at)).to.equal(
      ((DISTRIBUTED + paid) * BigInt(quorumPercent)) / 100n,
    );
    await opg.connect(foundation).burn(paid);
    expect(await electorate()).to.equal(DISTRIBUTED);
  });

  it("test_ProposesVotesAndPassesByStakeAlone", async () => {
    const { opg, governor, validatorStaking, stakedVotes, inferenceSettlement, liquidity } =
      fixture;
    const { alice, bob, stranger } = fixture;
    const { time } = connection.networkHelpers;
    const before = await electorate();
    const key = new Wallet(id("a validator's key"));
    const [staking, { chainId }] = [
      await validatorStaking.getAddress(),
      await fixture.ethers.provider.getNetwork(),
    ];
    for (const holder of [alice, bob]) {
      await opg.connect(liquidity).transfer(holder.address, 10n * MILLION);
      await opg.connect(holder).approve(staking, 10n * MILLION);
    }
    const consent = await signSigningKey({ chainId, staking, validator: alice.address, key });
    await validatorStaking.connect(alice).register(key.address, consent, 0n, 2n * MILLION);
    await validatorStaking.connect(bob).delegate(alice.address, 10n * MILLION);
    expect(await governor.token()).to.equal(await stakedVotes.getAddress());
    expect(await opg.getVotes(alice.address)).to.equal(0n);
    // Staked or not: the quorum is of the same.
    expect(await electorate()).to.equal(before);

    const propose = async (window: number) => {
      const proposal = await proposalOf({
        ...{ contract: inferenceSettlement, function: "setSettlementWindow", arguments: [window] },
      });
      await governor.connect(alice).propose(...byText(proposal));
      await time.increase(votingDelay + 1);
      return proposal;
    };
    const passed = await propose(86_400);
    // Whoever leaves after the snapshot has their votes still, as with tokens that are sold.
    await validatorStaking.connect(bob).undelegate(alice.address, 10n * MILLION);
    await governor.connect(bob).castVote(await idOf(governor, passed), FOR);
    await governor.connect(alice).castVote(await idOf(governor, passed), FOR);
    const { forVotes } = await governor.proposalVotes(await idOf(governor, passed));
    expect(forVotes).to.equal(12n * MILLION);
    await time.increase(votingPeriod);
    // Twelve of the fourteen million that the quorum needs.
    await expect(governor.connect(stranger).queue(...byHash(passed))).to.be.revertedWithCustomError(
      governor,
      "GovernorUnexpectedProposalState",
    );

    await validatorStaking.connect(alice).delegate(alice.address, 8n * MILLION);
    await opg.connect(liquidity).transfer(bob.address, 10n * MILLION);
    await opg.connect(bob).approve(staking, 10n * MILLION);
    await validatorStaking.connect(bob).delegate(alice.address, 10n * MILLION);
    await time.increase(2);
    const again = await propose(43_200);
    for (const holder of [alice, bob]) {
      await governor.connect(holder).castVote(await idOf(governor, again), FOR);
    }
    await time.increase(votingPeriod);
    await governor.connect(stranger).queue(...byHash(again));
    await time.increase(MIN_DELAY + 1);
    await governor.connect(stranger).execute(...byHash(again));
    expect(await inferenceSettlement.settlementWindow()).to.equal(43_200n);
  });

  it("test_RevertWhen_TheTreasuryVotesByStake", async () => {
    const { opg, timelock, validatorStaking, stakedVotes, stranger, alice } = fixture;
    const { impersonateAccount, setBalance, time } = connection.networkHelpers;
    const treasury = await timelock.getAddress();
    await vault(ECOSYSTEM).connect(stranger).release();
    await impersonateAccount(treasury);
    await setBalance(treasury, 10n ** 18n);
    const asTimelock = await fixture.ethers.getSigner(treasury);
    const staking = await validatorStaking.getAddress();
    const key = new Wallet(id("the treasury's key"));
    const { chainId } = await fixture.ethers.provider.getNetwork();
    const consent = await signSigningKey({ chainId, staking, validator: treasury, key });
    await opg.connect(asTimelock).approve(staking, MILLION);
    await validatorStaking.connect(asTimelock).register(key.address, consent, 0n, MILLION);
    await time.increase(10);
    expect(await validatorStaking.stakeAt(treasury, (await now()) - 1)).to.equal(MILLION);
    expect(await stakedVotes.getVotes(treasury)).to.equal(0n);
    expect(await stakedVotes.getPastVotes(treasury, (await now()) - 1)).to.equal(0n);
    expect(await stakedVotes.getVotes(alice.address)).to.equal(0n);
  });

  it("test_TakesBackOnlyUnvestedVotesOfContributors", async () => {
    const { contributor } = fixture;
    await giveVotes();
    await vault(CONTRIBUTORS).connect(contributor).delegate(contributor.address);
    const before = await electorate();
    await pass(
      await proposalOf({ contract: vault(CONTRIBUTORS), function: "revoke", arguments: [] }),
    );
    const lost = 150n * MILLION - (await votesOf(contributor.address));
    expect(lost).to.be.greaterThan(0n);
    expect(await electorate()).to.equal(before - lost);
  });

  describe("no proposal adds voting power to its proposer", () => {
    beforeEach(giveVotes);

    /** Every way to lend somebody the votes of tokens that stay where they are, and of tokens that are not vested. */
    const attacks: [
      string,
      string,
      () => Promise<{ contract: BaseContract; arguments: unknown[] }>,
    ][] = [
      ...[ECOSYSTEM, FOUNDATION, CONTRIBUTORS, INVESTORS, STAKING_REWARDS].map(
        (allocation): (typeof attacks)[number] => [
          `delegating the vault of allocation ${allocation}`,
          "delegate",
          async () => ({ contract: vault(allocation), arguments: [fixture.alice.address] }),
        ],
      ),
      ...[ECOSYSTEM, FOUNDATION, CONTRIBUTORS, INVESTORS, STAKING_REWARDS].map(
        (allocation): (typeof attacks)[number] => [
          `handing over the vault of allocation ${allocation}`,
          "transferBeneficiary",
          async () => ({ contract: vault(allocation), arguments: [fixture.alice.address] }),
        ],
      ),
      [
        "delegating what the timelock holds",
        "delegate",
        async () => ({ contract: fixture.opg, arguments: [fixture.alice.address] }),
      ],
      [
        "paying more than is vested",
        "transfer",
        async () => ({
          contract: fixture.opg,
          arguments: [fixture.alice.address, 400n * MILLION],
        }),
      ],
    ];

    for (const [words, name, make] of attacks) {
      it(`test_RevertWhen_ProposalAddsVotesToItsProposer: ${words}`, async () => {
        const { alice, stranger } = fixture;
        await vault(ECOSYSTEM).connect(stranger).release();
        const before = await votesOf(alice.address);
        const proposal = await proposalOf({ ...(await make()), function: name });
        await expect(pass(proposal)).to.be.revert(fixture.ethers);
        expect(await votesOf(alice.address)).to.equal(before);
      });
    }

    it("test_PaysWhatIsVested_CostingTheTreasuryAsMuch", async () => {
      const { opg, timelock, alice, stranger } = fixture;
      await vault(ECOSYSTEM).connect(stranger).release();
      const treasury = await timelock.getAddress();
      const before = await votesOf(alice.address);
      const counted = await electorate();
      const held: bigint = await opg.balanceOf(treasury);
      await pass(
        await proposalOf({ contract: opg, function: "transfer", arguments: [alice.address, held] }),
      );
      expect(await opg.balanceOf(treasury)).to.equal(0n);
      expect(await votesOf(alice.address)).to.equal(before + held);
      expect(await electorate()).to.equal(counted + held);
    });
  });

  it("test_RevertWhen_DelayFallsBelowTheDeploymentsOrQuorumIsZero", async () => {
    const { timelock, governor } = fixture;
    await giveVotes();
    const shorten = (seconds: number) =>
      proposalOf({ contract: timelock, function: "updateDelay", arguments: [seconds] });
    await expect(pass(await shorten(MIN_DELAY - 1)))
      .to.be.revertedWithCustomError(timelock, "TimelockController_DelayTooShort")
      .withArgs(MIN_DELAY, MIN_DELAY - 1);
    await pass(await shorten(MIN_DELAY + 1));
    expect(await timelock.getMinDelay()).to.equal(MIN_DELAY + 1);
    await connection.networkHelpers.time.increase(2);
    await expect(
      pass(
        await proposalOf({
          contract: governor,
          function: "updateQuorumNumerator",
          arguments: [0],
        }),
      ),
    ).to.be.revertedWithCustomError(governor, "HacaGovernor_QuorumZero");
  });
});
