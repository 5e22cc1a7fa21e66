import { OPG_SUPPLY } from "@haca/protocol/allocations";
import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployToken, type TokenFixture } from "../utils/tokenFixture.ts";

describe("OPG", () => {
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

  it("test_IsOPGOf18DecimalsCountedByTimestamp", async () => {
    const { opg } = fixture;
    expect(await opg.name()).to.equal("OPG");
    expect(await opg.symbol()).to.equal("OPG");
    expect(await opg.decimals()).to.equal(18n);
    expect(await opg.SUPPLY()).to.equal(OPG_SUPPLY);
    expect(await opg.CLOCK_MODE()).to.equal("mode=timestamp");
    expect(await opg.clock()).to.equal(BigInt(await connection.networkHelpers.time.latest()));
  });

  it("test_CanOnlyShrink", async () => {
    const { opg, liquidity } = fixture;
    await opg.connect(liquidity).burn(5n);
    expect(await opg.totalSupply()).to.equal(OPG_SUPPLY - 5n);
    opg.interface.forEachFunction(({ name }) => {
      expect(name).to.not.match(/mint|pause|own|upgrade|admin|role|blacklist|freeze|initiali/i);
    });
  });

  it("test_BurnsAnothersTokensOnlyWithTheirAllowance", async () => {
    const { opg, liquidity, alice } = fixture;
    await expect(opg.connect(alice).burnFrom(liquidity.address, 1n)).to.be.revertedWithCustomError(
      opg,
      "ERC20InsufficientAllowance",
    );
    await opg.connect(liquidity).approve(alice.address, 1n);
    await opg.connect(alice).burnFrom(liquidity.address, 1n);
    expect(await opg.totalSupply()).to.equal(OPG_SUPPLY - 1n);
  });

  it("test_CountsVotesAtAPastSecond_RevertWhen_ItIsThePresent", async () => {
    const { opg, liquidity, alice } = fixture;
    const { time } = connection.networkHelpers;
    await opg.connect(alice).delegate(alice.address);
    await opg.connect(liquidity).transfer(alice.address, 9n);
    const then = await time.latest();
    await expect(opg.getPastVotes(alice.address, then)).to.be.revertedWithCustomError(
      opg,
      "ERC5805FutureLookup",
    );
    await time.increase(10);
    await opg.connect(alice).transfer(liquidity.address, 9n);
    await time.increase(1);
    expect(await opg.getPastVotes(alice.address, then)).to.equal(9n);
    expect(await opg.getVotes(alice.address)).to.equal(0n);
  });
});
