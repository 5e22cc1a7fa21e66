import { escrowJobId } from "@haca/protocol/inferenceEscrow";
import { PERMIT2_ADDRESS } from "@x402/evm";
import { expect } from "chai";
import { id, MaxUint256, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
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
  permit,
  STATUS,
  settleAlone,
  termsOf,
} from "../utils/escrowFixture.ts";

const connection = await network.create();
const deploy = () => deployEscrow(connection);
/** Of OpenZeppelin's guard. */
const GUARDED = id("ReentrancyGuardReentrantCall()").slice(0, 10);

describe("InferenceEscrow: ends of a job", () => {
  let f: EscrowFixture;
  let job: Job;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    job = await openJob(f);
  });

  const byAnyone = () => f.escrow.connect(f.attacker);
  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.escrow, error);
  const statusOf = (of: Job) => f.escrow.statusOf(escrowJobId(of));
  const atDeadline = (of = job) => f.networkHelpers.time.setNextBlockTimestamp(of.deadline);

  describe("refund", () => {
    it("test_GivesEverythingBackFromTheDeadlineOn", async () => {
      const before = await balances(f);
      await f.networkHelpers.time.setNextBlockTimestamp(job.deadline - 1n);
      await expect(byAnyone().refund(job))
        .to.be.revertedWithCustomError(f.escrow, "InferenceEscrow_TooEarly")
        .withArgs(job.deadline, job.deadline - 1n);
      await atDeadline();
      await expect(byAnyone().refund(job))
        .to.emit(f.escrow, "JobRefunded")
        .withArgs(escrowJobId(job), MOST);
      expect(await balances(f)).to.deep.equal({ ...before, payer: before.payer + MOST, held: 0n });
      expect(await statusOf(job)).to.equal(STATUS.Refunded);
    });

    it("test_RevertWhen_TheJobIsOver_OrWasNeverOpened", async () => {
      const other = await openJob(f, { nonce: 8n });
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      await byAnyone().capture(job, result, KIND.TEE);
      await f.networkHelpers.time.increaseTo(other.deadline);
      const refused = (of: Job, status: bigint) =>
        expect(byAnyone().refund(of))
          .to.be.revertedWithCustomError(f.escrow, "InferenceEscrow_JobNotInStatus")
          .withArgs(escrowJobId(of), status);
      await refused(job, STATUS.Captured);
      await byAnyone().refund(other);
      await refused(other, STATUS.Refunded);
      await refused({ ...job, nonce: 99n }, STATUS.None);
    });

    it("test_RevertWhen_TheDeadlineOrTheAmountIsNotTheJobs", async () => {
      for (const other of [{ deadline: 0n }, { amount: MOST + 1n }, { feeReceiver: ZeroAddress }]) {
        const early = { ...job, deadline: 0n, ...other };
        await expectRefusal(byAnyone().refund(early), "InferenceEscrow_WrongJob");
      }
      // Another payer's name is another job's.
      const stolen = { ...job, deadline: 0n, payer: f.attacker.address };
      await expectRefusal(byAnyone().refund(stolen), "InferenceEscrow_JobNotInStatus");
    });
  });

  describe("cancel", () => {
    it("test_GivesEverythingBackAtOnce_ByThePayee", async () => {
      const before = await balances(f);
      await expect(f.escrow.connect(f.seller).cancel(job))
        .to.emit(f.escrow, "JobCancelled")
        .withArgs(escrowJobId(job), MOST);
      expect(await balances(f)).to.deep.equal({ ...before, payer: before.payer + MOST, held: 0n });
      expect(await statusOf(job)).to.equal(STATUS.Cancelled);
      await atDeadline();
      await expectRefusal(byAnyone().refund(job), "InferenceEscrow_JobNotInStatus");
      await expectRefusal(f.escrow.connect(f.seller).cancel(job), "InferenceEscrow_JobNotInStatus");
    });

    it("test_GivesEverythingBackAtOnce_ByTheNode", async () => {
      const ofNode = await openJob(f, { terms: { node: f.node.address }, nonce: 8n });
      await f.escrow.connect(f.node).cancel(ofNode);
      expect(await statusOf(ofNode)).to.equal(STATUS.Cancelled);
    });

    it("test_RevertWhen_SomebodyElseDoes_ThePayerToo", async () => {
      for (const somebody of [f.attacker, f.payer, f.feeReceiver.connect(f.ethers.provider)]) {
        await expectRefusal(
          f.escrow.connect(somebody).cancel.staticCall(job),
          "InferenceEscrow_NotParty",
        );
      }
      const own = { ...job, terms: { ...job.terms, payee: f.attacker.address } };
      await expectRefusal(byAnyone().cancel(own), "InferenceEscrow_WrongJob");
    });
  });

  describe("a token that", () => {
    async function hostileJob() {
      const token = await deployMock(f.ethers, "HostileToken");
      await f.escrow.connect(f.governance).setToken(token.target, true);
      await token.transfer(f.payer.address, 10n * MOST);
      const held = await f.ethers.getContractAt("OPG", token.target);
      await held.connect(f.payer).approve(PERMIT2_ADDRESS, MaxUint256);
      const of = await openJob(f, { terms: { token: token.target }, nonce: 8n });
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      return { token, of, result };
    }

    it("test_BlocksThePayee_KeepsNobodyElseFromWhatIsTheirs", async () => {
      const { token, of, result } = await hostileJob();
      await token.setBlocked(f.seller.address, true);
      await expect(byAnyone().capture(of, result, KIND.TEE))
        .to.emit(f.escrow, "Credited")
        .withArgs(token.target, f.seller.address, PRICE - FEE);
      expect(await balances(f, token)).to.deep.equal({
        ...{ payer: 10n * MOST - PRICE, payee: 0n, fees: FEE, held: PRICE - FEE },
      });
      expect(await f.escrow.creditOf(token.target, f.seller.address)).to.equal(PRICE - FEE);

      const withdraw = (receiver: string) =>
        f.escrow.connect(f.seller).withdrawCredit(token.target, receiver);
      await expect(withdraw(f.seller.address)).to.be.revertedWith("blocked");
      for (const nobody of [ZeroAddress, await f.escrow.getAddress()]) {
        await expectRefusal(withdraw(nobody), "Payouts_AccountInvalid");
      }
      await expectRefusal(
        byAnyone().withdrawCredit(token.target, f.attacker.address),
        "Payouts_NoCredit",
      );
      await expect(withdraw(f.otherPayer.address))
        .to.emit(f.escrow, "CreditWithdrawn")
        .withArgs(token.target, f.seller.address, f.otherPayer.address, PRICE - FEE);
      expect((await balances(f, token)).held).to.equal(0n);
      await expectRefusal(withdraw(f.otherPayer.address), "Payouts_NoCredit");
    });

    it("test_BlocksThePayer_LeavesThemACredit", async () => {
      const { token, of } = await hostileJob();
      await token.setBlocked(f.payer.address, true);
      await atDeadline(of);
      await byAnyone().refund(of);
      expect(await statusOf(of)).to.equal(STATUS.Refunded);
      expect(await f.escrow.creditOf(token.target, f.payer.address)).to.equal(MOST);
      await token.setBlocked(f.payer.address, false);
      await f.escrow.connect(f.payer).withdrawCredit(token.target, f.payer.address);
      expect((await balances(f, token)).payer).to.equal(10n * MOST);
    });

    it("test_CallsBackWhileItMoves_GetsNothingThrough", async () => {
      const { token, of, result } = await hostileJob();
      await token.setBlocked(f.otherPayer.address, true);
      const { interface: abi } = f.escrow;
      const terms = await termsOf(f, { token: token.target });
      const other = await permit(f, terms, { nonce: 9n });
      const calls = [
        abi.encodeFunctionData("open", [terms, other]),
        abi.encodeFunctionData("capture", [of, result, KIND.TEE]),
        abi.encodeFunctionData("refund", [{ ...of, deadline: 0n }]),
        abi.encodeFunctionData("cancel", [of]),
        abi.encodeFunctionData("withdrawCredit", [token.target, f.attacker.address]),
      ];
      const snapshot = await f.networkHelpers.takeSnapshot();
      for (const call of calls) {
        for (const [act, moves] of [
          [() => byAnyone().capture(of, result, KIND.TEE), 3n],
          [() => f.escrow.connect(f.seller).cancel(of), 1n],
          [async () => byAnyone().open(terms, other), 1n],
        ] as const) {
          await token.arm(await f.escrow.getAddress(), call);
          await act();
          expect(await token.calls()).to.equal(moves);
          expect(await token.successes()).to.equal(0n);
          expect(await token.refusal()).to.equal(GUARDED);
          await snapshot.restore();
        }
      }
    });

    it("test_MeetsACallWithLittleGas_PaysOrReverts", async () => {
      const result = await paidResult(f, 3);
      await settleAlone(f, result);
      const snapshot = await f.networkHelpers.takeSnapshot();
      const enough = await byAnyone().capture.estimateGas(job, result, KIND.TEE);
      for (let gasLimit = enough / 2n; gasLimit <= enough + 10_000n; gasLimit += 1_500n) {
        await byAnyone()
          .capture(job, result, KIND.TEE, { gasLimit })
          .catch(() => undefined);
        const token = await f.token.getAddress();
        for (const account of [f.payer.address, f.seller.address, f.feeReceiver.address]) {
          expect(await f.escrow.creditOf(token, account), `${gasLimit}`).to.equal(0n);
        }
        await snapshot.restore();
      }
    });
  });
});
