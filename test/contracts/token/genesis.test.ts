import { OPG_SUPPLY, OPG_UNIT } from "@haca/protocol/allocations";
import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployToken, eventsOf, type TokenFixture } from "../utils/tokenFixture.ts";

/** The design's table, written out once more: tokens, and tokens at the token generation event. */
const TABLE: readonly [name: string, tokens: number, atTge: number][] = [
  ["Ecosystem", 400_000_000, 40_000_000],
  ["Foundation", 150_000_000, 49_500_000],
  ["Contributors", 150_000_000, 0],
  ["Investors", 100_000_000, 0],
  ["Staking rewards", 100_000_000, 0],
  ["Liquidity", 60_000_000, 60_000_000],
  ["Airdrop", 40_000_000, 40_000_000],
];
const FLOAT_AT_TGE = 189_500_000;

describe("GenesisDistribution", () => {
  let connection: NetworkConnection;
  let fixture: TokenFixture;
  before(async () => {
    connection = await network.create();
  });
  beforeEach(async () => {
    fixture = await connection.networkHelpers.loadFixture(deployWithDefaults);
  });
  async function deployWithDefaults() {
    return deployToken(connection);
  }
  /** Another distribution, with changes. */
  const distribute = (changes: Record<string, unknown>) =>
    connection.ethers.deployContract("GenesisDistribution", [
      { ...fixture.parameters, ...changes },
    ]);

  it("test_HandsOutExactlyTheTable", async () => {
    const { genesis, allocated, opg } = fixture;
    for (const [allocation, [name, tokens, atTge]] of TABLE.entries()) {
      const amount = BigInt(tokens) * OPG_UNIT;
      expect(await genesis.allocationAmount(allocation), name).to.equal(amount);
      expect(await genesis.allocationTgeAmount(allocation), name).to.equal(
        BigInt(atTge) * OPG_UNIT,
      );
      const receivers = allocated.filter((entry) => entry.allocation === allocation);
      let held = 0n;
      for (const { receiver, amount: stated } of receivers) {
        expect(await opg.balanceOf(receiver)).to.equal(stated);
        held += stated;
      }
      expect(held, name).to.equal(amount);
    }
    expect(await opg.totalSupply()).to.equal(OPG_SUPPLY);
  });

  it("test_IsLeftWithNoTokenNoAllowanceAndNoFunctionThatChangesAnything", async () => {
    const { genesis, opg, factory } = fixture;
    const address = await genesis.getAddress();
    expect(await opg.balanceOf(address)).to.equal(0n);
    expect(await opg.allowance(address, await factory.getAddress())).to.equal(0n);
    genesis.interface.forEachFunction(({ name, stateMutability }) => {
      expect(["view", "pure"], name).to.include(stateMutability);
    });
  });

  it("test_HasTheFloatOfTheTableFromTheVerySecondOfTheEvent", async () => {
    const { allocated, vaultsOf, tge } = fixture;
    const vaults = (await Promise.all([0, 1, 2, 3, 4].map(vaultsOf))).flat();
    const direct = allocated
      .filter(({ allocation }) => allocation >= 5)
      .reduce((sum, { amount }) => sum + amount, 0n);
    const floatAt = async (time: number): Promise<bigint> => {
      let sum = direct;
      for (const vault of vaults) sum += await vault.vested(time);
      return sum;
    };
    expect(await floatAt(tge)).to.equal(BigInt(FLOAT_AT_TGE) * OPG_UNIT);
    expect(await floatAt(tge - 1)).to.equal(direct);
  });

  it("test_LeavesNoAllowanceWithAnyoneEver", async () => {
    const { opg, genesis, factory, vaultsOf, airdrop } = fixture;
    const approvals = await eventsOf(opg, "Approval");
    const vaults = (await Promise.all([0, 1, 2, 3, 4].map(vaultsOf))).flat();
    const owners = [genesis, factory, airdrop, ...vaults].map((contract) => contract.getAddress());
    const allOwners = await Promise.all(owners);
    for (const { args } of approvals) {
      expect(allOwners[0]).to.equal(args.owner);
      expect(await opg.allowance(args.owner, args.spender)).to.equal(0n);
    }
  });

  it("test_RevertWhen_SharesMissTheirAllocationByOneUnit", async () => {
    const { stranger, genesis } = fixture;
    for (const difference of [-1n, 1n]) {
      for (const [field, allocation, tokens] of [
        ["contributors", 2, 150_000_000n],
        ["investors", 3, 100_000_000n],
      ] as const) {
        const amount = tokens * OPG_UNIT + difference;
        await expect(distribute({ [field]: [{ beneficiary: stranger.address, amount }] }))
          .to.be.revertedWithCustomError(genesis, "GenesisDistribution_AllocationMismatch")
          .withArgs(allocation, tokens * OPG_UNIT, amount);
      }
    }
  });

  it("test_RevertWhen_ParametersNameNobody", async () => {
    const { genesis, stranger, ethers } = fixture;
    const refused = (parameters: Record<string, unknown>) => expect(distribute(parameters)).to.be;
    await refused({ foundation: ethers.ZeroAddress })
      .revertedWithCustomError(genesis, "GenesisDistribution_AddressZero")
      .withArgs("foundation");
    await refused({ liquidity: ethers.ZeroAddress })
      .revertedWithCustomError(genesis, "GenesisDistribution_AddressZero")
      .withArgs("liquidity");
    await refused({ governance: stranger.address })
      .revertedWithCustomError(genesis, "GenesisDistribution_NotAContract")
      .withArgs(stranger.address);
    await refused({ tge: 0 }).revertedWithCustomError(genesis, "GenesisDistribution_TgeInvalid");
  });

  it("test_LetsInvestorsHandOverContributorsNeverStakingRewardsOnce", async () => {
    const transferability: [allocation: number, expected: bigint][] = [
      [2, 0n],
      [3, 1n],
      [4, 2n],
    ];
    for (const [allocation, expected] of transferability) {
      for (const vault of await fixture.vaultsOf(allocation)) {
        expect((await vault.terms()).transferability).to.equal(expected);
      }
    }
  });

  it("test_LetsGovernancePointTheStakingRewardsAtAContractOnce", async () => {
    const { vaultsOf, timelock, factory, genesis, ethers, connection, stranger } = fixture;
    const [vault] = await vaultsOf(4);
    if (vault === undefined) throw new Error("no vault");
    const [staking, other, governance] = [
      await factory.getAddress(),
      await genesis.getAddress(),
      await timelock.getAddress(),
    ];
    expect(await vault.beneficiary()).to.equal(governance);
    expect(await genesis.stakingRewardsVault()).to.equal(await vault.getAddress());

    await connection.networkHelpers.impersonateAccount(governance);
    await connection.networkHelpers.setBalance(governance, 10n ** 18n);
    const asTimelock = vault.connect(await ethers.getSigner(governance));
    await expect(vault.connect(stranger).redirect(staking))
      .to.be.revertedWithCustomError(vault, "VestingVault_NotBeneficiary")
      .withArgs(governance, stranger.address);
    for (const useless of [
      stranger.address,
      await vault.getAddress(),
      await fixture.opg.getAddress(),
    ]) {
      await expect(asTimelock.redirect(useless))
        .to.be.revertedWithCustomError(vault, "VestingVault_BeneficiaryInvalid")
        .withArgs(useless);
    }
    await expect(asTimelock.redirect(staking))
      .to.emit(vault, "BeneficiaryTransferred")
      .withArgs(governance, staking);
    expect(await vault.beneficiary()).to.equal(staking);
    await expect(asTimelock.redirect(other)).to.be.revertedWithCustomError(
      vault,
      "VestingVault_AlreadyRedirected",
    );
    await expect(asTimelock.transferBeneficiary(other)).to.be.revertedWithCustomError(
      vault,
      "VestingVault_NotBeneficiary",
    );
  });
});
