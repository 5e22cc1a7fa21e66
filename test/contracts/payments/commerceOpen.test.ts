import {
  type CommerceJob,
  type CommercePayment,
  commerceHash,
  commerceSalt,
  endsOfRequest,
} from "@haca/protocol/commercePayments";
import type { PaymentRequirements } from "@x402/core/types";
import { toClientEvmSigner } from "@x402/evm";
import { AuthCaptureEvmScheme } from "@x402/evm/auth-capture/client";
import { expect } from "chai";
import { Contract, id, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { privateKeyToAccount } from "viem/accounts";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  authorise,
  COMMERCE_BESIDES,
  type CommerceFixture,
  commerceBalances,
  commerceJob,
  deployCommerce,
  type JobOptions,
  makeOperator,
  OPERATOR_STATUS,
  openCommerce,
  operatorTerms,
  permitPayment,
  skipWhereMissing,
  WINDOW,
} from "../utils/commerceFixture.ts";
import { ALL_KINDS, MOST, REQUEST } from "../utils/escrowFixture.ts";
import { withOtherEnd } from "../utils/otherEnd.ts";
import { DAY, HOUR, PARAMETERS } from "../utils/pageFixture.ts";

const connection = await network.create();
const BESIDES = new Contract(ZeroAddress, COMMERCE_BESIDES);

for (const variant of ["1.1", "genuine"] as const) {
  const deploy = () => deployCommerce(connection, variant);

  describe(`CommerceOperator: opening a job, escrow ${variant}`, () => {
    let f: CommerceFixture;

    before(function () {
      skipWhereMissing(this, variant);
    });

    beforeEach(async () => {
      f = await loadAtItsTime(connection, deploy);
    });

    const byAnyone = () => f.commerceOperator.connect(f.attacker);
    const open = async (job: CommerceJob, signed: CommerceJob = job) =>
      byAnyone().open(job, f.addresses.erc3009Collector, await authorise(f, signed));
    const expectRefusal = (call: Promise<unknown>, error: string) =>
      expect(call).to.be.revertedWithCustomError(f.commerceOperator, error);
    const openWith = async (payment: Partial<CommercePayment>, options: JobOptions = {}) =>
      open(await commerceJob(f, { ...options, payment }));

    it("test_HoldsAllOfThePayment_AndTellsWhatCallersBring", async () => {
      const job = await commerceJob(f);
      const before = await commerceBalances(f, job);
      const domain = { chainId: f.chainId, escrow: f.addresses.escrow };
      const paymentHash = commerceHash(domain, job.payment);
      expect(await f.commerce.getHash(job.payment)).to.equal(paymentHash);
      expect(await f.commerceOperator.statusOf(job.payment)).to.equal(OPERATOR_STATUS.None);
      await expect(open(job))
        .to.emit(f.commerceOperator, "JobOpened")
        .withArgs(paymentHash, f.payer.address, REQUEST, [
          ...[Object.values(job.payment), REQUEST, job.saltNonce],
        ]);
      expect(await f.commerceOperator.statusOf(job.payment)).to.equal(OPERATOR_STATUS.Open);
      expect(await commerceBalances(f, job)).to.deep.equal({
        ...{ ...before, payer: before.payer - MOST, held: MOST },
      });
    });

    it("test_TakesAPermitOfPermit2", async () => {
      const job = await commerceJob(f);
      await byAnyone().open(job, f.addresses.permit2Collector, await permitPayment(f, job));
      expect((await commerceBalances(f, job)).held).to.equal(MOST);
    });

    it("test_SaltIsMadeOfTheRequestHash_AsClientsMakeIt", async () => {
      for (const requestHash of [REQUEST, withOtherEnd(REQUEST), id("other")]) {
        const salt = commerceSalt({ requestHash, saltNonce: 5n });
        expect(await f.commerceOperator.saltOf(requestHash, 5n)).to.equal(salt);
      }
      const salts = [REQUEST, withOtherEnd(REQUEST), `0xff${REQUEST.slice(4)}`].map((requestHash) =>
        commerceSalt({ requestHash, saltNonce: 5n }),
      );
      expect(new Set(salts).size).to.equal(3);
    });

    it("test_TakesWhatTheStockClientSigned", async function () {
      // It knows the published addresses alone.
      if (variant === "genuine") this.skip();
      const terms = f.operatorTerms;
      const operator = await f.commerceOperator.getAddress();
      const time = await now(f);
      const captureDeadline = Number(time + WINDOW);
      // Its signatures end by the wall clock, which is years behind the tests' chain.
      const behind = Number(time) - Math.floor(Date.now() / 1_000);
      const wanted = {
        ...{ scheme: "auth-capture", network: `eip155:${f.chainId}`, amount: `${MOST}` },
        ...{ asset: terms.token, payTo: operator, maxTimeoutSeconds: behind + Number(DAY) },
        extra: {
          ...{ name: "OPG", version: "1", authCaptureEscrow: f.addresses.escrow },
          ...{ captureAuthorizer: operator, feeRecipient: ZeroAddress, minFeeBps: 0, maxFeeBps: 0 },
          ...{ captureDeadline, refundDeadline: captureDeadline, ...endsOfRequest(REQUEST) },
        },
      } as PaymentRequirements;
      const account = privateKeyToAccount(f.payer.privateKey as `0x${string}`);
      const client = new AuthCaptureEvmScheme(toClientEvmSigner(account));
      const { payload } = await client.createPaymentPayload(2, wanted);
      const { authorization, salt, saltNonce, signature } = payload as {
        authorization: { validBefore: string };
        salt: string;
        saltNonce: string;
        signature: string;
      };
      const payment = {
        preApprovalExpiry: BigInt(authorization.validBefore),
        authorizationExpiry: BigInt(captureDeadline),
        refundExpiry: BigInt(captureDeadline),
        salt: BigInt(salt),
      };
      const job = await commerceJob(f, { saltNonce: BigInt(saltNonce), payment });
      await byAnyone().open(job, f.addresses.erc3009Collector, signature);
      expect((await commerceBalances(f, job)).held).to.equal(MOST);
    });

    describe("a stranger who has the signature", () => {
      it("test_RevertWhen_TheyChangeThePayment", async () => {
        const refundExpiry = (await now(f)) + 2n * WINDOW;
        const signed = await commerceJob(f, { payment: { refundExpiry } });
        for (const change of [
          { maxAmount: MOST - 1n },
          { preApprovalExpiry: signed.payment.preApprovalExpiry + 1n },
          { authorizationExpiry: signed.payment.authorizationExpiry + 1n },
          { refundExpiry: signed.payment.refundExpiry + 1n },
          { maxFeeBps: 1n },
          { feeReceiver: f.attacker.address },
          { payer: f.otherPayer.address },
        ]) {
          const job = { ...signed, payment: { ...signed.payment, ...change } };
          await expect(open(job, signed)).to.be.revertedWithCustomError(
            f.token,
            "OPG_SignatureInvalid",
          );
        }
      });

      it("test_RevertWhen_TheyNameAnotherRequest", async () => {
        const signed = await commerceJob(f);
        const other = { ...signed, requestHash: withOtherEnd(REQUEST) };
        await expectRefusal(open(other, signed), "CommerceOperator_SaltInvalid");
        const nonced = { ...signed, saltNonce: signed.saltNonce + 1n };
        await expectRefusal(open(nonced, signed), "CommerceOperator_SaltInvalid");
        const { salt } = await commerceJob(f, { requestHash: other.requestHash }).then(
          ({ payment }) => payment,
        );
        const salted = { ...other, payment: { ...signed.payment, salt } };
        await expect(open(salted, signed)).to.be.revertedWithCustomError(
          f.token,
          "OPG_SignatureInvalid",
        );
      });

      it("test_RevertWhen_TheyBringItToAnotherOperator", async () => {
        const other = await makeOperator(f, { payee: f.attacker.address });
        const signed = await commerceJob(f);
        const signature = await authorise(f, signed);
        const bring = (job: CommerceJob) =>
          other.connect(f.attacker).open(job, f.addresses.erc3009Collector, signature);
        await expectRefusal(bring(signed), "CommerceOperator_OtherOperator");
        const at = await other.getAddress();
        const renamed = {
          ...signed,
          payment: { ...signed.payment, operator: at, receiver: at },
        };
        await expect(bring(renamed)).to.be.revertedWithCustomError(f.token, "OPG_SignatureInvalid");
      });

      it("test_RevertWhen_TheyOpenItTwice_OrAfterItsTime", async () => {
        const job = await openCommerce(f);
        await expect(open(job)).to.be.revertedWithCustomError(BESIDES, "PaymentAlreadyCollected");
        const late = await commerceJob(f, { saltNonce: 2n });
        await f.networkHelpers.time.setNextBlockTimestamp(late.payment.preApprovalExpiry);
        await expect(open(late)).to.be.revertedWithCustomError(BESIDES, "AfterPreApprovalExpiry");
      });

      it("test_RevertWhen_TheyGoPastTheOperator", async () => {
        const job = await commerceJob(f);
        const signature = await authorise(f, job);
        await expect(
          f.commerce.authorize(job.payment, 1n, f.addresses.erc3009Collector, signature),
        ).to.be.revertedWithCustomError(f.commerce, "InvalidSender");
        await open(job);
        await expect(f.commerce.void(job.payment)).to.be.revertedWithCustomError(
          f.commerce,
          "InvalidSender",
        );
      });

      it("test_RevertWhen_TheyNameAnotherCollector", async () => {
        const job = await commerceJob(f);
        const signature = await authorise(f, job);
        for (const collector of [f.attacker.address, f.addresses.escrow, ZeroAddress]) {
          await expect(byAnyone().open(job, collector, signature))
            .to.be.revertedWithCustomError(f.commerceOperator, "CommerceOperator_CollectorUnknown")
            .withArgs(collector);
        }
      });
    });

    describe("a payment that its payer signed and that", () => {
      it("test_RevertWhen_ItPaysPastTheOperator", async () => {
        await expectRefusal(
          openWith({ receiver: f.seller.address }),
          "CommerceOperator_ReceiverInvalid",
        );
      });

      it("test_RevertWhen_ItIsInAnotherToken", async () => {
        await expectRefusal(
          openWith({ token: f.attacker.address }),
          "CommerceOperator_TokenInvalid",
        );
      });

      it("test_RevertWhen_ItWantsAFeeOfTheEscrows", async () => {
        const feeReceiver = f.attacker.address;
        await expectRefusal(
          openWith({ minFeeBps: 1n, maxFeeBps: 10n, feeReceiver }),
          "CommerceOperator_FeeInvalid",
        );
      });

      it("test_RevertWhen_ItsSaltIsNoRequests", async () => {
        await expectRefusal(openWith({ salt: BigInt(id("salt")) }), "CommerceOperator_SaltInvalid");
      });

      it("test_RevertWhen_ItsDeadlineIsTooNearOrTooFar", async () => {
        const longest = 30n * DAY;
        const least = HOUR + PARAMETERS.longRoad + 2n * DAY;
        expect(await f.operators.leastWindow(ALL_KINDS)).to.equal(least);
        const time = (await now(f)) + 100n;
        const openAt = async (left: bigint) => {
          const job = await commerceJob(f, {
            payment: { authorizationExpiry: time + left, refundExpiry: time + left },
          });
          const signature = await authorise(f, job);
          await f.networkHelpers.time.setNextBlockTimestamp(time);
          return byAnyone().open(job, f.addresses.erc3009Collector, signature);
        };
        const snapshot = await f.networkHelpers.takeSnapshot();
        for (const [left, isGood] of [
          [least - 1n, false],
          [least, true],
          [longest, true],
          [longest + 1n, false],
          [-1n, false],
        ] as const) {
          if (isGood) await openAt(left);
          else {
            await expect(openAt(left))
              .to.be.revertedWithCustomError(f.commerceOperator, "CommerceOperator_WindowInvalid")
              .withArgs(least, longest, left < 0n ? 0n : left);
          }
          await snapshot.restore();
        }
      });
    });
  });
}

describe("CommerceOperators", () => {
  let f: CommerceFixture;
  const deploy = () => deployCommerce(connection, "1.1");

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  it("test_MakesOneOperatorForEachTerms_WhoseAddressTheyMake", async () => {
    const seen = new Set<string>([await f.commerceOperator.getAddress()]);
    const { node } = f;
    for (const other of [
      ...[{ node: node.address }, { payee: f.attacker.address }, { token: f.attacker.address }],
      ...[{ kinds: 4n }, { kinds: 6n }],
    ]) {
      const terms = await operatorTerms(f, other);
      const operator = await f.operators.operatorOf(terms);
      await expect(f.operators.create(terms))
        .to.emit(f.operators, "OperatorCreated")
        .withArgs(operator, terms.node, terms.payee, [
          ...[terms.node, terms.payee, terms.token, terms.feeReceiver, terms.feeBps, terms.kinds],
        ]);
      const made = f.commerceOperator.attach(operator) as CommerceFixture["commerceOperator"];
      const content = await made.terms();
      expect([content.node, content.payee, content.token, content.kinds]).to.deep.equal([
        ...[terms.node, terms.payee, terms.token, terms.kinds],
      ]);
      seen.add(operator);
    }
    expect(seen.size).to.equal(6);
    await expect(f.operators.create(f.operatorTerms)).to.revert(f.ethers);
  });

  it("test_RevertWhen_TermsAreNone", async () => {
    const refuse = async (terms: object, error: string) =>
      expect(f.operators.create({ ...f.operatorTerms, ...terms })).to.be.revertedWithCustomError(
        f.operators,
        error,
      );
    for (const name of ["node", "payee", "token"]) {
      await refuse({ [name]: ZeroAddress }, "CommerceOperators_AccountZero");
    }
    for (const kinds of [0n, 1n, 0x10n, ALL_KINDS | 8n]) {
      await refuse({ kinds }, "CommerceOperators_KindsInvalid");
    }
    await refuse({ feeBps: 0n }, "CommerceOperators_FeeInvalid");
    await refuse({ feeReceiver: f.attacker.address }, "CommerceOperators_FeeInvalid");
  });

  it("test_RevertWhen_TheEscrowIsNone_OrOfAnotherVersion", async () => {
    const { escrow, erc3009Collector, permit2Collector } = f.addresses;
    const make = async (...values: [string, string, string]) =>
      f.ethers.deployContract("CommerceOperators", [await f.escrow.getAddress(), ...values]);
    const refuse = async (call: Promise<unknown>, error: string) =>
      expect(call).to.be.revertedWithCustomError(f.commerceOperator, error);
    const nobody = f.attacker.address;
    for (const values of [
      [nobody, erc3009Collector, permit2Collector],
      [escrow, nobody, permit2Collector],
      [escrow, erc3009Collector, nobody],
    ] as const) {
      await refuse(make(...values), "CaptureRules_NotAContract");
    }
    const other = await f.token.getAddress();
    await refuse(
      make(other, erc3009Collector, permit2Collector),
      "CommerceOperator_UnknownVersion",
    );
  });
});
