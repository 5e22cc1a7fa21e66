import { OPG_UNIT } from "@haca/protocol/allocations";
import { expect } from "chai";
import { type Signer, ZeroHash } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployMock } from "../utils/deployMock.ts";
import {
  byHash,
  byText,
  deployGovernance,
  type GovernanceFixture,
  idOf,
  type Proposal,
  proposalOf,
  SETTLEMENT_WINDOW,
  STATE,
} from "../utils/governanceFixture.ts";
import { GOVERNOR_SETTINGS, MIN_DELAY } from "../utils/tokenFixture.ts";

const AGAINST = 0;
const FOR = 1;
const { votingDelay, votingPeriod, lateQuorumExtension, proposalThreshold } = GOVERNOR_SETTINGS;
const QUORUM = 14_000_000n * OPG_UNIT; // 4% of the 350 million that can vote

describe("governance", () => {
  let connection: NetworkConnection;
  let fixture: GovernanceFixture;
  before(async () => {
    connection = await network.create();
  });
  beforeEach(async () => {
    fixture = await connection.networkHelpers.loadFixture(deployWithVoters);
  });

  /** Alice holds the quorum exactly, bob the proposal threshold. */
  async function deployWithVoters() {
    const deployed = await deployGovernance(connection);
    const { opg, liquidity, alice, bob } = deployed;
    await opg.connect(liquidity).transfer(alice.address, QUORUM);
    await opg.connect(liquidity).transfer(bob.address, proposalThreshold);
    await opg.connect(alice).delegate(alice.address);
    await opg.connect(bob).delegate(bob.address);
    await connection.networkHelpers.time.increase(10);
    return deployed;
  }
  const state = async (proposal: Proposal): Promise<bigint> =>
    fixture.governor.state(await idOf(fixture.governor, proposal));
  const { increase } = {
    increase: (seconds: number) => connection.networkHelpers.time.increase(seconds),
  };
  const windowProposal = (window = 86_400) =>
    proposalOf({
      contract: fixture.inferenceSettlement,
      function: "setSettlementWindow",
      arguments: [window],
    });
  const propose = (proposal: Proposal, signer: Signer = fixture.bob) =>
    fixture.governor.connect(signer).propose(...byText(proposal));
  const vote = async (proposal: Proposal, signer: Signer, support: number) =>
    fixture.governor.connect(signer).castVote(await idOf(fixture.governor, proposal), support);
  /** Up to the queue, with alice in favour. */
  const queue = async (proposal: Proposal) => {
    await propose(proposal);
    await increase(votingDelay + 1);
    await vote(proposal, fixture.alice, FOR);
    await increase(votingPeriod);
    await fixture.governor.connect(fixture.stranger).queue(...byHash(proposal));
  };
  const execute = (proposal: Proposal) =>
    fixture.governor.connect(fixture.stranger).execute(...byHash(proposal));

  it("test_CarriesAProposalThroughItsWholeLife", async () => {
    const { inferenceSettlement, governor } = fixture;
    const proposal = await windowProposal();
    await propose(proposal);
    expect(await state(proposal)).to.equal(STATE.Pending);
    await expect(vote(proposal, fixture.alice, FOR)).to.be.revertedWithCustomError(
      governor,
      "GovernorUnexpectedProposalState",
    );
    await increase(votingDelay + 1);
    expect(await state(proposal)).to.equal(STATE.Active);
    await vote(proposal, fixture.alice, FOR);
    await expect(vote(proposal, fixture.alice, FOR)).to.be.revertedWithCustomError(
      governor,
      "GovernorAlreadyCastVote",
    );
    await increase(votingPeriod);
    expect(await state(proposal)).to.equal(STATE.Succeeded);
    await governor.connect(fixture.stranger).queue(...byHash(proposal));
    expect(await state(proposal)).to.equal(STATE.Queued);
    await increase(MIN_DELAY - 10);
    await expect(execute(proposal)).to.be.revertedWithCustomError(
      fixture.timelock,
      "TimelockUnexpectedOperationState",
    );
    expect(await inferenceSettlement.settlementWindow()).to.equal(SETTLEMENT_WINDOW);
    await increase(20);
    await execute(proposal);
    expect(await state(proposal)).to.equal(STATE.Executed);
    expect(await inferenceSettlement.settlementWindow()).to.equal(86_400n);
    await expect(execute(proposal)).to.be.revertedWithCustomError(
      governor,
      "GovernorUnexpectedProposalState",
    );
  });

  it("test_DefeatsWhatMissesTheQuorumOrHasMoreAgainstThanFor", async () => {
    const { opg, alice, stranger } = fixture;
    await opg.connect(alice).transfer(stranger.address, 1n);
    await increase(1);
    const short = await windowProposal(90_000);
    await propose(short);
    await increase(votingDelay + 1);
    await vote(short, alice, FOR);
    await increase(votingPeriod);
    expect(await state(short)).to.equal(STATE.Defeated);

    await opg.connect(stranger).transfer(alice.address, 1n);
    await increase(1);
    const unpopular = await windowProposal(95_000);
    await propose(unpopular);
    await increase(votingDelay + 1);
    await vote(unpopular, fixture.bob, FOR);
    await vote(unpopular, alice, AGAINST);
    await increase(votingPeriod);
    expect(await state(unpopular)).to.equal(STATE.Defeated);
    await expect(
      fixture.governor.connect(alice).queue(...byHash(unpopular)),
    ).to.be.revertedWithCustomError(fixture.governor, "GovernorUnexpectedProposalState");
  });

  it("test_LeavesTimeToAnswerWhenTheQuorumComesLate", async () => {
    const proposal = await windowProposal();
    await propose(proposal);
    const proposalId = await idOf(fixture.governor, proposal);
    const deadline = await fixture.governor.proposalDeadline(proposalId);
    await connection.networkHelpers.time.setNextBlockTimestamp(deadline);
    await vote(proposal, fixture.alice, FOR);
    expect(await fixture.governor.proposalDeadline(proposalId)).to.equal(
      deadline + BigInt(lateQuorumExtension),
    );
    expect(await state(proposal)).to.equal(STATE.Active);
  });

  it("test_RevertWhen_ProposerIsBelowTheThreshold", async () => {
    const { governor, opg, bob, stranger } = fixture;
    await expect(propose(await windowProposal(), stranger)).to.be.revertedWithCustomError(
      governor,
      "GovernorInsufficientProposerVotes",
    );
    await opg.connect(bob).transfer(stranger.address, 1n);
    await increase(1);
    await expect(propose(await windowProposal()))
      .to.be.revertedWithCustomError(governor, "GovernorInsufficientProposerVotes")
      .withArgs(bob.address, proposalThreshold - 1n, proposalThreshold);
  });

  describe("borrowed votes", () => {
    it("test_RevertWhen_VotesAreBorrowedAndReturnedInOneTransaction", async () => {
      const { opg, governor, liquidity, ethers } = fixture;
      const attacker = await deployMock(ethers, "FlashVoter", [
        await opg.getAddress(),
        await governor.getAddress(),
      ]);
      const address = await attacker.getAddress();
      const all = await opg.balanceOf(liquidity.address);
      await opg.connect(liquidity).approve(address, ethers.MaxUint256);

      const proposal = await windowProposal();
      await expect(
        attacker.borrowAndPropose(liquidity.address, all, ...byText(proposal)),
      ).to.be.revertedWithCustomError(governor, "GovernorInsufficientProposerVotes");

      await propose(proposal);
      const proposalId = await idOf(governor, proposal);
      const snapshot = await governor.proposalSnapshot(proposalId);
      // In the very second of the snapshot, and in the one after.
      for (const second of [0n, 1n]) {
        await connection.networkHelpers.time.setNextBlockTimestamp(snapshot + second);
        await attacker.borrowAndVote(liquidity.address, all, proposalId);
      }
      await connection.networkHelpers.time.setNextBlockTimestamp(snapshot + 2n);
      await attacker.borrowAndVote(liquidity.address, all, proposalId);
      const [against, inFavour] = await governor.proposalVotes(proposalId);
      expect([against, inFavour]).to.deep.equal([0n, 0n]);
    });

    it("test_CountsNoVotesBoughtAfterTheSnapshot", async () => {
      const { opg, governor, liquidity, stranger } = fixture;
      const proposal = await windowProposal();
      await propose(proposal);
      await increase(votingDelay + 1);
      await opg.connect(liquidity).transfer(stranger.address, 10_000_000n * OPG_UNIT);
      await opg.connect(stranger).delegate(stranger.address);
      await vote(proposal, stranger, FOR);
      const [, inFavour] = await governor.proposalVotes(await idOf(governor, proposal));
      expect(inFavour).to.equal(0n);
    });
  });

  describe("the guardian", () => {
    it("test_LetsTheGuardianCancelWhatIsQueuedAtOnce", async () => {
      const { timelock, guardian, governor } = fixture;
      const proposal = await windowProposal();
      await queue(proposal);
      const operation = await operationOf(proposal);
      await timelock.connect(guardian).cancel(operation);
      expect(await state(proposal)).to.equal(STATE.Canceled);
      await increase(MIN_DELAY + 1);
      await expect(execute(proposal)).to.be.revertedWithCustomError(
        governor,
        "GovernorUnexpectedProposalState",
      );
    });

    it("test_RevertWhen_GuardianSchedulesProposesGrantsOrCallsWhatIsRestricted", async () => {
      const { timelock, guardian, governor, accessManager, inferenceSettlement } = fixture;
      const proposal = await windowProposal();
      const [target = "", data = ""] = [proposal.targets[0], proposal.calldatas[0]];
      await expect(
        timelock.connect(guardian).schedule(target, 0, data, ZeroHash, ZeroHash, MIN_DELAY),
      ).to.be.revertedWithCustomError(timelock, "AccessControlUnauthorizedAccount");
      await expect(propose(proposal, guardian)).to.be.revertedWithCustomError(
        governor,
        "GovernorInsufficientProposerVotes",
      );
      await expect(
        timelock.connect(guardian).grantRole(ZeroHash, guardian.address),
      ).to.be.revertedWithCustomError(timelock, "AccessControlUnauthorizedAccount");
      await expect(
        accessManager.connect(guardian).grantRole(0, guardian.address, 0),
      ).to.be.revertedWithCustomError(accessManager, "AccessManagerUnauthorizedAccount");
      await expect(
        inferenceSettlement.connect(guardian).setSettlementWindow(86_400),
      ).to.be.revertedWithCustomError(inferenceSettlement, "AccessManagedUnauthorized");
    });

    it("test_ReplacesTheGuardianByAVoteAndLeavesThemPowerless", async () => {
      const { timelock, guardian, stranger } = fixture;
      const role = await timelock.CANCELLER_ROLE();
      const revocation = await proposalOf({
        ...{ contract: timelock, function: "revokeRole", arguments: [role, guardian.address] },
      });
      const grant = await proposalOf({
        ...{ contract: timelock, function: "grantRole", arguments: [role, stranger.address] },
      });
      const proposal: Proposal = {
        targets: [...revocation.targets, ...grant.targets],
        values: [0n, 0n],
        calldatas: [...revocation.calldatas, ...grant.calldatas],
        description: "replace the guardian",
      };
      await queue(proposal);
      await increase(MIN_DELAY + 1);
      await execute(proposal);
      const next = await windowProposal();
      await queue(next);
      const operation = await operationOf(next);
      await expect(timelock.connect(guardian).cancel(operation)).to.be.revertedWithCustomError(
        timelock,
        "AccessControlUnauthorizedAccount",
      );
      await timelock.connect(stranger).cancel(operation);
      expect(await state(next)).to.equal(STATE.Canceled);
    });
  });

  it("test_DecidesOverEcosystemAndStakingRewardsUntilRedirected", async () => {
    const { genesis, ethers, vestingFactory, governor } = fixture;
    const vault = await ethers.getContractAt("VestingVault", await genesis.stakingRewardsVault());
    const staking = await vestingFactory.getAddress(); // any contract
    const redirection = await proposalOf({
      ...{ contract: vault, function: "redirect", arguments: [staking] },
    });
    await queue(redirection);
    await increase(MIN_DELAY + 1);
    await execute(redirection);
    expect(await vault.beneficiary()).to.equal(staking);

    const again = await proposalOf({
      ...{
        contract: vault,
        function: "redirect",
        arguments: [await governor.getAddress()],
      },
    });
    await queue(again);
    await increase(MIN_DELAY + 1);
    await expect(execute(again)).to.be.revertedWithCustomError(
      vault,
      "VestingVault_AlreadyRedirected",
    );
  });

  it("test_RevertWhen_AnotherThanTheGovernorSchedulesInTheTimelock", async () => {
    const { timelock, deployer, alice, stranger } = fixture;
    for (const caller of [deployer, alice, stranger]) {
      await expect(
        timelock.connect(caller).schedule(caller.address, 0, "0x", ZeroHash, ZeroHash, MIN_DELAY),
      ).to.be.revertedWithCustomError(timelock, "AccessControlUnauthorizedAccount");
    }
  });

  /** Id of a proposal's operation in the timelock: salted with the governor's address. */
  async function operationOf(proposal: Proposal): Promise<string> {
    const { governor, timelock } = fixture;
    const [targets, values, calldatas, descriptionHash] = byHash(proposal);
    const salt = (BigInt(await governor.getAddress()) << 96n) ^ BigInt(descriptionHash);
    return timelock.hashOperationBatch(
      ...[targets, values, calldatas, ZeroHash],
      `0x${salt.toString(16).padStart(64, "0")}`,
    );
  }
});
