import {
  type CommerceJob,
  type CommercePayment,
  commerceHash,
} from "@haca/protocol/commercePayments";
import { expect } from "chai";
import { id, type Wallet, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import {
  COMMERCE_BESIDES,
  type CommerceFixture,
  commerceBalances,
  commerceJob,
  deployCommerce,
  makeOperator,
  OPERATOR_STATUS,
  openCommerce,
  openHostile,
  permitPayment,
  skipWhereMissing,
  VARIANTS,
} from "../utils/commerceFixture.ts";
import { FEE, KIND, MOST, PRICE, paidResult, settleAlone } from "../utils/escrowFixture.ts";

const connection = await network.create();
/** Of OpenZeppelin's guard. */
const GUARDED = id("ReentrancyGuardReentrantCall()").slice(0, 10);

for (const variant of VARIANTS) {
  const deploy = () => deployCommerce(connection, variant);

  describe(`CommerceOperator: ends of a job, escrow ${variant}`, () => {
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
    const expectRefusal = (call: Promise<unknown>, error: string) =>
      expect(call).to.be.revertedWithCustomError(f.commerceOperator, error);
    const statusOf = (of: CommerceJob, operator = f.commerceOperator) =>
      operator.statusOf(of.payment);
    const at = (time: bigint) => f.networkHelpers.time.setNextBlockTimestamp(time);
    const settled = async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      return result;
    };

    describe("refund", () => {
      it("test_GivesEverythingBackFromTheDeadlineOn", async () => {
        const { authorizationExpiry: deadline } = job.payment;
        const before = await commerceBalances(f, job);
        await at(deadline - 1n);
        await expect(byAnyone().refund(job.payment))
          .to.be.revertedWithCustomError(f.commerceOperator, "CommerceOperator_TooEarly")
          .withArgs(deadline, deadline - 1n);
        await at(deadline);
        await expect(byAnyone().refund(job.payment))
          .to.emit(f.commerceOperator, "JobRefunded")
          .withArgs(hashOf(job), MOST);
        expect(await commerceBalances(f, job)).to.deep.equal({
          ...{ ...before, payer: before.payer + MOST, held: 0n },
        });
        expect(await statusOf(job)).to.equal(OPERATOR_STATUS.Returned);
      });

      it("test_RevertWhen_TheJobIsOver_OrWasNeverOpened", async () => {
        const other = await openCommerce(f, { saltNonce: 2n });
        await byAnyone().capture(job, await settled(), KIND.TEE);
        await f.networkHelpers.time.increaseTo(other.payment.authorizationExpiry);
        const refused = (of: CommerceJob, status: bigint) =>
          expect(byAnyone().refund(of.payment))
            .to.be.revertedWithCustomError(f.commerceOperator, "CommerceOperator_NotOpen")
            .withArgs(hashOf(of), status);
        await refused(job, OPERATOR_STATUS.Captured);
        await byAnyone().refund(other.payment);
        await refused(other, OPERATOR_STATUS.Returned);
        await refused(await commerceJob(f, { saltNonce: 3n }), OPERATOR_STATUS.None);
      });

      it("test_RevertWhen_ThePaymentIsNotTheJobs", async () => {
        const refused = (change: Partial<CommercePayment>, error: string) =>
          expectRefusal(byAnyone().refund({ ...job.payment, ...change }), error);
        await refused({ authorizationExpiry: 0n }, "CommerceOperator_NotOpen");
        await refused(
          { authorizationExpiry: 0n, payer: f.attacker.address },
          "CommerceOperator_NotOpen",
        );
        const other = await makeOperator(f, { payee: f.attacker.address });
        await refused({ operator: await other.getAddress() }, "CommerceOperator_OtherOperator");
        expect(await statusOf(job)).to.equal(OPERATOR_STATUS.Open);
      });

      it("test_IsThePayersOwnToo_AtThePublicEscrow", async () => {
        const before = await commerceBalances(f, job);
        await f.networkHelpers.time.increaseTo(job.payment.authorizationExpiry);
        const data = COMMERCE_BESIDES.encodeFunctionData("reclaim", [job.payment]);
        await f.payer.sendTransaction({ to: f.addresses.escrow, data });
        expect((await commerceBalances(f, job)).payer).to.equal(before.payer + MOST);
        expect(await statusOf(job)).to.equal(OPERATOR_STATUS.Returned);
        await expectRefusal(byAnyone().refund(job.payment), "CommerceOperator_NotOpen");
      });
    });

    describe("cancel", () => {
      it("test_GivesEverythingBackAtOnce_ByThePayee", async () => {
        const before = await commerceBalances(f, job);
        await expect(f.commerceOperator.connect(f.seller).cancel(job.payment))
          .to.emit(f.commerceOperator, "JobCancelled")
          .withArgs(hashOf(job), MOST);
        expect(await commerceBalances(f, job)).to.deep.equal({
          ...{ ...before, payer: before.payer + MOST, held: 0n },
        });
        expect(await statusOf(job)).to.equal(OPERATOR_STATUS.Returned);
        await expectRefusal(
          f.commerceOperator.connect(f.seller).cancel(job.payment),
          "CommerceOperator_NotOpen",
        );
      });

      it("test_GivesEverythingBackAtOnce_ByTheNode", async () => {
        const operator = await makeOperator(f, { node: f.node.address });
        const ofNode = await openCommerce(f, { operator });
        await operator.connect(f.node).cancel(ofNode.payment);
        expect(await statusOf(ofNode, operator)).to.equal(OPERATOR_STATUS.Returned);
      });

      it("test_RevertWhen_SomebodyElseDoes_ThePayerToo", async () => {
        for (const somebody of [f.attacker, f.payer, f.feeReceiver.connect(f.ethers.provider)]) {
          await expectRefusal(
            f.commerceOperator.connect(somebody).cancel.staticCall(job.payment),
            "CommerceOperator_NotParty",
          );
        }
      });

      it("test_RevertWhen_ItWasCaptured_ThoughARestIsKept", async () => {
        const { job: of, operator, token } = await openHostile(f);
        await token.setBlocked(f.payer.address, true);
        await byAnyone(operator).capture(of, await settled(), KIND.TEE);
        await expectRefusal(
          operator.connect(f.seller).cancel(of.payment),
          "CommerceOperator_NotOpen",
        );
      });
    });

    describe("a token that", () => {
      it("test_BlocksThePayee_KeepsNobodyElseFromWhatIsTheirs", async () => {
        const { token, operator, job: of } = await openHostile(f);
        await token.setBlocked(f.seller.address, true);
        await expect(byAnyone(operator).capture(of, await settled(), KIND.TEE))
          .to.emit(operator, "Credited")
          .withArgs(token.target, f.seller.address, PRICE - FEE);
        expect(await commerceBalances(f, of, token)).to.deep.equal({
          ...{ payer: 10n * MOST - PRICE, payee: 0n, fees: FEE, held: 0n, operator: PRICE - FEE },
        });
        const withdraw = (receiver: string, by: Wallet = f.seller) =>
          operator.connect(by).withdrawCredit(token.target, receiver);
        await expect(withdraw(f.seller.address)).to.be.revertedWith("blocked");
        for (const nobody of [ZeroAddress, await operator.getAddress()]) {
          await expectRefusal(withdraw(nobody), "Payouts_AccountInvalid");
        }
        await expectRefusal(withdraw(f.payer.address, f.payer), "Payouts_NoCredit");
        await withdraw(f.otherPayer.address);
        expect(await token.balanceOf(f.otherPayer.address)).to.equal(PRICE - FEE);
        await expectRefusal(withdraw(f.otherPayer.address), "Payouts_NoCredit");
      });

      it("test_BlocksThePayer_KeepsNobodyElse_AndTheRestForThem", async () => {
        const { token, operator, job: of } = await openHostile(f);
        await token.setBlocked(f.payer.address, true);
        const result = await settled();
        await expect(byAnyone(operator).capture(of, result, KIND.TEE))
          .to.emit(operator, "RestKept")
          .withArgs(hashOf(of), MOST - PRICE);
        expect(await token.balanceOf(f.seller.address)).to.equal(PRICE - FEE);
        expect(await statusOf(of, operator)).to.equal(OPERATOR_STATUS.Captured);
        await expect(byAnyone(operator).refund(of.payment)).to.be.revertedWith("blocked");

        // Before the deadline, too: nobody can have it but the payer.
        await token.setBlocked(f.payer.address, false);
        await expect(byAnyone(operator).refund(of.payment))
          .to.emit(operator, "JobRefunded")
          .withArgs(hashOf(of), MOST - PRICE);
        expect(await token.balanceOf(f.payer.address)).to.equal(10n * MOST - PRICE);
        await expectRefusal(byAnyone(operator).refund(of.payment), "CommerceOperator_NotOpen");
      });

      it("test_CallsBackWhileItMoves_GetsNothingThrough", async () => {
        const { token, operator, job: of } = await openHostile(f);
        const result = await settled();
        const other = await commerceJob(f, { operator, saltNonce: 2n });
        const signature = await permitPayment(f, other);
        const { interface: abi } = operator;
        const { permit2Collector } = f.addresses;
        const calls = [
          abi.encodeFunctionData("open", [other, permit2Collector, signature]),
          abi.encodeFunctionData("capture", [of, result, KIND.TEE]),
          abi.encodeFunctionData("refund", [of.payment]),
          abi.encodeFunctionData("cancel", [of.payment]),
          abi.encodeFunctionData("withdrawCredit", [token.target, f.attacker.address]),
        ];
        const snapshot = await f.networkHelpers.takeSnapshot();
        for (const call of calls) {
          for (const [act, moves] of [
            [() => byAnyone(operator).capture(of, result, KIND.TEE), 4n],
            [() => operator.connect(f.seller).cancel(of.payment), 1n],
            [() => byAnyone(operator).open(other, permit2Collector, signature), 1n],
          ] as const) {
            await token.arm(await operator.getAddress(), call);
            await act();
            expect(await token.calls()).to.equal(moves);
            expect(await token.successes()).to.equal(0n);
            expect(await token.refusal()).to.equal(GUARDED);
            await snapshot.restore();
          }
        }
      });

      it("test_MeetsACallWithLittleGas_PaysOrReverts", async () => {
        const result = await settled();
        const snapshot = await f.networkHelpers.takeSnapshot();
        const enough = await byAnyone().capture.estimateGas(job, result, KIND.TEE);
        const token = await f.token.getAddress();
        for (let gasLimit = enough / 2n; gasLimit <= enough + 10_000n; gasLimit += 3_000n) {
          await byAnyone()
            .capture(job, result, KIND.TEE, { gasLimit })
            .catch(() => undefined);
          for (const account of [f.seller.address, f.feeReceiver.address]) {
            expect(await f.commerceOperator.creditOf(token, account), `${gasLimit}`).to.equal(0n);
          }
          // All of it or nothing.
          expect([0n, MOST], `${gasLimit}`).to.include((await commerceBalances(f, job)).held);
          await snapshot.restore();
        }
      });
    });
  });
}
