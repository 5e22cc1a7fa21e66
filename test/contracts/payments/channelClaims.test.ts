import { channelAccount } from "@haca/protocol/pageOpening";
import { expect } from "chai";
import { id, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import {
  type ChannelFixture,
  channelOf,
  channelResult,
  claim,
  countAlone,
  DELAY,
  DEPOSIT,
  deployChannels,
  finalPage,
  fund,
  MUCH,
  openingOf,
  resultsAt,
  voucher,
} from "../utils/channelFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import { ALL_KINDS, FEE, FEE_BPS, KIND, PRICE, settleAlone } from "../utils/escrowFixture.ts";
import { DAY, HOUR, PARAMETERS } from "../utils/pageFixture.ts";

const connection = await network.create();
const deploy = () => deployChannels(connection);
/** Of OpenZeppelin's guard. */
const GUARDED = id("ReentrancyGuardReentrantCall()").slice(0, 10);

describe("ChannelGate: claims", () => {
  let f: ChannelFixture;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  const byAnyone = () => f.gate.connect(f.attacker);
  const refused = (call: Promise<unknown>, error: string, by: unknown = f.gate) =>
    expect(call).to.be.revertedWithCustomError(by as typeof f.gate, error);
  const claimed = async () => (await f.batch.channels(f.channelId))[1];
  const balanceOf = (account: string) => f.token.balanceOf(account);

  describe("claim", () => {
    it("test_NeverClaimsAboveTheProvenSum_HoweverHighTheVoucher", async () => {
      await refused(claim(f, DEPOSIT), "ChannelGate_NothingToClaim");
      await countAlone(f, 1);
      await claim(f, DEPOSIT);
      expect(await claimed()).to.equal(PRICE);
      // The same voucher again, and a newer one, bring nothing.
      await refused(claim(f, DEPOSIT), "ChannelGate_NothingToClaim");
      await refused(claim(f, DEPOSIT - 1n), "ChannelGate_NothingToClaim");
      expect(await claimed()).to.equal(PRICE);
    });

    it("test_NeverClaimsAboveTheVoucher_NorAboveWhatIsInTheChannel", async () => {
      await countAlone(f, 1, { price: 2n * DEPOSIT });
      await claim(f, PRICE);
      expect(await claimed()).to.equal(PRICE);
      await refused(claim(f, PRICE), "ChannelGate_NothingToClaim");
      await claim(f, 3n * DEPOSIT);
      expect(await claimed()).to.equal(DEPOSIT);
      await fund(f, f.channel, PRICE);
      await claim(f, 3n * DEPOSIT);
      expect(await claimed()).to.equal(DEPOSIT + PRICE);
    });

    it("test_RevertWhen_TheVoucherIsNotThePayers_OrOfAnotherChannel", async () => {
      await countAlone(f, 1);
      await refused(claim(f, MUCH, f.channel, f.otherPayer), "InvalidSignature", f.batch);
      const sister = await channelOf(f, { salt: id("sister") });
      const foreign = await voucher(f, sister, MUCH);
      const mixed = { ...foreign, channel: f.channel };
      await refused(byAnyone().claim([mixed]), "InvalidSignature", f.batch);
      expect(await claimed()).to.equal(0n);
    });

    it("test_RevertWhen_TheGateIsOnlyReceiverOrOnlyAuthorizer", async () => {
      for (const end of [
        { receiver: f.attacker.address },
        { receiverAuthorizer: f.attacker.address },
      ]) {
        const channel = await channelOf(f, end);
        await fund(f, channel);
        await refused(claim(f, MUCH, channel), "ChannelGate_NotReceiver");
      }
    });

    it("test_NobodyClaimsPastTheGate", async () => {
      await countAlone(f, 1);
      const { channel, maxClaimableAmount, signature } = await voucher(f, f.channel, MUCH);
      const claims = [
        { voucher: { channel, maxClaimableAmount }, signature, totalClaimed: MUCH },
      ] as const;
      const direct = f.batch.connect(f.seller) as typeof f.batch;
      await refused(direct.claim(claims), "NotAuthorizedToClaim", f.batch);
      // As a contract the gate could only answer for a signature; it answers for none.
      const digest = await f.batch.getClaimBatchDigest(claims);
      const signed = f.seller.signingKey.sign(digest).serialized;
      for (const given of ["0x", signed]) {
        await refused(direct.claimWithSignature(claims, given), "InvalidSignature", f.batch);
      }
    });

    it("test_ClaimsDuringAPendingWithdrawal_AndNothingAfterIt", async () => {
      await countAlone(f, 1);
      const asPayer = f.batch.connect(f.payer) as typeof f.batch;
      await asPayer.initiateWithdraw(f.channel, DEPOSIT);
      await claim(f, MUCH);
      expect(await claimed()).to.equal(PRICE);
      await countAlone(f, 2);
      await f.networkHelpers.time.increase(DELAY);
      await asPayer.finalizeWithdraw(f.channel);
      await refused(claim(f, MUCH), "ChannelGate_NothingToClaim");
      expect(await claimed()).to.equal(PRICE);
    });

    it("test_GoesWithCountingAndCollectingIntoOneTransaction", async () => {
      const page = await finalPage(f, await resultsAt(f, [1, 2]));
      const { header, sections, siblings } = openingOf(f, page, [1, 2]);
      const { interface: code } = f.gate;
      await byAnyone().multicall([
        code.encodeFunctionData("countPage", [header, sections, siblings]),
        code.encodeFunctionData("claim", [[await voucher(f, f.channel, MUCH)]]),
        code.encodeFunctionData("collect", [f.channel.token]),
      ]);
      expect(await balanceOf(f.feeReceiver.address)).to.equal(2n * FEE);
    });
  });

  describe("refund", () => {
    it("test_GivesThePayerBackWhatWasNotClaimed_ByThePayee", async () => {
      await countAlone(f, 1);
      await claim(f, MUCH);
      await refused(byAnyone().refund(f.channel, DEPOSIT), "ChannelGate_NotParty");
      await refused(f.gate.connect(f.payer).refund(f.channel, DEPOSIT), "ChannelGate_NotParty");
      const before = await balanceOf(f.payer.address);
      await f.gate.connect(f.seller).refund(f.channel, DEPOSIT);
      expect(await balanceOf(f.payer.address)).to.equal(before + DEPOSIT - PRICE);
      // What was proven since finds the channel empty.
      await countAlone(f, 2);
      await refused(claim(f, MUCH), "ChannelGate_NothingToClaim");
      await byAnyone().collect(f.channel.token);
      expect(await balanceOf(f.feeReceiver.address)).to.equal(FEE);
    });
  });

  describe("tokens that refuse or call", () => {
    const hostileChannel = async () => {
      const token = await deployMock(f.ethers, "HostileToken");
      const channel = await channelOf(f, { token: token.target });
      await token.transfer(f.payer.address, DEPOSIT);
      await (token.connect(f.payer) as typeof token).approve(f.collector.target, DEPOSIT);
      await fund(f, channel);
      const channelId = await f.batch.getChannelId(channel);
      const result = await channelResult(f, 9, { requester: channelAccount(channelId) });
      await settleAlone(f, result);
      await byAnyone().countResult(channelId, result, KIND.TEE);
      await claim(f, MUCH, channel);
      return token;
    };
    const held = (token: Awaited<ReturnType<typeof hostileChannel>>, account: string) =>
      token.balanceOf(account);

    it("test_CreditsWhomATokenRefuses_AndPaysTheOther", async () => {
      const token = await hostileChannel();
      await token.setBlocked(f.seller.address, true);
      await byAnyone().collect(token.target);
      expect(await f.gate.creditOf(token.target, f.seller.address)).to.equal(PRICE - FEE);
      expect(await held(token, f.feeReceiver.address)).to.equal(FEE);
      // What is credited is not shared out again.
      await expect(byAnyone().collect(token.target))
        .to.emit(f.gate, "Collected")
        .withArgs(token.target, 0n, 0n);
      const asPayee = f.gate.connect(f.seller);
      await refused(asPayee.withdrawCredit(token.target, ZeroAddress), "ChannelGate_CreditInvalid");
      await refused(
        byAnyone().withdrawCredit(token.target, f.attacker.address),
        "ChannelGate_CreditInvalid",
      );
      await asPayee.withdrawCredit(token.target, f.otherPayer.address);
      expect(await held(token, f.otherPayer.address)).to.equal(PRICE - FEE);
      await refused(
        asPayee.withdrawCredit(token.target, f.otherPayer.address),
        "ChannelGate_CreditInvalid",
      );
    });

    it("test_PaysOnce_ThoughTheTokenCallsBack", async () => {
      const token = await hostileChannel();
      const data = f.gate.interface.encodeFunctionData("collect", [token.target]);
      await token.arm(await f.gate.getAddress(), data);
      await byAnyone().collect(token.target);
      expect(await token.calls()).to.be.greaterThan(1n);
      expect(await token.successes()).to.equal(0n);
      expect(await token.refusal()).to.equal(GUARDED);
      expect(await held(token, f.seller.address)).to.equal(PRICE - FEE);
      expect(await held(token, f.feeReceiver.address)).to.equal(FEE);
    });
  });

  describe("gates", () => {
    it("test_HaveTheirTermsInTheirAddress_AndTheFeeOfTheirOpening", async () => {
      expect(await f.gate.terms()).to.deep.equal(
        Object.values({
          ...{ node: f.terms.node, payee: f.terms.payee, feeReceiver: f.terms.feeReceiver },
          ...{ feeBps: FEE_BPS, kinds: ALL_KINDS },
        }),
      );
      await f.escrow.connect(f.governance).setFee(1_000n, f.attacker.address);
      await expect(f.gates.open({ ...f.terms, payee: f.otherPayer.address }))
        .to.be.revertedWithCustomError(f.gates, "ChannelGates_FeeInvalid")
        .withArgs(1_000n, f.attacker.address);
      await countAlone(f, 1);
      await claim(f, MUCH);
      await byAnyone().collect(f.channel.token);
      expect(await balanceOf(f.feeReceiver.address)).to.equal(FEE);
      expect(await balanceOf(f.attacker.address)).to.equal(0n);
      for (const other of [
        { payee: f.attacker.address },
        { node: f.node.address },
        { kinds: 4n },
      ]) {
        expect(await f.gates.gateOf({ ...f.terms, ...other })).to.not.equal(
          await f.gate.getAddress(),
        );
      }
    });

    it("test_AreOpenedOnce_WithTermsThatMakeSense", async () => {
      await expect(f.gates.open(f.terms)).to.revert(f.ethers);
      for (const terms of [{ node: ZeroAddress }, { payee: ZeroAddress }]) {
        await refused(f.gates.open({ ...f.terms, ...terms }), "ChannelGates_AccountZero", f.gates);
      }
      for (const kinds of [0n, 1n, 8n, 16n, ALL_KINDS | 32n]) {
        await refused(f.gates.open({ ...f.terms, kinds }), "ChannelGates_KindsInvalid", f.gates);
      }
      expect(await f.gates.leastWithdrawDelay()).to.equal(HOUR + PARAMETERS.longRoad + 2n * DAY);
    });

    it("test_RevertWhen_TheyAreMadeWithAccountsWithoutCode", async () => {
      const escrow = await f.escrow.getAddress();
      for (const parts of [
        [f.attacker.address, f.batch.target],
        [escrow, f.attacker.address],
      ]) {
        await expect(f.ethers.deployContract("ChannelGates", parts))
          .to.be.revertedWithCustomError(f.gates, "ChannelGates_NotAContract")
          .withArgs(f.attacker.address);
      }
    });
  });
});
