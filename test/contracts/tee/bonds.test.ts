import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { network } from "hardhat";
import {
  admit,
  deployRegistry,
  loadAtItsTime,
  makeEnclave,
  makeRegistration,
  now,
  wire,
} from "../utils/attestationFixture.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const AMOUNT = 1_000n * 10n ** 18n;
const RELEASE_DELAY = 21n * 24n * 60n * 60n;
const MAXIMUM_HOLD = 60n * 24n * 60n * 60n;
const RETIRED = 3n;
const EXPELLED = 5n;

async function deployWithBonds() {
  const registryFixture = await deployRegistry(connection);
  const { ethers, manager, registry, governance, operator } = registryFixture;
  const token = await ethers.deployContract("OPG", [operator.address, await manager.getAddress()]);
  const bonds = await ethers.deployContract("NodeBonds", [
    await manager.getAddress(),
    await token.getAddress(),
    await registry.getAddress(),
  ]);
  await wire(manager, "NodeBonds", bonds);
  await registry.connect(governance).setBonds(await bonds.getAddress());
  await bonds.connect(governance).setAmount(AMOUNT);
  await token.connect(operator).approve(await bonds.getAddress(), AMOUNT);
  return { ...registryFixture, token, bonds };
}

describe("NodeBonds", () => {
  let f: Awaited<ReturnType<typeof deployWithBonds>>;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployWithBonds);
  });
  const held = async () => f.token.balanceOf(await f.bonds.getAddress());
  /** a node whose operator has left a bond */
  const bonded = async () => (await admit(f)).teeId;
  const retired = async () => {
    const teeId = await bonded();
    await f.registry.connect(f.operator).retireTEE(teeId);
    return teeId;
  };

  it("test_AdmissionTakesTheBond", async () => {
    const before = await f.token.balanceOf(f.operator);
    const teeId = await bonded();
    expect(await f.bonds.bondOf(teeId)).to.deep.equal([f.operator.address, AMOUNT]);
    expect(await held()).to.equal(AMOUNT);
    expect(await f.token.balanceOf(f.operator)).to.equal(before - AMOUNT);
  });

  it("test_RevertWhen_OperatorHasNotApprovedTheBond", async () => {
    await f.token.connect(f.operator).approve(await f.bonds.getAddress(), AMOUNT - 1n);
    const enclave = await makeEnclave(f);
    const registration = await makeRegistration(f, enclave);
    await expect(
      f.registry.connect(f.operator).register(registration, GAS),
    ).to.be.revertedWithCustomError(f.token, "ERC20InsufficientAllowance");
    await expect(f.lens.getNode(enclave.teeId)).to.be.revertedWithCustomError(
      f.registry,
      "TEERegistry_NodeUnknown",
    );
  });

  it("test_NoBondWhileTheAmountIsZero", async () => {
    await f.bonds.connect(f.governance).setAmount(0n);
    const teeId = await bonded();
    expect(await held()).to.equal(0n);
    await f.registry.connect(f.operator).retireTEE(teeId);
    await expect(f.bonds.release(teeId)).to.be.revertedWithCustomError(f.bonds, "NodeBonds_NoBond");
  });

  it("test_NodesWithoutABondOutliveTheAmount", async () => {
    await f.registry.connect(f.governance).setBonds(ZeroAddress);
    const teeId = await bonded();
    await f.registry.connect(f.governance).setBonds(await f.bonds.getAddress());
    expect(await f.registry.isTEEActive(teeId)).to.equal(true);
    expect(await held()).to.equal(0n);
  });

  it("test_RenewalTakesNoSecondBond", async () => {
    const { enclave, teeId } = await admit(f);
    const documentTime = (await now(f)) + 1n;
    await f.networkHelpers.time.increaseTo(documentTime);
    const again = await makeRegistration(f, enclave, { documentTime });
    await f.registry.connect(f.operator).renew(teeId, again, GAS);
    expect(await held()).to.equal(AMOUNT);
  });

  it("test_AnyonePaysTheBondBackAfterTheWait", async () => {
    const teeId = await retired();
    const before = await f.token.balanceOf(f.operator);
    const earliest = (await now(f)) + RELEASE_DELAY;
    await f.networkHelpers.time.setNextBlockTimestamp(earliest - 1n);
    await expect(f.bonds.connect(f.attacker).release(teeId))
      .to.be.revertedWithCustomError(f.bonds, "NodeBonds_TooEarly")
      .withArgs(earliest, earliest - 1n);
    await f.networkHelpers.time.setNextBlockTimestamp(earliest);
    await expect(f.bonds.connect(f.attacker).release(teeId))
      .to.emit(f.bonds, "BondReleased")
      .withArgs(teeId, f.operator.address, AMOUNT);
    expect(await f.token.balanceOf(f.operator)).to.equal(before + AMOUNT);
    await expect(f.bonds.release(teeId)).to.be.revertedWithCustomError(f.bonds, "NodeBonds_NoBond");
  });

  it("test_ReplacedBondsArePaidBackByTheOldContract", async () => {
    const teeId = await retired();
    await f.registry.connect(f.governance).setBonds(ZeroAddress);
    await f.networkHelpers.time.increase(RELEASE_DELAY);
    await f.bonds.release(teeId);
    expect(await held()).to.equal(0n);
  });

  it("test_RevertWhen_NodeHasNotRetired", async () => {
    const teeId = await bonded();
    await f.networkHelpers.time.increase(RELEASE_DELAY);
    await expect(f.bonds.release(teeId))
      .to.be.revertedWithCustomError(f.bonds, "NodeBonds_StatusInvalid")
      .withArgs(teeId, RETIRED, 1n);
    await f.registry.connect(f.operator).disableTEE(teeId);
    await f.networkHelpers.time.increase(RELEASE_DELAY);
    await expect(f.bonds.release(teeId)).to.be.revertedWithCustomError(
      f.bonds,
      "NodeBonds_StatusInvalid",
    );
    // Time out of service before does not count.
    await f.registry.connect(f.operator).retireTEE(teeId);
    await expect(f.bonds.release(teeId)).to.be.revertedWithCustomError(
      f.bonds,
      "NodeBonds_TooEarly",
    );
  });

  it("test_ANodeThatRetiresToGetAwayIsBannedAndForfeits", async () => {
    const teeId = await retired();
    await f.networkHelpers.time.increase(RELEASE_DELAY - 10n);
    await f.registry.connect(f.guardian).banTEE(teeId);
    await f.networkHelpers.time.increase(RELEASE_DELAY);
    await expect(f.bonds.release(teeId)).to.be.revertedWithCustomError(
      f.bonds,
      "NodeBonds_TooEarly",
    );
    await expect(f.bonds.connect(f.governance).forfeit(teeId, f.payee))
      .to.emit(f.bonds, "BondForfeited")
      .withArgs(teeId, f.payee.address, AMOUNT);
    expect(await f.token.balanceOf(f.payee)).to.equal(AMOUNT);
    expect(await held()).to.equal(0n);
  });

  it("test_TheWaitStartsAnewAfterALiftedBan", async () => {
    const teeId = await bonded();
    await f.registry.connect(f.guardian).banTEE(teeId);
    await f.networkHelpers.time.increase(RELEASE_DELAY);
    await f.registry.connect(f.governance).liftBan(teeId);
    await f.registry.connect(f.operator).retireTEE(teeId);
    await expect(f.bonds.release(teeId)).to.be.revertedWithCustomError(
      f.bonds,
      "NodeBonds_TooEarly",
    );
  });

  describe("attacks", () => {
    const statusOf = async (teeId: string) => (await f.lens.getNode(teeId)).status;
    /** Refused one second before, and paid to the operator, by a stranger's call, at that time. */
    const leavesAt = async (teeId: string, earliest: bigint) => {
      expect(await f.bonds.releasableAt(teeId)).to.equal(earliest);
      await f.networkHelpers.time.setNextBlockTimestamp(earliest - 1n);
      await expect(f.bonds.connect(f.attacker).release(teeId))
        .to.be.revertedWithCustomError(f.bonds, "NodeBonds_TooEarly")
        .withArgs(earliest, earliest - 1n);
      await f.networkHelpers.time.setNextBlockTimestamp(earliest);
      await expect(f.bonds.connect(f.attacker).release(teeId))
        .to.emit(f.bonds, "BondReleased")
        .withArgs(teeId, f.operator.address, AMOUNT);
      expect(await f.bonds.hasLeft(teeId)).to.equal(true);
    };

    it("test_GuardianWhoBansARetiredNodeHoldsItsBondForABoundedTime", async () => {
      const teeId = await retired();
      await f.registry.connect(f.guardian).banTEE(teeId);
      expect(await statusOf(teeId)).to.equal(EXPELLED);
      await leavesAt(teeId, (await now(f)) + MAXIMUM_HOLD);
    });

    it("test_GuardianWhoBansALiveNodeHoldsItsBondForABoundedTime", async () => {
      const teeId = await bonded();
      await f.registry.connect(f.guardian).banTEE(teeId);
      await f.networkHelpers.time.increase(MAXIMUM_HOLD);
      await f.registry.connect(f.operator).retireTEE(teeId);
      expect(await statusOf(teeId)).to.equal(EXPELLED);
      await expect(f.registry.connect(f.guardian).banTEE(teeId)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_StatusInvalid",
      );
      await leavesAt(teeId, (await now(f)) + MAXIMUM_HOLD);
    });

    it("test_DeniedOperatorCannotRetireAndTakeTheBond_ButWithinABoundedTime", async () => {
      const teeId = await bonded();
      await f.registry.connect(f.guardian).denyOperator(f.operator);
      await f.registry.connect(f.operator).retireTEE(teeId);
      await leavesAt(teeId, (await now(f)) + MAXIMUM_HOLD);
    });

    it("test_OperatorWhoRetiredBeforeHeWasDeniedIsHeldToo_AndForfeits", async () => {
      const teeId = await retired();
      await f.networkHelpers.time.increase(RELEASE_DELAY - 10n);
      await f.registry.connect(f.guardian).denyOperator(f.operator);
      await f.networkHelpers.time.increase(RELEASE_DELAY);
      await expect(f.bonds.release(teeId)).to.be.revertedWithCustomError(
        f.bonds,
        "NodeBonds_TooEarly",
      );
      await f.bonds.connect(f.governance).forfeit(teeId, f.payee);
      expect(await f.token.balanceOf(f.payee)).to.equal(AMOUNT);
    });

    it("test_LiftedBanRevivesNoNodeWhoseBondWasPaidBack", async () => {
      const teeId = await retired();
      await f.networkHelpers.time.increase(RELEASE_DELAY);
      await f.bonds.release(teeId);
      await f.registry.connect(f.guardian).banTEE(teeId);
      await f.registry.connect(f.governance).liftBan(teeId);
      expect(await statusOf(teeId)).to.equal(RETIRED);
      await expect(f.registry.connect(f.operator).enableTEE(teeId)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_StatusInvalid",
      );
    });

    it("test_LiftedBanRevivesNoNodeWhoseBondWasForfeited", async () => {
      const teeId = await bonded();
      await f.registry.connect(f.guardian).banTEE(teeId);
      await f.bonds.connect(f.governance).forfeit(teeId, f.payee);
      await f.registry.connect(f.governance).liftBan(teeId);
      expect(await statusOf(teeId)).to.equal(RETIRED);
    });
  });

  it("test_RevertWhen_ForfeitedNodeIsNotBanned", async () => {
    const teeId = await retired();
    const bonds = f.bonds.connect(f.governance);
    await expect(bonds.forfeit(teeId, f.payee)).to.be.revertedWithCustomError(
      f.bonds,
      "NodeBonds_StatusInvalid",
    );
    await f.registry.connect(f.guardian).banTEE(teeId);
    await expect(bonds.forfeit(teeId, ZeroAddress)).to.be.revertedWithCustomError(
      f.bonds,
      "NodeBonds_ReceiverZero",
    );
  });

  it("test_RevertWhen_CallerHasNoRight", async () => {
    const teeId = await bonded();
    const bonds = f.bonds.connect(f.attacker);
    await expect(bonds.lock(teeId, f.operator)).to.be.revertedWithCustomError(
      f.bonds,
      "NodeBonds_NotTheRegistry",
    );
    for (const call of [() => bonds.forfeit(teeId, f.attacker), () => bonds.setAmount(0n)]) {
      await expect(call()).to.be.revertedWithCustomError(f.bonds, "AccessManagedUnauthorized");
    }
    await expect(
      f.registry.connect(f.attacker).setBonds(ZeroAddress),
    ).to.be.revertedWithCustomError(f.registry, "AccessManagedUnauthorized");
  });

  it("test_RevertWhen_NotAContract", async () => {
    const { ethers, governance, attacker, registry, manager, token } = f;
    await expect(
      registry.connect(governance).setBonds(attacker.address),
    ).to.be.revertedWithCustomError(registry, "TEERegistry_NotAContract");
    const given = [
      await manager.getAddress(),
      await token.getAddress(),
      await registry.getAddress(),
    ] as const;
    for (const at of given.keys()) {
      const [authority, asset, target] = given.map((address, i) =>
        i === at ? attacker.address : address,
      );
      await expect(
        ethers.deployContract("NodeBonds", [authority ?? "", asset ?? "", target ?? ""]),
      ).to.be.revertedWithCustomError(f.bonds, "NodeBonds_NotAContract");
    }
  });
});
