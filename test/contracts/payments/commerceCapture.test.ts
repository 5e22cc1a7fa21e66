import { type CommerceJob, commerceHash } from "@haca/protocol/commercePayments";
import { ESCROW_KINDS } from "@haca/protocol/inferenceEscrow";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import { id, ZeroHash } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  type CommerceFixture,
  commerceBalances,
  deployCommerce,
  makeOperator,
  OPERATOR_STATUS,
  openCommerce,
  openHostile,
  skipWhereMissing,
} from "../utils/commerceFixture.ts";
import {
  FEE,
  KIND,
  MOST,
  PRICE,
  paidResult,
  requestOfNode,
  settleAlone,
  settleProved,
} from "../utils/escrowFixture.ts";
import { withOtherEnd } from "../utils/otherEnd.ts";
import {
  challenge,
  DAY,
  leafOf,
  makePage,
  PARAMETERS,
  type Page,
  propose,
  sign,
} from "../utils/pageFixture.ts";

const connection = await network.create();

for (const variant of ["1.1", "genuine"] as const) {
  const deploy = () => deployCommerce(connection, variant);

  describe(`CommerceOperator: capture, escrow ${variant}`, () => {
    let f: CommerceFixture;
    let job: CommerceJob;

    before(function () {
      skipWhereMissing(this, variant);
    });

    beforeEach(async () => {
      f = await loadAtItsTime(connection, deploy);
      job = await openCommerce(f);
    });

    const hashOf = (of: CommerceJob) =>
      commerceHash({ chainId: f.chainId, escrow: f.addresses.escrow }, of.payment);
    const byAnyone = (operator = f.commerceOperator) => operator.connect(f.attacker);
    const capture = (
      result: InferenceResult,
      of = job,
      kind = KIND.TEE,
      operator = f.commerceOperator,
    ) => byAnyone(operator).capture(of, result, kind);
    const expectRefusal = (call: Promise<unknown>, error: string) =>
      expect(call).to.be.revertedWithCustomError(f.commerceOperator, error);
    const statusOf = (of: CommerceJob) => f.commerceOperator.statusOf(of.payment);
    const settled = async (index = 3, overrides: Partial<InferenceResult> = {}) => {
      const result = await paidResult(f, index, overrides);
      await settleAlone(f, result);
      return result;
    };
    const captureOther = async (overrides: Partial<InferenceResult>) =>
      capture(await settled(3, overrides));

    describe("by a result that was settled alone", () => {
      it("test_PaysPriceAndFee_AndGivesTheRestBack", async () => {
        const before = await commerceBalances(f, job);
        const result = await settled();
        expect(await f.commerceOperator.isCaptured(result.requestId)).to.equal(false);
        await expect(capture(result))
          .to.emit(f.commerceOperator, "JobCaptured")
          .withArgs(hashOf(job), result.requestId, PRICE, FEE);
        expect(await commerceBalances(f, job)).to.deep.equal({
          ...{ payer: before.payer + MOST - PRICE, payee: before.payee + PRICE - FEE },
          ...{ fees: before.fees + FEE, operator: 0n, held: 0n },
        });
        expect(await statusOf(job)).to.equal(OPERATOR_STATUS.Captured);
        expect(await f.commerceOperator.isCaptured(result.requestId)).to.equal(true);
      });

      it("test_PaysTheWholeAmount", async () => {
        const before = await commerceBalances(f, job);
        await capture(await settled(3, { price: MOST }));
        const after = await commerceBalances(f, job);
        expect([after.payer, after.held]).to.deep.equal([before.payer, 0n]);
        expect(after.payee + after.fees).to.equal(before.payee + before.fees + MOST);
      });

      it("test_PaysAProvedResult", async () => {
        const operator = await makeOperator(f, { node: f.node.address });
        const requestHash = await requestOfNode(f, 12);
        const proved = await openCommerce(f, { operator, requestHash });
        const result = await settleProved(f, 12n);
        await expectRefusal(capture(result, proved, KIND.TEE, operator), "CaptureRules_NotSettled");
        await capture(result, proved, KIND.ZKML, operator);
        expect(await operator.statusOf(proved.payment)).to.equal(OPERATOR_STATUS.Captured);
      });

      it("test_NamesTheFeeReceiverOfThePayment_WhichGetsNothing", async () => {
        const named = await openCommerce(f, {
          ...{ saltNonce: 2n, payment: { feeReceiver: f.attacker.address, maxFeeBps: 10_000n } },
        });
        await capture(await settled(), named);
        expect(await f.token.balanceOf(f.attacker.address)).to.equal(0n);
        expect(await statusOf(named)).to.equal(OPERATOR_STATUS.Captured);
      });

      it("test_KeepsItsFee_WhateverGovernanceSetsLater", async () => {
        await f.escrow.connect(f.governance).setFee(1_000n, f.attacker.address);
        const before = await commerceBalances(f, job);
        await capture(await settled());
        expect((await commerceBalances(f, job)).fees).to.equal(before.fees + FEE);
      });
    });

    describe("by a result that is not the job's", () => {
      it("test_RevertWhen_ItIsSomebodyElses", async () => {
        await expectRefusal(
          captureOther({ requester: f.otherPayer.address }),
          "CaptureRules_WrongRequester",
        );
      });

      it("test_RevertWhen_ItIsAnotherNodes", async () => {
        const requestHash = await requestOfNode(f, 12);
        const ofEnclave = await openCommerce(f, { requestHash });
        const result = await settleProved(f, 12n);
        await expect(capture(result, ofEnclave, KIND.ZKML))
          .to.be.revertedWithCustomError(f.commerceOperator, "CaptureRules_WrongNode")
          .withArgs(nodeOfEnclave(f.enclave.teeId), f.node.address);
      });

      it("test_RevertWhen_ItIsOfAnotherRequest", async () => {
        const other = await settled(3, { inputHash: withOtherEnd(job.requestHash) });
        await expectRefusal(capture(other), "CaptureRules_WrongRequest");
        // Nor is it called that of the job.
        const renamed = { ...job, requestHash: other.inputHash };
        await expectRefusal(capture(other, renamed), "CommerceOperator_SaltInvalid");
      });

      it("test_RevertWhen_ItHasNoPrice_OrCostsMoreThanIsHeld", async () => {
        // Nothing was kept of it that would say which one it was.
        await expectRefusal(captureOther({ price: 0n }), "CaptureRules_NotSettled");
        await expect(capture(await settled(4, { price: MOST + 1n })))
          .to.be.revertedWithCustomError(f.commerceOperator, "CaptureRules_PriceInvalid")
          .withArgs(MOST, MOST + 1n);
      });

      it("test_RevertWhen_ItWasNotSettled_OrAnotherOneWasUnderItsRequest", async () => {
        const result = await paidResult(f, 3);
        await expectRefusal(capture(result), "CaptureRules_NotSettled");
        await settleAlone(f, result);
        for (const other of [
          ...[{ price: PRICE + 1n }, { outputHash: id("other") }, { teeId: ZeroHash }],
          ...[{ requester: f.otherPayer.address }, { timestamp: result.timestamp + 1n }],
          { requestId: encodeRequestId({ node: nodeOfEnclave(f.enclave.teeId), nonce: 4n }) },
        ]) {
          await expectRefusal(capture({ ...result, ...other }), "CaptureRules_NotSettled");
        }
        await capture(result);
      });

      it("test_RevertWhen_TheTermsDoNotLetItsKindCount", async () => {
        const kinds = ESCROW_KINDS.zkml | ESCROW_KINDS.teePage;
        const operator = await makeOperator(f, { kinds });
        const provedOnly = await openCommerce(f, { operator });
        await expect(capture(await settled(), provedOnly, KIND.TEE, operator))
          .to.be.revertedWithCustomError(operator, "CaptureRules_KindNotAccepted")
          .withArgs(kinds, ESCROW_KINDS.tee);
      });
    });

    describe("more than once", () => {
      it("test_RevertWhen_TheJobWasCaptured", async () => {
        const result = await settled();
        await capture(result);
        await expectRefusal(capture(result), "CaptureRules_AlreadyCaptured");
        await expect(capture(await settled(4)))
          .to.be.revertedWithCustomError(f.commerceOperator, "CommerceOperator_NotOpen")
          .withArgs(hashOf(job), OPERATOR_STATUS.Captured);
      });

      it("test_RevertWhen_OneResultIsToPayTwoEqualJobs", async () => {
        const twin = await openCommerce(f, { saltNonce: 2n });
        const result = await settled();
        await capture(result);
        await expect(capture(result, twin))
          .to.be.revertedWithCustomError(f.commerceOperator, "CaptureRules_AlreadyCaptured")
          .withArgs(result.requestId);
        await capture(await settled(4), twin);
        expect((await commerceBalances(f, twin)).held).to.equal(0n);
      });

      it("test_RevertWhen_TheJobIsUnknown_OrNotWhatWasOpened", async () => {
        const result = await settled();
        for (const other of [
          ...[{ maxAmount: MOST + 1n }, { preApprovalExpiry: 1n }, { refundExpiry: 1n }],
          ...[{ authorizationExpiry: job.payment.authorizationExpiry + 1n }],
          ...[{ receiver: f.attacker.address }, { token: f.attacker.address }, { maxFeeBps: 1n }],
        ]) {
          const changed = { ...job, payment: { ...job.payment, ...other } };
          await expectRefusal(capture(result, changed), "CommerceOperator_NotOpen");
        }
        await capture(result);
      });

      it("test_IsNotKeptFromThePayee_ByAJobThatPaysThePayerThemselves", async () => {
        const result = await settled();
        const own = await makeOperator(f, { payee: f.payer.address });
        const ofOwn = await openCommerce(f, { operator: own });
        await own.connect(f.payer).capture(ofOwn, result, KIND.TEE);
        const { token, operator, job: inDust } = await openHostile(f);
        await capture(result, inDust, KIND.TEE, operator);
        expect(await token.balanceOf(f.seller.address)).to.equal(PRICE - FEE);

        const before = await commerceBalances(f, job);
        await capture(result);
        expect((await commerceBalances(f, job)).payee).to.equal(before.payee + PRICE - FEE);
      });
    });

    describe("at the deadline", () => {
      const at = (time: bigint) => f.networkHelpers.time.setNextBlockTimestamp(time);

      it("test_PaysInTheLastSecondBeforeIt", async () => {
        const result = await settled();
        await at(job.payment.authorizationExpiry - 1n);
        await capture(result);
      });

      it("test_RevertWhen_ItHasCome", async () => {
        const { authorizationExpiry: deadline } = job.payment;
        const result = await settled();
        await at(deadline);
        await expect(capture(result))
          .to.be.revertedWithCustomError(f.commerceOperator, "CaptureRules_TooLate")
          .withArgs(deadline, deadline);
      });

      it("test_RevertWhen_TheJobWasRefundedOrCancelled", async () => {
        const result = await settled();
        const cancelled = await openCommerce(f, { saltNonce: 2n });
        await f.commerceOperator.connect(f.seller).cancel(cancelled.payment);
        await expect(capture(result, cancelled))
          .to.be.revertedWithCustomError(f.commerceOperator, "CommerceOperator_NotOpen")
          .withArgs(hashOf(cancelled), OPERATOR_STATUS.Returned);
        await at(job.payment.authorizationExpiry);
        await byAnyone().refund(job.payment);
        await expectRefusal(capture(result), "CaptureRules_TooLate");
      });
    });

    describe("by a result in a page", () => {
      const EMPTY_HANDED = "CaptureRules_PageNotFinal";
      const pageOf = (...results: [index: number, result: InferenceResult][]): Page =>
        makePage(
          f,
          Object.fromEntries(
            results.map(([index, result]) => [index, { result, signature: sign(f, result) }]),
          ),
        );
      const fromPage = (page: Page, index: number, of = job) =>
        byAnyone().captureFromPage(of, page.header, leafOf(page, index));

      it("test_PaysOnceThePageIsFinal_AndNotBefore", async () => {
        const before = await commerceBalances(f, job);
        const result = await paidResult(f, 3);
        const page = pageOf([3, result]);
        const refused = (state: bigint) =>
          expect(fromPage(page, 3))
            .to.be.revertedWithCustomError(f.commerceOperator, EMPTY_HANDED)
            .withArgs(state);
        await refused(0n);
        await propose(f, page);
        const proposedAt = await now(f);
        await refused(1n);
        await f.networkHelpers.time.setNextBlockTimestamp(proposedAt + PARAMETERS.longRoad);
        await refused(1n);
        await f.networkHelpers.time.setNextBlockTimestamp(proposedAt + PARAMETERS.longRoad + 1n);
        await expect(fromPage(page, 3))
          .to.emit(f.commerceOperator, "JobCaptured")
          .withArgs(hashOf(job), result.requestId, PRICE, FEE);
        expect(await commerceBalances(f, job)).to.deep.equal({
          ...{ payer: before.payer + MOST - PRICE, payee: before.payee + PRICE - FEE },
          ...{ fees: before.fees + FEE, operator: 0n, held: 0n },
        });
        await expectRefusal(fromPage(page, 3), "CaptureRules_AlreadyCaptured");
      });

      it("test_RevertWhen_ThePageIsDisproved_OrTheResultIsNotInIt", async () => {
        const bad = await paidResult(f, 5, { timestamp: (await now(f)) + 10n * DAY });
        const page = pageOf([3, await paidResult(f, 3)], [5, bad]);
        await propose(f, page);
        await f.networkHelpers.time.increase(PARAMETERS.longRoad + 1n);
        const leaf = leafOf(page, 3);
        for (const change of [
          ...[{ index: 4 }, { signature: "0x" }, { siblings: leafOf(page, 5).siblings }],
          { result: { ...leaf.result, price: PRICE + 1n } },
        ]) {
          await expect(byAnyone().captureFromPage(job, page.header, { ...leaf, ...change }))
            .to.be.revertedWithCustomError(f.commerceOperator, EMPTY_HANDED)
            .withArgs(0n);
        }
        await challenge(f, page, 5);
        await expect(fromPage(page, 3))
          .to.be.revertedWithCustomError(f.commerceOperator, EMPTY_HANDED)
          .withArgs(4n);
      });

      it("test_RevertWhen_ItHasNoPrice_OrIsNotTheJobs", async () => {
        const wrong = [
          [{ price: 0n }, "CaptureRules_PriceInvalid"],
          [{ price: MOST + 1n }, "CaptureRules_PriceInvalid"],
          [{ requester: f.otherPayer.address }, "CaptureRules_WrongRequester"],
          [{ inputHash: withOtherEnd(job.requestHash) }, "CaptureRules_WrongRequest"],
        ] as const;
        const results: [number, InferenceResult][] = [];
        for (const [index, [overrides]] of wrong.entries()) {
          results.push([index, await paidResult(f, index, overrides)]);
        }
        const page = pageOf(...results);
        await propose(f, page);
        await f.networkHelpers.time.increase(PARAMETERS.longRoad + 1n);
        for (const [index, [, error]] of wrong.entries()) {
          await expectRefusal(fromPage(page, index), error);
        }
      });
    });
  });
}
