import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { channelAccount } from "@haca/protocol/pageOpening";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import { id, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import {
  type Channel,
  type ChannelFixture,
  channelOf,
  channelResult,
  count,
  DELAY,
  DEPOSIT,
  deployChannels,
  finalPage,
  fund,
  gateTerms,
  openingOf,
  pageOfResults,
  voucher,
} from "../utils/channelFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import { ALL_KINDS, FEE, FEE_BPS, KIND, PRICE } from "../utils/escrowFixture.ts";
import {
  challenge,
  DAY,
  HOUR,
  makePage,
  PARAMETERS,
  propose,
  sign,
  unsigned,
} from "../utils/pageFixture.ts";

const connection = await network.create();
const deploy = () => deployChannels(connection);
const MUCH = 50n * PRICE;
/** Of OpenZeppelin's guard. */
const GUARDED = id("ReentrancyGuardReentrantCall()").slice(0, 10);

describe("ChannelGate", () => {
  let f: ChannelFixture;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  const byAnyone = () => f.gate.connect(f.attacker);
  const refused = (call: Promise<unknown>, error: string, by: unknown = f.gate) =>
    expect(call).to.be.revertedWithCustomError(by as typeof f.gate, error);
  const settleAlone = async (result: InferenceResult) => {
    await f.settlement.connect(f.attacker).settleTee(result, sign(f, result));
  };
  const countAlone = async (index: number, overrides: Partial<InferenceResult> = {}) => {
    const result = await channelResult(f, index, overrides);
    await settleAlone(result);
    return byAnyone().countResult(f.channelId, result, KIND.TEE);
  };
  const claim = async (most: bigint, channel: Channel = f.channel, signer = f.payer) =>
    byAnyone().claim([await voucher(f, channel, most, signer)]);
  const claimed = async (channelId = f.channelId) => (await f.batch.channels(channelId))[1];
  const balanceOf = (account: string) => f.token.balanceOf(account);
  const resultsAt = (places: readonly number[], overrides: Partial<InferenceResult> = {}) =>
    Promise.all(places.map((place) => channelResult(f, place, overrides)));

  describe("what is proven", () => {
    it("test_CountsResultsOfAFinalPage_AndPaysThem", async () => {
      const page = await finalPage(f, await resultsAt([0, 5, 6, 255]));
      await expect(count(f, openingOf(f, page, [0, 5, 255])))
        .to.emit(f.gate, "ResultsCounted")
        .withArgs(f.channelId, page.header.ledgerPage, 1n | (1n << 5n) | (1n << 255n), 3n * PRICE);
      expect(await f.gate.isCounted(openedId(5))).to.equal(true);
      expect(await f.gate.isCounted(openedId(6))).to.equal(false);
      await claim(MUCH);
      expect(await claimed()).to.equal(3n * PRICE);
      const before = await balanceOf(f.seller.address);
      await expect(byAnyone().collect(f.channel.token))
        .to.emit(f.gate, "Collected")
        .withArgs(f.channel.token, 3n * PRICE, 3n * FEE);
      expect(await balanceOf(f.seller.address)).to.equal(before + 3n * (PRICE - FEE));
      expect(await balanceOf(f.feeReceiver.address)).to.equal(3n * FEE);
      expect(await balanceOf(await f.gate.getAddress())).to.equal(0n);
    });

    it("test_CountsAResultThatWasSettledAlone", async () => {
      await countAlone(3);
      expect(await f.gate.provenOf(f.channelId)).to.equal(PRICE);
      await claim(MUCH);
      expect(await claimed()).to.equal(PRICE);
    });

    it("test_LeavesOutWhatWasCounted_AndRefusesNothingNew", async () => {
      const page = await finalPage(f, await resultsAt([1, 2, 3]));
      await count(f, openingOf(f, page, [2]));
      await refused(count(f, openingOf(f, page, [2])), "ChannelGate_NothingNew");
      await count(f, openingOf(f, page, [1, 2, 3]));
      expect(await f.gate.provenOf(f.channelId)).to.equal(3n * PRICE);
      await countAlone(4);
      const again = await channelResult(f, 4);
      await refused(byAnyone().countResult(f.channelId, again, KIND.TEE), "ChannelGate_NotSettled");
      await refused(count(f, openingOf(f, page, [])), "PageOpening_RecordsInvalid");
    });

    it("test_RevertWhen_AResultThatWasSettledAloneComesTwice", async () => {
      const result = await channelResult(f, 3);
      await settleAlone(result);
      await byAnyone().countResult(f.channelId, result, KIND.TEE);
      await refused(
        byAnyone().countResult(f.channelId, result, KIND.TEE),
        "ChannelGate_NothingNew",
      );
    });

    it("test_RevertWhen_AResultStandsTwiceInOneCall", async () => {
      const page = await finalPage(f, await resultsAt([1, 2]));
      const { header, sections, siblings } = openingOf(f, page, [1, 2]);
      const [section] = sections;
      if (!section) throw new Error("no section");
      await refused(
        byAnyone().countPage(header, [section, section], siblings),
        "PageOpening_IndexTwice",
      );
    });

    it("test_RevertWhen_ThePageIsNotFinal", async () => {
      const page = pageOfResults(f, await resultsAt([1]));
      const opening = openingOf(f, page, [1]);
      await refused(count(f, opening), "ChannelGate_PageNotFinal");
      await propose(f, page);
      await refused(count(f, opening), "ChannelGate_PageNotFinal");
      await f.networkHelpers.time.increase(PARAMETERS.longRoad + 1n);
      await count(f, opening);
    });

    it("test_RevertWhen_ThePageWasRejectedOrDisproved", async () => {
      const content = async (place: number, bad: number) => {
        const result = await channelResult(f, place);
        const page = makePage(f, {
          [place]: { result, signature: sign(f, result) },
          ...(await unsigned(f, bad)),
        });
        await propose(f, page);
        return page;
      };
      const rejected = await content(1, 2);
      await challenge(f, rejected, 2);
      await refused(count(f, openingOf(f, rejected, [1])), "ChannelGate_PageNotFinal");
      // The rejection took the whole deposit.
      await f.token.approve(f.pages, DEPOSIT);
      await f.pages.deposit(f.operator.address, DEPOSIT);
      const disproved = await content(3, 4);
      await f.networkHelpers.time.increase(PARAMETERS.longRoad + 1n);
      await challenge(f, disproved, 4);
      await refused(count(f, openingOf(f, disproved, [3])), "ChannelGate_PageNotFinal");
    });

    it("test_RevertWhen_APriceOrAnythingElseIsAnother", async () => {
      const page = await finalPage(f, await resultsAt([1, 2]));
      const opening = openingOf(f, page, [1, 2]);
      const [section] = opening.sections;
      if (!section) throw new Error("no section");
      // A byte of each: timestamp, price, inputHash, outputHash, hash of the signature.
      for (const byte of [5, 21, 22, 54, 117]) {
        const at = 2 + 2 * byte;
        const changed = (Number.parseInt(section.records.slice(at, at + 2), 16) ^ 1)
          .toString(16)
          .padStart(2, "0");
        const records = `${section.records.slice(0, at)}${changed}${section.records.slice(at + 2)}`;
        await refused(
          count(f, { ...opening, sections: [{ ...section, records }] }),
          "ChannelGate_NotIncluded",
        );
      }
      const other = { ...section, modelVersion: id("other version") };
      await refused(count(f, { ...opening, sections: [other] }), "ChannelGate_NotIncluded");
      await count(f, opening);
    });

    it("test_RevertWhen_TheHashesAreTooFewOrTooMany_OrTheRecordsCutOff", async () => {
      const page = await finalPage(f, await resultsAt([1, 2]));
      const opening = openingOf(f, page, [1, 2]);
      const { siblings, sections } = opening;
      const [section] = sections;
      if (!section) throw new Error("no section");
      for (const wrong of [siblings.slice(0, -1), [...siblings, id("more")]]) {
        await refused(count(f, { ...opening, siblings: wrong }), "PageOpening_SiblingsInvalid");
      }
      for (const records of ["0x", section.records.slice(0, -2), `${section.records}00`]) {
        await refused(
          count(f, { ...opening, sections: [{ ...section, records }] }),
          "PageOpening_RecordsInvalid",
        );
      }
    });

    it("test_RevertWhen_ThePageDidNotTakeTheRequest", async () => {
      await settleAlone(await channelResult(f, 1, { outputHash: id("settled alone") }));
      const page = await finalPage(f, await resultsAt([1, 2]));
      const header = { ...page.header, bitmap: 1n << 2n };
      const opening = openingOf(f, { ...page, header }, [1, 2]);
      await expect(count(f, opening))
        .to.be.revertedWithCustomError(f.gate, "ChannelGate_NotTaken")
        .withArgs(1n << 1n);
      await count(f, openingOf(f, { ...page, header }, [2]));
    });
  });

  describe("results that are not the channel's", () => {
    it("test_RevertWhen_TheyAreAnotherChannelsOrAnotherPayers", async () => {
      const sister = await channelOf(f, { salt: id("sister") });
      const stranger = await channelOf(f, { payer: f.otherPayer.address });
      for (const channel of [sister, stranger]) {
        await fund(f, channel);
        const otherId = await f.batch.getChannelId(channel);
        const result = await channelResult(f, channel === sister ? 1 : 2);
        await settleAlone(result);
        await refused(
          byAnyone().countResult(otherId, result, KIND.TEE),
          "ChannelGate_WrongRequester",
        );
      }
      const page = await finalPage(f, await resultsAt([5, 6]));
      const sisterId = await f.batch.getChannelId(sister);
      await refused(count(f, openingOf(f, page, [5, 6], sisterId)), "ChannelGate_NotIncluded");
      await count(f, openingOf(f, page, [5, 6]));
      await refused(claim(MUCH, sister), "ChannelGate_NothingToClaim");
      await refused(claim(MUCH, stranger, f.otherPayer), "ChannelGate_NothingToClaim");
    });

    it("test_RevertWhen_TheyNameThePayerAndNotTheChannel", async () => {
      await refused(countAlone(1, { requester: f.payer.address }), "ChannelGate_WrongRequester");
      await refused(countAlone(2, { requester: ZeroAddress }), "ChannelGate_WrongRequester");
    });

    it("test_RevertWhen_TheyAreAnotherNodes", async () => {
      const terms = await gateTerms(f, { node: f.node.address });
      await f.gates.open(terms);
      const gate = f.gate.attach(await f.gates.gateOf(terms)) as typeof f.gate;
      const page = await finalPage(f, await resultsAt([1]));
      const { header, sections, siblings } = openingOf(f, page, [1]);
      await expect(gate.countPage(header, sections, siblings))
        .to.be.revertedWithCustomError(gate, "ChannelGate_WrongNode")
        .withArgs(f.node.address, nodeOfEnclave(f.enclave.teeId));
      const result = await channelResult(f, 2);
      await settleAlone(result);
      await refused(gate.countResult(f.channelId, result, KIND.TEE), "ChannelGate_WrongNode");
    });

    it("test_RevertWhen_TheTermsDoNotLetTheirKindCount", async () => {
      for (const [kinds, isPage] of [
        [4n, true],
        [64n, false],
      ] as const) {
        const terms = await gateTerms(f, { kinds });
        await f.gates.open(terms);
        const gate = f.gate.attach(await f.gates.gateOf(terms)) as typeof f.gate;
        const result = await channelResult(f, isPage ? 1 : 2);
        if (isPage) {
          const page = await finalPage(f, [result]);
          const { header, sections, siblings } = openingOf(f, page, [1]);
          await refused(gate.countPage(header, sections, siblings), "ChannelGate_KindNotAccepted");
        } else {
          await settleAlone(result);
          await refused(
            gate.countResult(f.channelId, result, KIND.TEE),
            "ChannelGate_KindNotAccepted",
          );
        }
      }
    });

    it("test_RevertWhen_OneWasNotSettled_OrAsAnotherKind_OrWithAnotherPrice", async () => {
      const result = await channelResult(f, 3);
      const counting = (given: InferenceResult, kind = KIND.TEE) =>
        byAnyone().countResult(f.channelId, given, kind);
      await refused(counting(result), "ChannelGate_NotSettled");
      await settleAlone(result);
      await refused(counting({ ...result, price: PRICE + 1n }), "ChannelGate_NotSettled");
      await refused(counting(result, KIND.ZKML), "ChannelGate_NotSettled");
      await refused(counting(result, KIND.Vanilla), "ChannelGate_KindNotAccepted");
      await counting(result);
    });
  });

  describe("claim", () => {
    it("test_NeverClaimsAboveTheProvenSum_HoweverHighTheVoucher", async () => {
      await refused(claim(DEPOSIT), "ChannelGate_NothingToClaim");
      await countAlone(1);
      await claim(DEPOSIT);
      expect(await claimed()).to.equal(PRICE);
      // The same voucher again, and a newer one, bring nothing.
      await refused(claim(DEPOSIT), "ChannelGate_NothingToClaim");
      await refused(claim(DEPOSIT - 1n), "ChannelGate_NothingToClaim");
      expect(await claimed()).to.equal(PRICE);
    });

    it("test_NeverClaimsAboveTheVoucher_NorAboveWhatIsInTheChannel", async () => {
      await countAlone(1, { price: 2n * DEPOSIT });
      await claim(PRICE);
      expect(await claimed()).to.equal(PRICE);
      await refused(claim(PRICE), "ChannelGate_NothingToClaim");
      await claim(3n * DEPOSIT);
      expect(await claimed()).to.equal(DEPOSIT);
      await fund(f, f.channel, PRICE);
      await claim(3n * DEPOSIT);
      expect(await claimed()).to.equal(DEPOSIT + PRICE);
    });

    it("test_RevertWhen_TheVoucherIsNotThePayers_OrOfAnotherChannel", async () => {
      await countAlone(1);
      await refused(claim(MUCH, f.channel, f.otherPayer), "InvalidSignature", f.batch);
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
        await refused(claim(MUCH, channel), "ChannelGate_NotReceiver");
      }
    });

    it("test_NobodyClaimsPastTheGate", async () => {
      await countAlone(1);
      const { channel, maxClaimableAmount, signature } = await voucher(f, f.channel, MUCH);
      const claims = [
        { voucher: { channel, maxClaimableAmount }, signature, totalClaimed: MUCH },
      ] as const;
      const direct = f.batch.connect(f.seller) as typeof f.batch;
      await refused(direct.getFunction("claim")(claims), "NotAuthorizedToClaim", f.batch);
      // As a contract the gate could only answer for a signature; it answers for none.
      const digest = await f.batch.getFunction("getClaimBatchDigest")(claims);
      const signed = f.seller.signingKey.sign(digest).serialized;
      for (const given of ["0x", signed]) {
        await refused(
          direct.getFunction("claimWithSignature")(claims, given),
          "InvalidSignature",
          f.batch,
        );
      }
    });

    it("test_ClaimsDuringAPendingWithdrawal_AndNothingAfterIt", async () => {
      await countAlone(1);
      const asPayer = f.batch.connect(f.payer) as typeof f.batch;
      await asPayer.getFunction("initiateWithdraw")(f.channel, DEPOSIT);
      await claim(MUCH);
      expect(await claimed()).to.equal(PRICE);
      await countAlone(2);
      await f.networkHelpers.time.increase(DELAY);
      await asPayer.getFunction("finalizeWithdraw")(f.channel);
      await refused(claim(MUCH), "ChannelGate_NothingToClaim");
      expect(await claimed()).to.equal(PRICE);
    });

    it("test_GoesWithCountingAndCollectingIntoOneTransaction", async () => {
      const page = await finalPage(f, await resultsAt([1, 2]));
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
      await countAlone(1);
      await claim(MUCH);
      await refused(byAnyone().refund(f.channel, DEPOSIT), "ChannelGate_NotParty");
      await refused(f.gate.connect(f.payer).refund(f.channel, DEPOSIT), "ChannelGate_NotParty");
      const before = await balanceOf(f.payer.address);
      await f.gate.connect(f.seller).refund(f.channel, DEPOSIT);
      expect(await balanceOf(f.payer.address)).to.equal(before + DEPOSIT - PRICE);
      // What was proven since finds the channel empty.
      await countAlone(2);
      await refused(claim(MUCH), "ChannelGate_NothingToClaim");
      await byAnyone().collect(f.channel.token);
      expect(await balanceOf(f.feeReceiver.address)).to.equal(FEE);
    });
  });

  describe("tokens that refuse or call", () => {
    const hostileChannel = async () => {
      const token = await deployMock(f.ethers, "HostileToken");
      const channel = await channelOf(f, { token: token.target });
      await token.getFunction("transfer")(f.payer.address, DEPOSIT);
      await (token.connect(f.payer) as typeof token).getFunction("approve")(
        f.collector.target,
        DEPOSIT,
      );
      await fund(f, channel);
      const channelId = await f.batch.getChannelId(channel);
      const result = await channelResult(f, 9, { requester: channelAccount(channelId) });
      await settleAlone(result);
      await byAnyone().countResult(channelId, result, KIND.TEE);
      await claim(MUCH, channel);
      return token;
    };
    const held = (token: Awaited<ReturnType<typeof hostileChannel>>, account: string) =>
      token.getFunction("balanceOf")(account);

    it("test_CreditsWhomATokenRefuses_AndPaysTheOther", async () => {
      const token = await hostileChannel();
      await token.getFunction("setBlocked")(f.seller.address, true);
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
      await token.getFunction("arm")(await f.gate.getAddress(), data);
      await byAnyone().collect(token.target);
      expect(await token.getFunction("calls")()).to.be.greaterThan(1n);
      expect(await token.getFunction("successes")()).to.equal(0n);
      expect(await token.getFunction("refusal")()).to.equal(GUARDED);
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
      await countAlone(1);
      await claim(MUCH);
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
      expect(await f.gates.leastWithdrawDelay()).to.equal(HOUR + PARAMETERS.longRoad + DAY);
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

  const openedId = (index: number) =>
    encodeRequestId({ node: nodeOfEnclave(f.enclave.teeId), nonce: BigInt(index) });
});
