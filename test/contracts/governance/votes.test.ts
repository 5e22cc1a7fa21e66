import { OPG_UNIT } from "@haca/protocol/allocations";
import { expect } from "chai";
import type { Contract, Signer } from "ethers";
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
import { eventsOf, GOVERNOR_SETTINGS, MIN_DELAY } from "../utils/tokenFixture.ts";

const FOR = 1;
const [ECOSYSTEM, FOUNDATION, CONTRIBUTORS, INVESTORS, STAKING_REWARDS] = [0, 1, 2, 3, 4];
const MILLION = 1_000_000n * OPG_UNIT;
const { votingDelay, votingPeriod, quorumPercent } = GOVERNOR_SETTINGS;

/** What can vote before the foundation's vault has paid: contributors, investors, liquidity, airdrop. */
const DISTRIBUTED = 350n * MILLION;

describe("who votes", () => {
  let connection: NetworkConnection;
  let fixture: GovernanceFixture;
  let vaults: Contract[];
  before(async () => {
    connection = await network.create();
  });
  beforeEach(async () => {
    fixture = await connection.networkHelpers.loadFixture(deploy);
    const { genesis, ethers } = fixture;
    vaults = [];
    for (const { args } of await eventsOf(genesis, "Allocated")) {
      if (Number(args.allocation) > STAKING_REWARDS) continue;
      vaults[Number(args.allocation)] = (await ethers.getContractAt(
        "VestingVault",
        args.receiver,
      )) as unknown as Contract;
    }
  });
  async function deploy() {
    return deployGovernance(connection);
  }
  const vault = (allocation: number): Contract => {
    const found = vaults[allocation];
    if (found === undefined) throw new Error(`no vault of allocation ${allocation}`);
    return found;
  };
  const call = (contract: Contract, signer: Signer, name: string, ...values: unknown[]) =>
    (contract.connect(signer) as Contract).getFunction(name)(...values);
  const votesOf = (account: string): Promise<bigint> =>
    fixture.opg.getFunction("getVotes")(account);
  const now = () => connection.networkHelpers.time.latest();
  const electorate = async (): Promise<bigint> => {
    await connection.networkHelpers.time.increase(2);
    return fixture.governor.getFunction("electorate")((await now()) - 1);
  };

  /** A proposal of alice's, who alone votes, up to its execution. */
  async function pass(proposal: Proposal): Promise<void> {
    const { governor, alice, stranger } = fixture;
    const { time } = connection.networkHelpers;
    await call(governor, alice, "propose", ...byText(proposal));
    await time.increase(votingDelay + 1);
    await call(governor, alice, "castVote", await idOf(governor, proposal), FOR);
    await time.increase(votingPeriod);
    await call(governor, stranger, "queue", ...byHash(proposal));
    await time.increase(MIN_DELAY + 1);
    await call(governor, stranger, "execute", ...byHash(proposal));
  }

  /** Alice has all of the liquidity, and with it every vote that is cast. */
  async function giveVotes(): Promise<void> {
    const { opg, liquidity, alice } = fixture;
    await call(opg, liquidity, "transfer", alice.address, 60n * MILLION);
    await call(opg, alice, "delegate", alice.address);
    await connection.networkHelpers.time.increase(10);
  }

  it("refuses a vote to the vaults of the treasury, and lets contributors and investors delegate", async () => {
    const { opg, foundation, contributor, investor, alice } = fixture;
    const silent = await opg.getFunction("NON_VOTING")();
    for (const allocation of [ECOSYSTEM, FOUNDATION, STAKING_REWARDS]) {
      const delegatee = await opg.getFunction("delegates")(await vault(allocation).getAddress());
      expect(delegatee).to.equal(silent);
    }
    await expect(call(vault(FOUNDATION), foundation, "delegate", foundation.address))
      .to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp")
      .withArgs(await vault(FOUNDATION).getAddress());

    await call(vault(CONTRIBUTORS), contributor, "delegate", alice.address);
    await call(vault(INVESTORS), investor, "delegate", investor.address);
    expect(await votesOf(alice.address)).to.equal(150n * MILLION);
    expect(await votesOf(investor.address)).to.equal(100n * MILLION);
    expect(await votesOf(foundation.address)).to.equal(0n);
  });

  it("keeps the votes of a treasury grant given up when it is handed over or redirected", async () => {
    const { opg, foundation, alice, timelock, ethers, vestingFactory } = fixture;
    await call(vault(FOUNDATION), foundation, "transferBeneficiary", alice.address);
    await call(vault(FOUNDATION), alice, "acceptBeneficiary");
    await expect(
      call(vault(FOUNDATION), alice, "delegate", alice.address),
    ).to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp");

    // Any contract stands for the one that distributes the rewards.
    const staking = await vestingFactory.getAddress();
    const { impersonateAccount, setBalance } = connection.networkHelpers;
    for (const account of [await timelock.getAddress(), staking]) {
      await impersonateAccount(account);
      await setBalance(account, 10n ** 18n);
    }
    const asTimelock = await ethers.getSigner(await timelock.getAddress());
    await call(vault(STAKING_REWARDS), asTimelock, "redirect", staking);
    await expect(
      call(vault(STAKING_REWARDS), await ethers.getSigner(staking), "delegate", alice.address),
    ).to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp");
  });

  it("lets nobody give up the votes of a vault but its beneficiary and, in its creation, the factory", async () => {
    const { opg, stranger } = fixture;
    const silent = await opg.getFunction("NON_VOTING")();
    await expect(
      call(vault(INVESTORS), stranger, "delegate", silent),
    ).to.be.revertedWithCustomError(vault(INVESTORS), "VestingVault_NotBeneficiary");
  });

  it("keeps votes that were given up given up, whoever asks", async () => {
    const { opg, stranger, alice } = fixture;
    await call(opg, stranger, "delegate", await opg.getFunction("NON_VOTING")());
    await expect(call(opg, stranger, "delegate", alice.address))
      .to.be.revertedWithCustomError(opg, "OPG_VotesGivenUp")
      .withArgs(stranger.address);
  });

  it("counts the quorum of what can vote, and what is paid out from then on", async () => {
    const { opg, governor, timelock, foundation } = fixture;
    expect(await electorate()).to.equal(DISTRIBUTED);
    const supply = await opg.getFunction("totalSupply")();

    // To the timelock: the ecosystem's tokens stay the treasury's.
    await call(vault(ECOSYSTEM), foundation, "release");
    expect(await opg.getFunction("balanceOf")(await timelock.getAddress())).to.be.greaterThan(0n);
    expect(await electorate()).to.equal(DISTRIBUTED);
    await call(vault(FOUNDATION), foundation, "release");
    const paid: bigint = await opg.getFunction("balanceOf")(foundation.address);
    expect(paid).to.be.greaterThan(49n * MILLION);
    expect(await electorate()).to.equal(DISTRIBUTED + paid);
    expect(await opg.getFunction("totalSupply")()).to.equal(supply);

    const at = (await now()) - 1;
    expect(await governor.getFunction("quorum")(at)).to.equal(
      ((DISTRIBUTED + paid) * BigInt(quorumPercent)) / 100n,
    );
    await call(opg, foundation, "burn", paid);
    expect(await electorate()).to.equal(DISTRIBUTED);
  });

  it("takes back no votes but unvested ones of contributors, which nobody gets", async () => {
    const { contributor } = fixture;
    await giveVotes();
    await call(vault(CONTRIBUTORS), contributor, "delegate", contributor.address);
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
    const attacks: [string, string, () => Promise<{ contract: Contract; arguments: unknown[] }>][] =
      [
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
      it(`refuses ${words}`, async () => {
        const { alice, stranger } = fixture;
        await call(vault(ECOSYSTEM), stranger, "release");
        const before = await votesOf(alice.address);
        const proposal = await proposalOf({ ...(await make()), function: name });
        await expect(pass(proposal)).to.be.revert(fixture.ethers);
        expect(await votesOf(alice.address)).to.equal(before);
      });
    }

    it("but for a payment of what is vested, which costs the treasury as much and counts in the quorum", async () => {
      const { opg, timelock, alice, stranger } = fixture;
      await call(vault(ECOSYSTEM), stranger, "release");
      const treasury = await timelock.getAddress();
      const before = await votesOf(alice.address);
      const counted = await electorate();
      const held: bigint = await opg.getFunction("balanceOf")(treasury);
      await pass(
        await proposalOf({ contract: opg, function: "transfer", arguments: [alice.address, held] }),
      );
      expect(await opg.getFunction("balanceOf")(treasury)).to.equal(0n);
      expect(await votesOf(alice.address)).to.equal(before + held);
      expect(await electorate()).to.equal(counted + held);
    });
  });

  it("never has a timelock's delay below that of the deployment, nor a quorum of zero", async () => {
    const { timelock, governor } = fixture;
    await giveVotes();
    const shorten = (seconds: number) =>
      proposalOf({ contract: timelock, function: "updateDelay", arguments: [seconds] });
    await expect(pass(await shorten(MIN_DELAY - 1)))
      .to.be.revertedWithCustomError(timelock, "TimelockController_DelayTooShort")
      .withArgs(MIN_DELAY, MIN_DELAY - 1);
    await pass(await shorten(MIN_DELAY + 1));
    expect(await timelock.getFunction("getMinDelay")()).to.equal(MIN_DELAY + 1);
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
