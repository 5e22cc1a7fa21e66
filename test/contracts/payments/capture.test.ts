import { ESCROW_KINDS, escrowJobId } from "@haca/protocol/inferenceEscrow";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { PERMIT2_ADDRESS } from "@x402/evm";
import { expect } from "chai";
import { id, ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import {
  balances,
  deployEscrow,
  type EscrowFixture,
  FEE,
  type Job,
  KIND,
  MOST,
  openJob,
  PRICE,
  paidResult,
  requestOfNode,
  STATUS,
  settleAlone,
  settleProved,
} from "../utils/escrowFixture.ts";
import { answerAt, optimisticPage, proofOf } from "../utils/optimisticFixture.ts";
import {
  challenge,
  DAY,
  HOUR,
  leafOf,
  makePage,
  PARAMETERS,
  type Page,
  propose,
  sign,
} from "../utils/pageFixture.ts";

const connection = await network.create();
const deploy = () => deployEscrow(connection);

describe("InferenceEscrow: capture", () => {
  let f: EscrowFixture;
  let job: Job;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    job = await openJob(f);
  });

  const byAnyone = () => f.escrow.connect(f.attacker);
  const capture = (result: InferenceResult, of = job, kind = KIND.TEE) =>
    byAnyone().capture(of, result, kind);
  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.escrow, error);
  const statusOf = (of: Job) => f.escrow.statusOf(escrowJobId(of));
  /** Settles a result that differs from the one that is paid for, and tries to capture by it. */
  const captureOther = async (overrides: Partial<InferenceResult>, of = job) => {
    const result = await paidResult(f, 3, overrides);
    await settleAlone(f, result);
    return capture(result, of);
  };

  describe("by a result that was settled alone", () => {
    it("test_PaysPriceAndFee_AndGivesTheRestBack", async () => {
      const before = await balances(f);
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      const { payee, token } = job.terms;
      const isCaptured = (by = payee) => f.escrow.isCaptured(result.requestId, by, token);
      expect(await isCaptured()).to.equal(false);
      await expect(capture(result))
        .to.emit(f.escrow, "JobCaptured")
        .withArgs(escrowJobId(job), result.requestId, PRICE, FEE);
      expect(await balances(f)).to.deep.equal({
        payer: before.payer + MOST - PRICE,
        payee: before.payee + PRICE - FEE,
        fees: before.fees + FEE,
        held: 0n,
      });
      expect(await statusOf(job)).to.equal(STATUS.Captured);
      expect(await isCaptured()).to.equal(true);
      expect(await isCaptured(f.attacker.address)).to.equal(false);
    });

    it("test_PaysAProvedResult", async () => {
      const requestHash = await requestOfNode(f, 12);
      const terms = { node: f.node.address, requestHash };
      const proved = await openJob(f, { terms, nonce: 8n });
      const result = await settleProved(f, 12n);
      await expectRefusal(capture(result, proved, KIND.TEE), "CaptureRules_NotSettled");
      await capture(result, proved, KIND.ZKML);
      expect(await statusOf(proved)).to.equal(STATUS.Captured);
    });

    it("test_PaysTheWholeAmount_WithoutAFee", async () => {
      await f.escrow.connect(f.governance).setFee(0n, ZeroAddress);
      const free = await openJob(f, { terms: { feeBps: 0n }, nonce: 8n });
      const result = await paidResult(f, 3, { price: MOST });
      await settleAlone(f, result);
      const before = await balances(f);
      await capture(result, free);
      const after = await balances(f);
      expect(after).to.deep.equal({
        ...before,
        payee: before.payee + MOST,
        held: before.held - MOST,
      });
    });

    it("test_KeepsToTheTermsOfTheOpening_WhateverGovernanceSetsLater", async () => {
      await f.escrow.connect(f.governance).setFee(1_000n, f.attacker.address);
      await f.escrow.connect(f.governance).setToken(await f.token.getAddress(), false);
      const before = await balances(f);
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await capture(result);
      expect((await balances(f)).fees).to.equal(before.fees + FEE);
      expect(await f.token.balanceOf(f.attacker.address)).to.equal(0n);
    });
  });

  describe("by a result that is not the job's", () => {
    it("test_RevertWhen_ItIsSomebodyElses", async () => {
      await expectRefusal(
        captureOther({ requester: f.otherPayer.address }),
        "CaptureRules_WrongRequester",
      );
      await f.networkHelpers.mine();
      const ofNobody = await paidResult(f, 4, { requester: ZeroAddress });
      await settleAlone(f, ofNobody);
      await expectRefusal(capture(ofNobody), "CaptureRules_WrongRequester");
    });

    it("test_RevertWhen_ItIsAnotherNodes", async () => {
      const requestHash = await requestOfNode(f, 12);
      const ofEnclave = await openJob(f, { terms: { requestHash }, nonce: 8n });
      const result = await settleProved(f, 12n);
      await expect(capture(result, ofEnclave, KIND.ZKML))
        .to.be.revertedWithCustomError(f.escrow, "CaptureRules_WrongNode")
        .withArgs(nodeOfEnclave(f.enclave.teeId), f.node.address);
    });

    it("test_RevertWhen_ItIsOfAnotherRequest", async () => {
      await expectRefusal(
        captureOther({ inputHash: id("other question") }),
        "CaptureRules_WrongRequest",
      );
    });

    it("test_RevertWhen_ItHasNoPrice", async () => {
      // Nothing was kept of it that would say which one it was.
      await expectRefusal(captureOther({ price: 0n }), "CaptureRules_NotSettled");
    });

    it("test_RevertWhen_ItCostsMoreThanIsHeld", async () => {
      await expect(captureOther({ price: MOST + 1n }))
        .to.be.revertedWithCustomError(f.escrow, "CaptureRules_PriceInvalid")
        .withArgs(MOST, MOST + 1n);
    });

    it("test_RevertWhen_ItWasNotSettled_OrAnotherOneWas", async () => {
      const result = await paidResult(f, 3);
      await expectRefusal(capture(result), "CaptureRules_NotSettled");
      await settleAlone(f, result);
      for (const other of [
        ...[
          { price: PRICE + 1n },
          { outputHash: id("other") },
          { timestamp: result.timestamp + 1n },
        ],
        ...[
          { requester: f.otherPayer.address },
          { teeId: ZeroHash },
          { modelVersion: id("other") },
        ],
        { requestId: encodeRequestId({ node: nodeOfEnclave(f.enclave.teeId), nonce: 4n }) },
      ]) {
        await expectRefusal(capture({ ...result, ...other }), "CaptureRules_NotSettled");
      }
      await capture(result);
    });

    it("test_RevertWhen_OnlyAVanillaResultIsUnderItsRequest", async () => {
      const requestHash = id("vanilla question");
      const terms = { node: f.node.address, requestHash };
      const ofNode = await openJob(f, { terms, nonce: 8n });
      const { result } = await answerAt(f, 12, {
        ...{ requester: f.payer.address, price: PRICE, inputHash: requestHash },
      });
      await f.settlement.connect(f.node).settleVanilla(result, 0n, "0x");
      expect(await f.settlement.isRecordedVanilla(result.requestId)).to.equal(true);
      for (const kind of [KIND.ZKML, KIND.TEE]) {
        await expectRefusal(capture(result, ofNode, kind), "CaptureRules_NotSettled");
      }
      await expect(capture(result, ofNode, KIND.Vanilla)).to.revert(f.ethers);
    });

    it("test_RevertWhen_TheTermsDoNotLetItsKindCount", async () => {
      const kinds = ESCROW_KINDS.zkml | ESCROW_KINDS.teePage;
      const provedOnly = await openJob(f, { terms: { kinds }, nonce: 8n });
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await expect(capture(result, provedOnly))
        .to.be.revertedWithCustomError(f.escrow, "CaptureRules_KindNotAccepted")
        .withArgs(kinds, ESCROW_KINDS.tee);
    });
  });

  describe("more than once", () => {
    it("test_RevertWhen_TheJobWasCaptured", async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await capture(result);
      await expectRefusal(capture(result), "CaptureRules_AlreadyCaptured");
      const second = await paidResult(f, 4);
      await settleAlone(f, second);
      await expect(capture(second))
        .to.be.revertedWithCustomError(f.escrow, "InferenceEscrow_JobNotInStatus")
        .withArgs(escrowJobId(job), STATUS.Captured);
    });

    it("test_RevertWhen_OneResultIsToPayTwoEqualJobs", async () => {
      const twin = await openJob(f, { nonce: 8n });
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await capture(result);
      await expect(capture(result, twin))
        .to.be.revertedWithCustomError(f.escrow, "CaptureRules_AlreadyCaptured")
        .withArgs(result.requestId);
      const second = await paidResult(f, 4);
      await settleAlone(f, second);
      await capture(second, twin);
      expect((await balances(f)).held).to.equal(0n);
    });

    it("test_IsNotKeptFromThePayee_ByAJobThatPaysThePayerThemselves", async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      const own = await openJob(f, { terms: { payee: f.payer.address }, nonce: 8n });
      await f.escrow.connect(f.payer).capture(own, result, KIND.TEE);
      const dust = await deployMock(f.ethers, "HostileToken");
      await f.escrow.connect(f.governance).setToken(dust.target, true);
      await dust.transfer(f.payer.address, MOST);
      const held = await f.ethers.getContractAt("OPG", dust.target);
      await held.connect(f.payer).approve(PERMIT2_ADDRESS, MOST);
      const inDust = await openJob(f, { terms: { token: dust.target }, nonce: 9n });
      await capture(result, inDust);
      expect(await dust.balanceOf(f.seller.address)).to.equal(PRICE - FEE);

      const before = await balances(f);
      await capture(result);
      expect((await balances(f)).payee).to.equal(before.payee + PRICE - FEE);
    });

    it("test_RevertWhen_TheJobIsUnknown_OrNotWhatWasOpened", async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await expectRefusal(
        capture(result, { ...job, nonce: 99n }),
        "InferenceEscrow_JobNotInStatus",
      );
      for (const other of [
        ...[{ amount: MOST + 1n }, { deadline: job.deadline + 1n }],
        { feeReceiver: f.attacker.address },
        { terms: { ...job.terms, payee: f.attacker.address } },
        { terms: { ...job.terms, feeBps: 0n } },
        { terms: { ...job.terms, token: f.attacker.address } },
        { terms: { ...job.terms, captureWindow: 1n } },
      ]) {
        await expectRefusal(capture(result, { ...job, ...other }), "InferenceEscrow_WrongJob");
      }
      expect(await statusOf(job)).to.equal(STATUS.Open);
    });
  });

  describe("at the deadline", () => {
    it("test_PaysInTheLastSecondBeforeIt", async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await f.networkHelpers.time.setNextBlockTimestamp(job.deadline - 1n);
      await capture(result);
    });

    it("test_RevertWhen_ItHasCome", async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await f.networkHelpers.time.setNextBlockTimestamp(job.deadline);
      await expect(capture(result))
        .to.be.revertedWithCustomError(f.escrow, "CaptureRules_TooLate")
        .withArgs(job.deadline, job.deadline);
    });

    it("test_RevertWhen_TheJobWasRefunded", async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await f.networkHelpers.time.setNextBlockTimestamp(job.deadline);
      await byAnyone().refund(job);
      await expectRefusal(capture(result), "CaptureRules_TooLate");
    });
  });

  describe("by a result in a page", () => {
    const EMPTY_HANDED = "CaptureRules_PageNotFinal";
    const pageOf = async (...results: [index: number, result: InferenceResult][]): Promise<Page> =>
      makePage(
        f,
        Object.fromEntries(
          results.map(([index, result]) => [index, { result, signature: sign(f, result) }]),
        ),
      );
    const fromPage = (page: Page, index: number, of = job) =>
      byAnyone().captureFromPage(of, page.header, leafOf(page, index));
    const becomeFinal = async (proposedAt: bigint) =>
      f.networkHelpers.time.increaseTo(proposedAt + PARAMETERS.longRoad + 1n);

    it("test_PaysOnceThePageIsFinal_AndNotBefore", async () => {
      const before = await balances(f);
      const result = await paidResult(f, 3);
      const page = await pageOf([3, result]);
      const refused = (state: bigint) =>
        expect(fromPage(page, 3))
          .to.be.revertedWithCustomError(f.escrow, EMPTY_HANDED)
          .withArgs(state);
      await refused(0n);
      await propose(f, page);
      const proposedAt = await now(f);
      await refused(1n);
      await f.networkHelpers.time.setNextBlockTimestamp(proposedAt + PARAMETERS.longRoad);
      await refused(1n);
      await f.networkHelpers.time.setNextBlockTimestamp(proposedAt + PARAMETERS.longRoad + 1n);
      await expect(fromPage(page, 3))
        .to.emit(f.escrow, "JobCaptured")
        .withArgs(escrowJobId(job), result.requestId, PRICE, FEE);
      expect(await balances(f)).to.deep.equal({
        payer: before.payer + MOST - PRICE,
        payee: before.payee + PRICE - FEE,
        fees: before.fees + FEE,
        held: 0n,
      });
      await expectRefusal(fromPage(page, 3), "CaptureRules_AlreadyCaptured");
    });

    it("test_TheLeastWindowOutlastsALeafThatIsAskedForInTheLastMoment", async () => {
      const captureWindow = await f.escrow.leastWindow(ESCROW_KINDS.teePage);
      const least = await openJob(f, { terms: { captureWindow }, nonce: 8n });
      const openedAt = await now(f);
      const result = await paidResult(f, 3);
      const page = await pageOf([3, result]);
      await f.networkHelpers.time.setNextBlockTimestamp(openedAt + HOUR);
      await propose(f, page);
      const pageId = await f.pages.pageIdOf(page.header);
      const { until } = await f.pages.stateOfPage(pageId);
      await f.networkHelpers.time.setNextBlockTimestamp(until - (await f.pages.ANSWER_TIME()));
      await f.pages.connect(f.watcher).requestLeaf(page.header, 3);
      const { deadline } = await f.pages.leafRequestOf(pageId, 3);
      await f.networkHelpers.time.setNextBlockTimestamp(deadline);
      await f.pages.answerLeaves([{ header: page.header, leaf: leafOf(page, 3) }]);
      const last = (await f.pages.stateOfPage(pageId)).until;
      expect(last).to.equal(until + DAY);
      expect(least.deadline - last).to.equal(DAY);
      await f.networkHelpers.time.setNextBlockTimestamp(least.deadline - 1n);
      await expect(fromPage(page, 3, least))
        .to.emit(f.escrow, "JobCaptured")
        .withArgs(escrowJobId(least), result.requestId, PRICE, FEE);
    });

    it("test_RevertWhen_ThePageWasRejected_AndPaysTheResultThatSettlesAgain", async () => {
      const good = await paidResult(f, 3);
      const bad = await paidResult(f, 5, { timestamp: (await now(f)) + 10n * DAY });
      const page = await pageOf([3, good], [5, bad]);
      await propose(f, page);
      await challenge(f, page, 5);
      await f.networkHelpers.time.increase(PARAMETERS.longRoad);
      await expect(fromPage(page, 3))
        .to.be.revertedWithCustomError(f.escrow, EMPTY_HANDED)
        .withArgs(0n);
      await f.pages.settleAgain(page.header, leafOf(page, 3));
      await capture(good);
      expect(await statusOf(job)).to.equal(STATUS.Captured);
    });

    it("test_RevertWhen_ThePageIsDisproved", async () => {
      const bad = await paidResult(f, 5, { timestamp: (await now(f)) + 10n * DAY });
      const page = await pageOf([3, await paidResult(f, 3)], [5, bad]);
      await propose(f, page);
      await becomeFinal(await now(f));
      await challenge(f, page, 5);
      await expect(fromPage(page, 3))
        .to.be.revertedWithCustomError(f.escrow, EMPTY_HANDED)
        .withArgs(4n);
    });

    it("test_RevertWhen_TheResultIsNotInThePage", async () => {
      const page = await pageOf([3, await paidResult(f, 3)], [4, await paidResult(f, 4)]);
      await propose(f, page);
      await becomeFinal(await now(f));
      const leaf = leafOf(page, 3);
      const header = page.header;
      const of = (change: object) =>
        byAnyone().captureFromPage(job, header, { ...leaf, ...change });
      for (const change of [
        ...[{ index: 4 }, { signature: "0x" }, { siblings: leafOf(page, 4).siblings }],
        { result: { ...leaf.result, price: PRICE + 1n } },
        { result: await paidResult(f, 6), index: 6 },
      ]) {
        await expect(of(change)).to.be.revertedWithCustomError(f.escrow, EMPTY_HANDED).withArgs(0n);
      }
      // A header that nobody proposed.
      const other = { ...header, kind: 3n };
      await expectRefusal(byAnyone().captureFromPage(job, other, leaf), EMPTY_HANDED);
    });

    it("test_RevertWhen_ItHasNoPrice_OrIsNotTheJobs", async () => {
      const wrong = [
        [{ price: 0n }, "CaptureRules_PriceInvalid"],
        [{ price: MOST + 1n }, "CaptureRules_PriceInvalid"],
        [{ requester: f.otherPayer.address }, "CaptureRules_WrongRequester"],
        [{ inputHash: id("other question") }, "CaptureRules_WrongRequest"],
      ] as const;
      const results: [number, InferenceResult][] = [];
      for (const [index, [overrides]] of wrong.entries()) {
        results.push([index, await paidResult(f, index, overrides)]);
      }
      const page = await pageOf(...results);
      await propose(f, page);
      await becomeFinal(await now(f));
      for (const [index, [, error]] of wrong.entries()) {
        await expectRefusal(fromPage(page, index), error);
      }
      const ofNode = await openJob(f, { terms: { node: f.node.address }, nonce: 9n });
      await expectRefusal(fromPage(page, 0, ofNode), "CaptureRules_WrongNode");
    });

    it("test_RevertWhen_TheTermsLetOnlySingleResultsCount", async () => {
      const kinds = ESCROW_KINDS.tee | ESCROW_KINDS.zkml | ESCROW_KINDS.optimisticPage;
      const single = await openJob(f, { terms: { kinds }, nonce: 8n });
      const page = await pageOf([3, await paidResult(f, 3)]);
      await propose(f, page);
      await becomeFinal(await now(f));
      await expect(fromPage(page, 3, single))
        .to.be.revertedWithCustomError(f.escrow, "CaptureRules_KindNotAccepted")
        .withArgs(kinds, ESCROW_KINDS.teePage);
    });

    it("test_RevertWhen_ThePageIsFinalAtTheDeadline", async () => {
      const page = await pageOf([3, await paidResult(f, 3)]);
      await propose(f, page);
      await f.networkHelpers.time.setNextBlockTimestamp(job.deadline);
      await expectRefusal(fromPage(page, 3), "CaptureRules_TooLate");
      await byAnyone().refund(job);
      await expectRefusal(fromPage(page, 3), "CaptureRules_TooLate");
    });

    it("test_RevertWhen_OneResultIsToPayAJobAloneAndAnotherFromAPage", async () => {
      const twin = await openJob(f, { nonce: 8n });
      const result = await paidResult(f, 3);
      const page = await pageOf([3, result]);
      await propose(f, page);
      await becomeFinal(await now(f));
      await fromPage(page, 3);
      await expectRefusal(fromPage(page, 3, twin), "CaptureRules_AlreadyCaptured");
      await expectRefusal(capture(result, twin), "CaptureRules_NotSettled");
    });

    it("test_PaysFromAnOptimisticPage_AndWhatWasProvedInItOnce", async () => {
      const terms = { node: f.node.address, requestHash: await requestOfNode(f, 7) };
      const ofNode = await openJob(f, { terms, nonce: 8n });
      const twin = await openJob(f, { terms, nonce: 9n });
      const answer = await answerAt(f, 7, { requester: f.payer.address, price: PRICE });
      const page = optimisticPage(f, { 7: answer });
      await propose(f, page, f.node);
      await expectRefusal(fromPage(page, 7, ofNode), EMPTY_HANDED);
      // Proved, it is settled alone and for good, and counts at once.
      await f.pages.connect(f.watcher).demandProof(page.header, 7);
      await f.pages.proveLeaf(...proofOf(f, page, 7, answer.words));
      await capture(answer.result, ofNode, KIND.ZKML);
      await expectRefusal(fromPage(page, 7, twin), "CaptureRules_AlreadyCaptured");
    });

    it("test_PaysFromAnOptimisticPage_WhenItIsFinal", async () => {
      const terms = { node: f.node.address, requestHash: await requestOfNode(f, 7) };
      const ofNode = await openJob(f, { terms, nonce: 8n });
      const answer = await answerAt(f, 7, { requester: f.payer.address, price: PRICE });
      const page = optimisticPage(f, { 7: answer });
      await propose(f, page, f.node);
      await becomeFinal(await now(f));
      await fromPage(page, 7, ofNode);
      expect(await statusOf(ofNode)).to.equal(STATUS.Captured);
    });
  });
});
