import { OPG_UNIT } from "@haca/protocol/allocations";
import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import {
  createGrant,
  deployToken,
  eventsOf,
  grantTerms,
  TGE,
  type TokenFixture,
} from "../utils/tokenFixture.ts";

const FIXED = 0;
const TRANSFERABLE = 1;
const REDIRECTABLE_ONCE = 2;

describe("vesting vaults", () => {
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
  const at = (time: number | bigint) => connection.networkHelpers.time.setNextBlockTimestamp(time);

  describe("known mistakes", () => {
    it("test_PaysThePartAtTheEventOnceHoweverOftenAsked", async () => {
      const { opg, alice } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, total: 1_000n, tgeAmount: 330n },
        ...{ start: TGE + 1_000, end: TGE + 2_000 },
      });
      await at(TGE);
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(330n);
      for (let i = 0; i < 3; i += 1) await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(330n);
      await at(TGE + 2_000);
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(1_000n);
    });

    it("test_CountsTheCliffNeitherTwiceNorInsideTheDuration", async () => {
      const day = 86_400;
      const vault = await createGrant(fixture, {
        total: 36n * 1_000n,
        ...{ start: TGE + 12 * day, end: TGE + 48 * day },
      });
      expect(await vault.vested(TGE + 12 * day)).to.equal(0n); // inside: 12/36 would be there
      expect(await vault.vested(TGE + 30 * day)).to.equal(18_000n); // half of the 36, not of the 48
      expect(await vault.vested(TGE + 48 * day)).to.equal(36_000n); // twice: 12 more days to go
    });

    it("test_LosesNoUnitToRounding", async () => {
      const { opg, alice } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, total: 1_000_003n, tgeAmount: 1n },
        ...{ start: TGE, end: TGE + 997 },
      });
      for (const second of [1, 2, 3, 5, 8, 500, 996, 997]) {
        await at(TGE + second);
        await vault.release();
      }
      expect(await opg.balanceOf(alice.address)).to.equal(1_000_003n);
      expect(await opg.balanceOf(await vault.getAddress())).to.equal(0n);
    });

    it("test_NeverApprovesAnybodyNotEvenItsBeneficiary", async () => {
      const { opg, alice, factory } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, transferability: TRANSFERABLE },
        ...{ start: TGE, end: TGE + 10 },
      });
      await vault.connect(alice).delegate(alice.address);
      await at(TGE + 20);
      await vault.release();
      const owners = (await eventsOf(opg, "Approval")).map(({ args }) => args.owner as string);
      expect(owners).to.not.include(await vault.getAddress());
      expect(owners).to.not.include(await factory.getAddress());
      vault.interface.forEachFunction(({ name }) => {
        expect(name).to.not.match(/approve|permit|transferFrom|withdraw|call|signature/i);
      });
    });

    it("test_HasNoSecondWayAroundAFixedGrant", async () => {
      const { alice, bob, factory } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, transferability: FIXED },
      });
      await expect(vault.connect(alice).transferBeneficiary(bob.address))
        .to.be.revertedWithCustomError(vault, "VestingVault_TransferabilityInvalid")
        .withArgs(TRANSFERABLE, FIXED);
      await expect(vault.connect(alice).redirect(await factory.getAddress()))
        .to.be.revertedWithCustomError(vault, "VestingVault_TransferabilityInvalid")
        .withArgs(REDIRECTABLE_ONCE, FIXED);
      await expect(vault.connect(bob).acceptBeneficiary()).to.be.revertedWithCustomError(
        vault,
        "VestingVault_NotPendingBeneficiary",
      );
      expect(await vault.beneficiary()).to.equal(alice.address);
    });
  });

  describe("release", () => {
    it("test_ReleasesForAnyoneToTheBeneficiaryAlone", async () => {
      const { opg, alice, stranger } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, total: 100n, start: TGE, end: TGE + 100 },
      });
      await at(TGE + 40);
      await expect(vault.connect(stranger).release())
        .to.emit(opg, "Transfer")
        .withArgs(await vault.getAddress(), alice.address, 40n);
      expect(await opg.balanceOf(stranger.address)).to.equal(0n);
      expect(await opg.balanceOf(alice.address)).to.equal(40n);
      expect(await vault.released()).to.equal(40n);
      expect(await vault.releasable()).to.equal(0n);
    });

    it("test_PaysOutTokensSentToTheVaultAndKeepsWhatIsLocked", async () => {
      const { opg, alice, liquidity } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, total: 100n, start: TGE, end: TGE + 100 },
      });
      const address = await vault.getAddress();
      await opg.connect(liquidity).transfer(address, 7n);
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(7n);
      await at(TGE + 50);
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(57n);
      expect(await opg.balanceOf(address)).to.equal(50n);
      expect(await vault.released()).to.equal(50n);
    });

    it("test_ReleasesNothingBeforeTheEvent", async () => {
      const { opg, alice } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, total: 100n, tgeAmount: 100n, start: TGE, end: TGE + 1 },
      });
      await at(TGE - 1);
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(0n);
      await at(TGE);
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(100n);
    });

    it("test_SaysWhenMoreComes", async () => {
      const start = TGE + 1_000;
      const vault = await createGrant(fixture, {
        ...{ total: 13n, tgeAmount: 3n, start, end: start + 1_000 },
      });
      expect(await vault.nextUnlock()).to.equal(TGE);
      await connection.networkHelpers.time.increaseTo(TGE);
      expect(await vault.nextUnlock()).to.equal(start + 100);
      await connection.networkHelpers.time.increaseTo(start + 100);
      expect(await vault.nextUnlock()).to.equal(start + 200);
      await connection.networkHelpers.time.increaseTo(start + 999);
      expect(await vault.nextUnlock()).to.equal(start + 1_000);
      await connection.networkHelpers.time.increaseTo(start + 1_000);
      expect(await vault.nextUnlock()).to.equal(0n);
    });
  });

  describe("delegate", () => {
    it("test_LetsLockedTokensVoteForWhomTheBeneficiaryChooses", async () => {
      const { opg, alice, bob } = fixture;
      const vault = await createGrant(fixture, { beneficiary: alice.address });
      await expect(vault.connect(bob).delegate(bob.address))
        .to.be.revertedWithCustomError(vault, "VestingVault_NotBeneficiary")
        .withArgs(alice.address, bob.address);
      await vault.connect(alice).delegate(bob.address);
      expect(await opg.getVotes(bob.address)).to.equal(1_000n * OPG_UNIT);
    });
  });

  describe("hand over", () => {
    it("test_HandsOverByAnOfferAndItsAcceptance", async () => {
      const { opg, alice, bob, carol } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, transferability: TRANSFERABLE, total: 100n },
        ...{ start: TGE, end: TGE + 100 },
      });
      await expect(vault.connect(bob).transferBeneficiary(bob.address))
        .to.be.revertedWithCustomError(vault, "VestingVault_NotBeneficiary")
        .withArgs(alice.address, bob.address);
      await expect(vault.connect(alice).transferBeneficiary(bob.address))
        .to.emit(vault, "BeneficiaryTransferStarted")
        .withArgs(alice.address, bob.address);
      expect(await vault.beneficiary()).to.equal(alice.address);
      await expect(vault.connect(carol).acceptBeneficiary())
        .to.be.revertedWithCustomError(vault, "VestingVault_NotPendingBeneficiary")
        .withArgs(bob.address, carol.address);
      await expect(vault.connect(bob).acceptBeneficiary())
        .to.emit(vault, "BeneficiaryTransferred")
        .withArgs(alice.address, bob.address);
      await expect(vault.connect(bob).acceptBeneficiary()).to.be.revertedWithCustomError(
        vault,
        "VestingVault_NotPendingBeneficiary",
      );

      await at(TGE + 100);
      await vault.release();
      expect(await opg.balanceOf(bob.address)).to.equal(100n);
      expect(await opg.balanceOf(alice.address)).to.equal(0n);
      await expect(vault.connect(alice).delegate(alice.address)).to.be.revertedWithCustomError(
        vault,
        "VestingVault_NotBeneficiary",
      );
    });

    it("test_WithdrawsAnOfferBeforeItIsAccepted", async () => {
      const { alice, bob, ethers } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, transferability: TRANSFERABLE },
      });
      await vault.connect(alice).transferBeneficiary(bob.address);
      await vault.connect(alice).transferBeneficiary(ethers.ZeroAddress);
      await expect(vault.connect(bob).acceptBeneficiary()).to.be.revertedWithCustomError(
        vault,
        "VestingVault_NotPendingBeneficiary",
      );
    });
  });

  describe("revoke", () => {
    const revocable = async () => {
      const { alice, bob, carol } = fixture;
      const vault = await createGrant(fixture, {
        ...{ beneficiary: alice.address, total: 100n, start: TGE, end: TGE + 100 },
        ...{ revoker: bob.address, refundTo: carol.address },
      });
      return { vault, ...fixture };
    };

    it("test_RevokesWhatIsNotVestedAndLeavesWhatIs", async () => {
      const { vault, opg, alice, bob, carol } = await revocable();
      await at(TGE + 30);
      await expect(vault.connect(bob).revoke())
        .to.emit(vault, "Revoked")
        .withArgs(carol.address, 70n);
      expect(await opg.balanceOf(carol.address)).to.equal(70n);
      expect(await vault.revokedAt()).to.equal(TGE + 30);
      for (const time of [TGE + 30, TGE + 31, TGE + 100, TGE + 1_000_000]) {
        expect(await vault.vested(time)).to.equal(30n);
      }
      expect(await vault.vested(TGE + 10)).to.equal(10n);
      expect(await vault.nextUnlock()).to.equal(0n);
      await at(TGE + 1_000_000);
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(30n);
      expect(await vault.released()).to.equal(30n);
      await expect(vault.connect(bob).revoke()).to.be.revertedWithCustomError(
        vault,
        "VestingVault_AlreadyRevoked",
      );
    });

    it("test_TakesNothingBackThatWasReleasedOrVested", async () => {
      const { vault, opg, alice, bob } = await revocable();
      await at(TGE + 60);
      await vault.release();
      await connection.networkHelpers.time.increaseTo(TGE + 100);
      await expect(vault.connect(bob).revoke()).to.be.revertedWithCustomError(
        vault,
        "VestingVault_NothingToRevoke",
      );
      await vault.release();
      expect(await opg.balanceOf(alice.address)).to.equal(100n);
    });

    it("test_RevertWhen_AnotherThanTheRevokerRevokes", async () => {
      const { vault, alice, bob, stranger } = await revocable();
      for (const caller of [alice, stranger]) {
        await expect(vault.connect(caller).revoke())
          .to.be.revertedWithCustomError(vault, "VestingVault_NotRevoker")
          .withArgs(bob.address, caller.address);
      }
    });

    it("test_RevertWhen_GrantOfInvestorsOrFoundationIsRevoked", async () => {
      const { vaultsOf, timelock, genesis, ethers, opg } = fixture;
      const governance = await timelock.getAddress();
      await connection.networkHelpers.impersonateAccount(governance);
      await connection.networkHelpers.setBalance(governance, 10n ** 18n);
      const signer = await ethers.getSigner(governance);
      for (const allocation of [0, 1, 3, 4]) {
        for (const vault of await vaultsOf(allocation)) {
          await expect(vault.connect(signer).revoke())
            .to.be.revertedWithCustomError(vault, "VestingVault_NotRevoker")
            .withArgs(ethers.ZeroAddress, governance);
        }
      }
      const ecosystem = await genesis.ecosystemVault();
      const before = await opg.balanceOf(ecosystem);
      const [vault] = await vaultsOf(2);
      if (vault === undefined) throw new Error("no vault");
      await vault.connect(signer).revoke();
      expect((await opg.balanceOf(ecosystem)) - before).to.equal(50_000_000n * OPG_UNIT + 1n);
    });
  });

  describe("factory", () => {
    it("test_WritesTheTermsIntoTheCodeOfTheVault", async () => {
      const { alice, bob, carol, factory } = fixture;
      for (const revocation of [{}, { revoker: bob.address, refundTo: carol.address }]) {
        const overrides = {
          ...{ beneficiary: alice.address, total: 2n ** 80n + 5n, tgeAmount: 2n ** 79n + 3n },
          ...{ tge: 0x7766554433, start: 0x8877665544, end: 0x9988776655, transferability: 2 },
          ...revocation,
        };
        const vault = await createGrant(fixture, overrides);
        const expected = Object.values(grantTerms(overrides));
        expect([...(await vault.terms())].map(String)).to.deep.equal(expected.map(String));
        expect(await factory.isVault(await vault.getAddress())).to.equal(true);
      }
    });

    it("test_TellsVaultsFromOtherAccounts", async () => {
      const { factory, opg, alice, ethers } = fixture;
      for (const account of [
        await factory.implementation(),
        await opg.getAddress(),
        alice.address,
      ]) {
        expect(await factory.isVault(account)).to.equal(false);
      }
      const implementation = await ethers.getContractAt(
        "VestingVault",
        await factory.implementation(),
      );
      await expect(implementation.release()).to.be.revertedWithCustomError(
        implementation,
        "VestingVault_NotAVault",
      );
    });

    it("test_RevertWhen_TermsMakeNoSense", async () => {
      const { factory, opg, liquidity, alice, ethers } = fixture;
      await opg.connect(liquidity).approve(await factory.getAddress(), ethers.MaxUint256);
      const creation = (overrides: Record<string, unknown>) =>
        expect(
          factory
            .connect(liquidity)
            .create(grantTerms({ beneficiary: alice.address, ...overrides })),
          JSON.stringify(overrides, (_, value) =>
            typeof value === "bigint" ? String(value) : value,
          ),
        ).to.be;
      for (const overrides of [
        { total: 0n },
        { total: 10n, tgeAmount: 11n },
        { tge: TGE + 2, start: TGE + 1, end: TGE + 3 },
        { start: TGE + 5, end: TGE + 5 },
        { start: TGE + 5, end: TGE + 4 },
      ]) {
        await creation(overrides).revertedWithCustomError(
          factory,
          "VestingFactory_ScheduleInvalid",
        );
      }
      for (const beneficiary of [ethers.ZeroAddress, await opg.getAddress()]) {
        await creation({ beneficiary })
          .revertedWithCustomError(factory, "VestingFactory_BeneficiaryInvalid")
          .withArgs(beneficiary);
      }
      for (const overrides of [
        { revoker: alice.address },
        { refundTo: alice.address },
        { revoker: alice.address, refundTo: await opg.getAddress() },
      ]) {
        await creation(overrides).revertedWithCustomError(
          factory,
          "VestingFactory_RevocationInvalid",
        );
      }
      await expect(factory.createBatch([])).to.be.revertedWithCustomError(
        factory,
        "VestingFactory_BatchEmpty",
      );
    });

    it("test_MakesAllGrantsOfABatchOrNoneAndKeepsNothing", async () => {
      const { factory, opg, liquidity, alice } = fixture;
      const terms = [1n, 2n, 3n].map((total) => grantTerms({ beneficiary: alice.address, total }));
      const address = await factory.getAddress();
      await opg.connect(liquidity).approve(address, 5n);
      await expect(factory.connect(liquidity).createBatch(terms)).to.be.revertedWithCustomError(
        opg,
        "ERC20InsufficientAllowance",
      );
      expect(await eventsOf(factory, "GrantCreated")).to.have.length(6); // the genesis ones
      await opg.connect(liquidity).approve(address, 6n);
      const vaults = await factory.connect(liquidity).createBatch.staticCall(terms);
      await factory.connect(liquidity).createBatch(terms);
      for (const [i, vault] of vaults.entries()) {
        expect(await opg.balanceOf(vault)).to.equal(BigInt(i + 1));
      }
      expect(await opg.allowance(liquidity.address, address)).to.equal(0n);
      expect(await opg.balanceOf(address)).to.equal(0n);
    });
  });
});
