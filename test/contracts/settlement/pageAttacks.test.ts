import { PAGE_REASONS, PAGE_STATES } from "@haca/protocol/pageSettlement";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import { network } from "hardhat";
import { admit, loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  challenge,
  DAY,
  DEPOSIT,
  deployPages,
  goodResults,
  HOUR,
  idOf,
  leafOf,
  makePage,
  makeResult,
  PARAMETERS,
  type Page,
  type PageFixture,
  propose,
  sign,
  unsigned,
} from "../utils/pageFixture.ts";

const connection = await network.create();
const deploy = () => deployPages(connection);

describe("PageSettlement: what an attacker would try", () => {
  let f: PageFixture;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.pages, error);
  const stateOf = async (of: Page) =>
    PAGE_STATES[Number((await f.pages.stateOfPage(await idOf(f, of))).state)];
  const goTo = (time: bigint) => f.networkHelpers.time.increaseTo(time);
  const endOf = async (of: Page) => (await f.pages.stateOfPage(await idOf(f, of))).until;
  const amountOf = async (of: { address: string }) => (await f.pages.accountOf(of.address)).amount;
  const topUp = async (of: { address: string }, amount = DEPOSIT) => {
    await f.token.approve(f.pages, amount);
    await f.pages.deposit(of.address, amount);
  };

  describe("the same requests under another number", () => {
    /** A request id has 248 bits of a ledger page; a number with more names the same requests and another slot. */
    for (const extra of [1n << 248n, 1n << 255n, 0xffn << 248n]) {
      it(`test_RevertWhen_TheLedgerPageIsBehindTheLast: ${extra.toString(16).slice(0, 2)}…`, async () => {
        const page = makePage(f, await goodResults(f, [0, 7]));
        await propose(f, page);
        const ledgerPage = page.header.ledgerPage + extra;
        const ghost = { ...page, header: { ...page.header, ledgerPage } };
        await expectRefusal(propose(f, ghost), "PageSettlement_WrongNode");
        const [state] = await f.pages.verifyInclusion(ghost.header, leafOf(ghost, 7));
        expect(state).to.equal(0n);
        expect(await f.settlement.occupied(ledgerPage)).to.equal(0n);
      });
    }
  });

  describe("a rejection on purpose, to settle what could not be settled", () => {
    /** A page of the attacker's making, rejected; then what `settleAgain` says to its leaf at place 7. */
    const smuggle = async (page: Page) => {
      await propose(f, page);
      await challenge(f, page, 7);
      expect(await stateOf(page)).to.equal("Rejected");
      return f.pages.settleAgain(page.header, leafOf(page, 7));
    };
    const expectBad = async (page: Page, reason: (typeof PAGE_REASONS)[number]) => {
      const { requestId } = leafOf(page, 7).result;
      await expect(smuggle(page))
        .to.be.revertedWithCustomError(f.pages, "PageSettlement_LeafIsBad")
        .withArgs(await idOf(f, page), 7, PAGE_REASONS.indexOf(reason));
      expect(await f.settlement.occupied(BigInt(requestId) >> 8n)).to.equal(0n);
    };

    it("test_RevertWhen_TheResultWasTooOld", async () => {
      const result = await makeResult(f, 7, { price: 5n });
      const page = makePage(f, { 7: { result, signature: sign(f, result) } });
      await goTo(result.timestamp + PARAMETERS.resultWindow + 1n);
      await expect(
        f.settlement.settleTee(result, leafOf(page, 7).signature),
      ).to.be.revertedWithCustomError(f.settlement, "InferenceSettlement_ResultExpired");
      await expectBad(page, "OutsideWindow");
    });

    it("test_RevertWhen_TheResultIsFromTheFuture", async () => {
      const result = await makeResult(f, 7, { timestamp: (await now(f)) + 10n * DAY });
      await expectBad(makePage(f, { 7: { result, signature: sign(f, result) } }), "OutsideWindow");
    });

    it("test_RevertWhen_ItIsAnotherRequests", async () => {
      const requestId = encodeRequestId({ node: nodeOfEnclave(f.enclave.teeId), nonce: 777n });
      const result = await makeResult(f, 7, { requestId });
      await expectBad(makePage(f, { 7: { result, signature: sign(f, result) } }), "MalformedLeaf");
    });

    it("test_RevertWhen_ItIsAnotherEnclaves", async () => {
      const { enclave, teeId } = await admit(f, { kind: "secp256k1" });
      await f.networkHelpers.time.increase(100);
      const requestId = encodeRequestId({ node: nodeOfEnclave(teeId), nonce: 7n });
      const result = await makeResult(f, 7, { teeId, requestId });
      await expectBad(
        makePage(f, { 7: { result, signature: sign(f, result, enclave) } }),
        "MalformedLeaf",
      );
    });
  });

  describe("a deposit that hides as fees", () => {
    const fee = DEPOSIT / 2n;
    let bad: Page;
    let hiding: Page;
    /** A false page, and a good one beside it, proposed when the challenge is seen, with what is in excess as its fee. */
    beforeEach(async () => {
      bad = makePage(f, await unsigned(f, 7));
      hiding = makePage(f, await goodResults(f, [8]), { fee });
      await propose(f, bad);
      await propose(f, hiding);
      await challenge(f, bad, 7);
      expect(await amountOf(f.operator)).to.equal(0n);
    });

    it("test_TheFeesOfPagesThatWereOpen_AreLostWithIt", async () => {
      await goTo((await endOf(hiding)) + 7n * DAY + 1n);
      await f.pages.releaseBonds([hiding.header]);
      expect(await amountOf(f.operator)).to.equal(0n);
      expect(await f.pages.forfeits()).to.equal((DEPOSIT - fee) / 2n + fee);
      const supply = await f.token.totalSupply();
      await f.pages.burnForfeits();
      expect(await f.token.totalSupply()).to.equal(supply - (DEPOSIT - fee) / 2n - fee);
    });

    it("test_AFeeFromALaterDeposit_ComesBack", async () => {
      await topUp(f.operator);
      const later = makePage(f, await goodResults(f, [9]), { fee });
      await propose(f, later);
      await goTo((await endOf(later)) + 7n * DAY + 1n);
      await f.pages.releaseBonds([later.header]);
      expect(await amountOf(f.operator)).to.equal(DEPOSIT);
    });
  });

  describe("answers that are overtaken", () => {
    it("test_OneAnswerOfManyGivenBefore_KeepsTheOthersFromNothing", async () => {
      const places = [0, 1, 2];
      const page = makePage(f, await goodResults(f, places));
      await propose(f, page);
      for (const index of places) await f.pages.connect(f.watcher).requestLeaf(page.header, index);
      const answers = places.map((index) => ({ header: page.header, leaf: leafOf(page, index) }));
      await goTo((await now(f)) + DAY - HOUR);
      // Whoever asked shows one of them, and has that deposit back, just before the proposer's answers.
      await f.pages.connect(f.watcher).answerLeaves(answers.slice(1, 2));
      await f.pages.connect(f.payee).answerLeaves(answers);
      const { openRequests } = await f.pages.pageOf(await idOf(f, page));
      expect(openRequests).to.equal(0n);
      expect(await amountOf(f.payee)).to.equal(50n * 10n ** 18n);
      await expectRefusal(
        f.pages.connect(f.payee).answerLeaves(answers),
        "PageSettlement_RequestInvalid",
      );
    });
  });

  describe("a proposal that is held back", () => {
    it("test_RevertWhen_TheOperatorsOwnCallComesAfterItsDeadline", async () => {
      const page = makePage(f, await goodResults(f, [0]));
      const oldest = leafOf(page, 0).result.timestamp;
      const deadline = oldest + PARAMETERS.resultWindow;
      const held = () => propose(f, page, f.operator, { signature: "0x", deadline });
      await goTo(deadline + 1n);
      await expectRefusal(held(), "PageSettlement_ProposalExpired");
      // Without a deadline it would be proposed, and be wrong.
      expect(await f.pages.judgeLeaf(page.header, leafOf(page, 0))).to.equal(
        PAGE_REASONS.indexOf("OutsideWindow"),
      );
    });

    it("test_CountsUntilTheLastSecond", async () => {
      const page = makePage(f, await goodResults(f, [0]));
      const deadline = leafOf(page, 0).result.timestamp + PARAMETERS.resultWindow;
      await f.networkHelpers.time.setNextBlockTimestamp(deadline);
      await propose(f, page, f.operator, { signature: "0x", deadline });
      await goTo(deadline + DAY);
      expect(await f.pages.judgeLeaf(page.header, leafOf(page, 0))).to.equal(0n);
    });
  });

  describe("what others do beside a page", () => {
    it("test_AShorterResultWindow_LeavesProposedPagesGood", async () => {
      const page = makePage(f, await goodResults(f, [0]));
      await f.networkHelpers.time.increase(2n * HOUR);
      await propose(f, page);
      const parameters = { ...PARAMETERS, resultWindow: HOUR };
      await f.pages.connect(f.governance).setParameters(parameters);
      expect(await f.pages.judgeLeaf(page.header, leafOf(page, 0))).to.equal(0n);
    });

    it("test_ARejection_FreesNothingOfAnotherPageOfTheLedgerPage", async () => {
      const good = makePage(f, await goodResults(f, [8]));
      const bad = makePage(f, await unsigned(f, 7));
      await propose(f, good);
      await propose(f, bad);
      await challenge(f, bad, 7);
      const { ledgerPage, bitmap } = good.header;
      expect(await f.settlement.occupied(ledgerPage)).to.equal(bitmap);
      expect(await f.settlement.heldBy(f.pages, ledgerPage)).to.equal(bitmap);
    });
  });

  describe("calldata that is no header", () => {
    it("test_RevertWhen_AWordHasBitsThatItsTypeDoesNotHave", async () => {
      const page = makePage(f, await goodResults(f, [0]));
      await propose(f, page);
      const { interface: encoder } = f.pages;
      const header = encoder.encodeFunctionData("pageIdOf", [page.header]);
      const leaf = encoder.encodeFunctionData("judgeLeaf", [page.header, leafOf(page, 0)]);
      const to = await f.pages.getAddress();
      const call = (word: number, value: bigint, data = header) => {
        const at = 10 + 64 * word;
        const other = `${data.slice(0, at)}${value.toString(16).padStart(64, "0")}${data.slice(at + 64)}`;
        return f.ethers.provider.call({ to, data: other });
      };
      expect(await call(0, 2n)).to.equal(await idOf(f, page));
      // kind, proposer, fee
      for (const [word, value] of [
        [0, 4n],
        [0, 258n],
        [6, (1n << 160n) | BigInt(f.operator.address)],
        [7, 1n << 96n],
      ] as const) {
        await expect(call(word, value)).to.revert(f.ethers);
      }
      // The leaf's place, its result's requester and time.
      const { timestamp } = leafOf(page, 0).result;
      expect(BigInt(await call(16, timestamp, leaf))).to.equal(0n);
      for (const [word, value] of [
        [9, 1n << 8n],
        [13, 1n << 160n],
        [16, (1n << 64n) | timestamp],
      ] as const) {
        await expect(call(word, value, leaf)).to.revert(f.ethers);
      }
    });
  });
});
