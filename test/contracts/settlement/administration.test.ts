import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { network } from "hardhat";
import {
  deploySettlement,
  SETTLEMENT_WINDOW,
  type SettlementFixture,
} from "../utils/settlementFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const deploy = () => deploySettlement(connection);
const HOUR = 3_600n;
const DAY = 24n * HOUR;
const ROLE = 7n;

describe("InferenceSettlement: administration", () => {
  let fixture: SettlementFixture;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
  });

  const setWindow = (window: bigint, caller = fixture.administrator) =>
    fixture.settlement.connect(caller).setSettlementWindow(window);

  it("test_Bounds", async () => {
    expect(await fixture.settlement.MINIMUM_SETTLEMENT_WINDOW()).to.equal(HOUR);
    expect(await fixture.settlement.MAXIMUM_SETTLEMENT_WINDOW()).to.equal(90n * DAY);
    expect(await fixture.settlement.MAXIMUM_CLOCK_SKEW()).to.equal(60n);
  });

  it("test_SetSettlementWindow", async () => {
    await expect(setWindow(DAY))
      .to.emit(fixture.settlement, "SettlementWindowChanged")
      .withArgs(SETTLEMENT_WINDOW, DAY);
    expect(await fixture.settlement.settlementWindow()).to.equal(DAY);
  });

  it("test_SetSettlementWindow_AtItsBounds", async () => {
    for (const window of [HOUR, 90n * DAY]) {
      await setWindow(window);
      expect(await fixture.settlement.settlementWindow()).to.equal(window);
    }
  });

  it("test_RevertWhen_WindowOutOfBounds", async () => {
    for (const window of [0n, HOUR - 1n, 90n * DAY + 1n, (1n << 64n) - 1n]) {
      await expect(setWindow(window))
        .to.be.revertedWithCustomError(
          fixture.settlement,
          "InferenceSettlement_SettlementWindowInvalid",
        )
        .withArgs(HOUR, 90n * DAY, window);
    }
    expect(await fixture.settlement.settlementWindow()).to.equal(SETTLEMENT_WINDOW);
  });

  it("test_RevertWhen_CallerHasNoRole", async () => {
    for (const caller of [fixture.owner, fixture.node, fixture.relayer]) {
      await expect(setWindow(DAY, caller))
        .to.be.revertedWithCustomError(fixture.settlement, "AccessManagedUnauthorized")
        .withArgs(caller.address);
    }
  });

  it("test_RevertWhen_RoleHolderSkipsTheDelay", async () => {
    const { accessManager, settlement, relayer } = fixture;
    const target = await settlement.getAddress();
    const selector = settlement.interface.getFunction("setSettlementWindow").selector;
    const data = settlement.interface.encodeFunctionData("setSettlementWindow", [DAY]);
    await accessManager.setTargetFunctionRole(target, [selector], ROLE);
    await accessManager.grantRole(ROLE, relayer.address, DAY);

    await expect(setWindow(DAY, relayer)).to.be.revertedWithCustomError(
      accessManager,
      "AccessManagerNotScheduled",
    );
    await accessManager.connect(relayer).schedule(target, data, 0n);
    await expect(setWindow(DAY, relayer)).to.be.revertedWithCustomError(
      accessManager,
      "AccessManagerNotReady",
    );
    await networkHelpers.time.increase(DAY);
    await setWindow(DAY, relayer);
    expect(await settlement.settlementWindow()).to.equal(DAY);
  });

  it("test_RevertWhen_RoleWasRevoked", async () => {
    const { accessManager, settlement, relayer } = fixture;
    const selector = settlement.interface.getFunction("setSettlementWindow").selector;
    await accessManager.setTargetFunctionRole(await settlement.getAddress(), [selector], ROLE);
    await accessManager.grantRole(ROLE, relayer.address, 0n);
    await setWindow(DAY, relayer);
    await accessManager.revokeRole(ROLE, relayer.address);
    await expect(setWindow(2n * DAY, relayer)).to.be.revertedWithCustomError(
      settlement,
      "AccessManagedUnauthorized",
    );
  });

  describe("constructor", () => {
    const create = async (overrides: { authority?: string; registry?: string; window?: bigint }) =>
      ethers.deployContract("InferenceSettlement", [
        overrides.authority ?? (await fixture.accessManager.getAddress()),
        overrides.registry ?? (await fixture.registry.getAddress()),
        overrides.window ?? SETTLEMENT_WINDOW,
      ]);

    it("test_RevertWhen_AuthorityOrARegistryIsNoContract", async () => {
      for (const name of ["authority", "registry"]) {
        await expect(create({ [name]: fixture.node.address }))
          .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_NotAContract")
          .withArgs(fixture.node.address);
      }
    });

    it("test_RevertWhen_WindowOutOfBounds", async () => {
      await expect(create({ window: HOUR - 1n })).to.be.revertedWithCustomError(
        fixture.settlement,
        "InferenceSettlement_SettlementWindowInvalid",
      );
    });

    it("test_ReadsBackWhatItWasGiven", async () => {
      expect(await fixture.settlement.authority()).to.equal(
        await fixture.accessManager.getAddress(),
      );
      expect(await fixture.settlement.modelRegistry()).to.equal(
        await fixture.registry.getAddress(),
      );
      expect(await fixture.settlement.teeRegistry()).to.equal(ZeroAddress);
      expect(await fixture.settlement.settlementWindow()).to.equal(SETTLEMENT_WINDOW);
    });
  });

  it("test_NamesTheTEERegistryOnce", async () => {
    const { settlement, registry, node } = fixture;
    const address = await registry.getAddress();
    await expect(settlement.setTeeRegistry(node.address))
      .to.be.revertedWithCustomError(settlement, "InferenceSettlement_NotAContract")
      .withArgs(node.address);
    await expect(settlement.connect(node).setTeeRegistry(address))
      .to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized")
      .withArgs(node.address);
    await expect(settlement.setTeeRegistry(address))
      .to.emit(settlement, "TEERegistrySet")
      .withArgs(address);
    expect(await settlement.teeRegistry()).to.equal(address);
    await expect(settlement.setTeeRegistry(await settlement.getAddress()))
      .to.be.revertedWithCustomError(settlement, "InferenceSettlement_TEERegistryIsSet")
      .withArgs(address);
  });

  describe("writers of the ledger", () => {
    it("test_SetLedgerWriter", async () => {
      const { settlement, registry } = fixture;
      const writer = await registry.getAddress();
      for (const allowed of [true, false]) {
        await expect(settlement.setLedgerWriter(writer, allowed))
          .to.emit(settlement, "LedgerWriterChanged")
          .withArgs(writer, allowed);
        expect(await settlement.isLedgerWriter(writer)).to.equal(allowed);
      }
    });

    it("test_RevertWhen_CallerMayNotSetWriters", async () => {
      const { settlement, registry, node } = fixture;
      await expect(settlement.connect(node).setLedgerWriter(await registry.getAddress(), true))
        .to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized")
        .withArgs(node.address);
    });
  });
});
