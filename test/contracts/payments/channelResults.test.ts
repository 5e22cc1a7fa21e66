import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import { id, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import {
  type ChannelFixture,
  channelOf,
  channelResult,
  claim,
  count,
  countAlone,
  deployChannels,
  finalPage,
  fund,
  gateTerms,
  MUCH,
  openingOf,
  pageOfResults,
  resultsAt,
} from "../utils/channelFixture.ts";
import { FEE, KIND, PRICE, settleAlone } from "../utils/escrowFixture.ts";
import {
  challenge,
  DEPOSIT,
  makePage,
  PARAMETERS,
  propose,
  sign,
  unsigned,
} from "../utils/pageFixture.ts";

const connection = await network.create();
const deploy = () => deployChannels(connection);

describe("ChannelGate: counting", () => {
  let f: ChannelFixture;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  const byAnyone = () => f.gate.connect(f.attacker);
  const refused = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.gate, error);
  const claimed = async () => (await f.batch.channels(f.channelId))[1];
  const balanceOf = (account: string) => f.token.balanceOf(account);
  const openedId = (index: number) =>
    encodeRequestId({ node: nodeOfEnclave(f.enclave.teeId), nonce: BigInt(index) });

  describe("what is proven", () => {
    it("test_CountsResultsOfAFinalPage_AndPaysThem", async () => {
      const page = await finalPage(f, await resultsAt(f, [0, 5, 6, 255]));
      await expect(count(f, openingOf(f, page, [0, 5, 255])))
        .to.emit(f.gate, "ResultsCounted")
        .withArgs(f.channelId, page.header.ledgerPage, 1n | (1n << 5n) | (1n << 255n), 3n * PRICE);
      expect(await f.gate.isCounted(openedId(5))).to.equal(true);
      expect(await f.gate.isCounted(openedId(6))).to.equal(false);
      await claim(f, MUCH);
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
      await countAlone(f, 3);
      expect(await f.gate.provenOf(f.channelId)).to.equal(PRICE);
      await claim(f, MUCH);
      expect(await claimed()).to.equal(PRICE);
    });

    it("test_LeavesOutWhatWasCounted_AndRefusesNothingNew", async () => {
      const page = await finalPage(f, await resultsAt(f, [1, 2, 3]));
      await count(f, openingOf(f, page, [2]));
      await refused(count(f, openingOf(f, page, [2])), "ChannelGate_NothingNew");
      await count(f, openingOf(f, page, [1, 2, 3]));
      expect(await f.gate.provenOf(f.channelId)).to.equal(3n * PRICE);
      await countAlone(f, 4);
      const again = await channelResult(f, 4);
      await refused(byAnyone().countResult(f.channelId, again, KIND.TEE), "ChannelGate_NotSettled");
      await refused(count(f, openingOf(f, page, [])), "PageOpening_RecordsInvalid");
    });

    it("test_RevertWhen_AResultThatWasSettledAloneComesTwice", async () => {
      const result = await channelResult(f, 3);
      await settleAlone(f, result);
      await byAnyone().countResult(f.channelId, result, KIND.TEE);
      await refused(
        byAnyone().countResult(f.channelId, result, KIND.TEE),
        "ChannelGate_NothingNew",
      );
    });

    it("test_RevertWhen_AResultStandsTwiceInOneCall", async () => {
      const page = await finalPage(f, await resultsAt(f, [1, 2]));
      const { header, sections, siblings } = openingOf(f, page, [1, 2]);
      const [section] = sections;
      if (!section) throw new Error("no section");
      await refused(
        byAnyone().countPage(header, [section, section], siblings),
        "PageOpening_IndexTwice",
      );
    });

    it("test_RevertWhen_ThePageIsNotFinal", async () => {
      const page = pageOfResults(f, await resultsAt(f, [1]));
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
      const page = await finalPage(f, await resultsAt(f, [1, 2]));
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
      const page = await finalPage(f, await resultsAt(f, [1, 2]));
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
      await settleAlone(f, await channelResult(f, 1, { outputHash: id("settled alone") }));
      const page = await finalPage(f, await resultsAt(f, [1, 2]));
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
        await settleAlone(f, result);
        await refused(
          byAnyone().countResult(otherId, result, KIND.TEE),
          "ChannelGate_WrongRequester",
        );
      }
      const page = await finalPage(f, await resultsAt(f, [5, 6]));
      const sisterId = await f.batch.getChannelId(sister);
      await refused(count(f, openingOf(f, page, [5, 6], sisterId)), "ChannelGate_NotIncluded");
      await count(f, openingOf(f, page, [5, 6]));
      await refused(claim(f, MUCH, sister), "ChannelGate_NothingToClaim");
      await refused(claim(f, MUCH, stranger, f.otherPayer), "ChannelGate_NothingToClaim");
    });

    it("test_RevertWhen_TheyNameThePayerAndNotTheChannel", async () => {
      await refused(countAlone(f, 1, { requester: f.payer.address }), "ChannelGate_WrongRequester");
      await refused(countAlone(f, 2, { requester: ZeroAddress }), "ChannelGate_WrongRequester");
    });

    it("test_RevertWhen_TheyAreAnotherNodes", async () => {
      const terms = await gateTerms(f, { node: f.node.address });
      await f.gates.open(terms);
      const gate = f.gate.attach(await f.gates.gateOf(terms)) as typeof f.gate;
      const page = await finalPage(f, await resultsAt(f, [1]));
      const { header, sections, siblings } = openingOf(f, page, [1]);
      await expect(gate.countPage(header, sections, siblings))
        .to.be.revertedWithCustomError(gate, "ChannelGate_WrongNode")
        .withArgs(f.node.address, nodeOfEnclave(f.enclave.teeId));
      const result = await channelResult(f, 2);
      await settleAlone(f, result);
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
          await settleAlone(f, result);
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
      await settleAlone(f, result);
      await refused(counting({ ...result, price: PRICE + 1n }), "ChannelGate_NotSettled");
      await refused(counting(result, KIND.ZKML), "ChannelGate_NotSettled");
      await refused(counting(result, KIND.Vanilla), "ChannelGate_KindNotAccepted");
      await counting(result);
    });
  });
});
