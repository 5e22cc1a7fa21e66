import {
  ESCROW_KINDS,
  type EscrowTerms,
  escrowFacilitator,
  escrowJobId,
} from "@haca/protocol/inferenceEscrow";
import type { PaymentRequirements } from "@x402/core/types";
import { PERMIT2_ADDRESS, toClientEvmSigner, x402UptoPermit2ProxyAddress } from "@x402/evm";
import { UptoEvmScheme as UptoClient } from "@x402/evm/upto/client";
import { expect } from "chai";
import { Contract, id, MaxUint256, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { privateKeyToAccount } from "viem/accounts";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import {
  balances,
  deployEscrow,
  type EscrowFixture,
  FEE_BPS,
  MOST,
  openJob,
  type Payment,
  permit,
  STATUS,
  termsOf,
} from "../utils/escrowFixture.ts";
import { DAY, HOUR, PARAMETERS } from "../utils/pageFixture.ts";

/** The library's permits end by the wall clock, which is years behind the tests' chain. */
const DECADE_S = 10 * 366 * 24 * 3_600;

const connection = await network.create();
const deploy = () => deployEscrow(connection);
/** What Permit2 and the proxy refuse with. */
const PERMIT_ERRORS = new Contract(ZeroAddress, [
  "error InvalidSigner()",
  "error InvalidNonce()",
  "error SignatureExpired(uint256)",
  "error PaymentTooEarly()",
  "error InvalidAmount()",
]);

describe("InferenceEscrow: opening a job", () => {
  let f: EscrowFixture;
  let terms: EscrowTerms;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    terms = await termsOf(f);
  });

  const byAnyone = () => f.escrow.connect(f.attacker);
  const open = (payment: Payment, under: EscrowTerms = terms) => byAnyone().open(under, payment);
  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.escrow, error);
  const expectPermitRefused = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(PERMIT_ERRORS, error);
  const openUnder = async (overrides: Partial<EscrowTerms>) => {
    const under = await termsOf(f, overrides);
    return open(await permit(f, under), under);
  };

  it("test_HoldsAllThatIsPermitted_AndNamesTheJobByPayerAndNonce", async () => {
    const before = await balances(f);
    const payment = await permit(f, terms);
    const jobId = escrowJobId(payment);
    expect(await f.escrow.jobIdOf(payment.payer, payment.nonce)).to.equal(jobId);
    expect(await f.escrow.statusOf(jobId)).to.equal(STATUS.None);
    const opening = await open(payment);
    const deadline = (await now(f)) + terms.captureWindow;
    await expect(opening)
      .to.emit(f.escrow, "JobOpened")
      .withArgs(jobId, terms.node, terms.requestHash, [
        ...[Object.values(terms), payment.payer, payment.nonce, MOST, deadline],
        f.feeReceiver.address,
      ]);
    expect(await f.escrow.statusOf(jobId)).to.equal(STATUS.Open);
    const after = await balances(f);
    expect(after).to.deep.equal({ ...before, payer: before.payer - MOST, held: MOST });
  });

  it("test_TakesWhatTheStockClientSigned", async () => {
    const facilitatorAddress = await f.escrow.facilitatorOf(terms);
    const wanted = {
      ...{ scheme: "upto", network: `eip155:${f.chainId}`, asset: terms.token, amount: `${MOST}` },
      ...{ payTo: await f.escrow.getAddress(), maxTimeoutSeconds: DECADE_S },
      extra: { name: "OPG", version: "1", assetTransferMethod: "permit2", facilitatorAddress },
    } as PaymentRequirements;
    const account = privateKeyToAccount(f.payer.privateKey as `0x${string}`);
    const { payload } = await new UptoClient(toClientEvmSigner(account)).createPaymentPayload(
      2,
      wanted,
    );
    const { permit2Authorization: signed, signature } = payload as {
      permit2Authorization: {
        from: string;
        permitted: { amount: string };
        nonce: string;
        deadline: string;
        witness: { validAfter: string };
      };
      signature: string;
    };
    await open({
      ...{ payer: signed.from, amount: BigInt(signed.permitted.amount), signature },
      ...{ nonce: BigInt(signed.nonce), validUntil: BigInt(signed.deadline) },
      validAfter: BigInt(signed.witness.validAfter),
    });
    expect((await balances(f)).held).to.equal(MOST);
  });

  it("test_FacilitatorIsMadeOfEveryTerm_AndKnownBefore", async () => {
    const escrow = await f.escrow.getAddress();
    const others: Partial<EscrowTerms>[] = [
      {},
      ...[{ node: f.node.address }, { payee: f.attacker.address }, { requestHash: id("other") }],
      ...[{ token: f.attacker.address }, { feeBps: 1n }, { kinds: 2n }, { captureWindow: 1n }],
    ];
    const seen = new Set<string>();
    for (const other of others) {
      const of = await termsOf(f, other);
      const facilitator = await f.escrow.facilitatorOf(of);
      expect(facilitator).to.equal(escrowFacilitator({ escrow, terms: of }));
      seen.add(facilitator);
    }
    expect(seen.size).to.equal(others.length);
  });

  describe("a stranger who has the permit", () => {
    it("test_RevertWhen_TheyNameOtherTerms", async () => {
      const payment = await permit(f, terms);
      for (const other of [
        ...[{ node: f.node.address }, { payee: f.attacker.address }, { requestHash: id("other") }],
        ...[{ kinds: ESCROW_KINDS.tee }, { captureWindow: terms.captureWindow + 1n }],
      ]) {
        await expectPermitRefused(open(payment, { ...terms, ...other }), "InvalidSigner");
      }
    });

    it("test_RevertWhen_TheyChangeThePayment", async () => {
      const payment = await permit(f, terms, { validAfter: 1n });
      for (const other of [
        ...[{ payer: f.otherPayer.address }, { amount: MOST - 1n }, { nonce: 8n }],
        ...[{ validAfter: 0n }, { validUntil: payment.validUntil + 1n }],
      ]) {
        await expectPermitRefused(open({ ...payment, ...other }), "InvalidSigner");
      }
    });

    it("test_RevertWhen_TheyOpenItTwice", async () => {
      const payment = await permit(f, terms);
      await open(payment);
      await expectRefusal(open(payment), "InferenceEscrow_JobNotInStatus");
      // Nor may an ended one be opened again.
      const job = { terms, ...payment, deadline: (await now(f)) + terms.captureWindow };
      await f.escrow.connect(f.seller).cancel({ ...job, feeReceiver: f.feeReceiver.address });
      await expectRefusal(open(payment), "InferenceEscrow_JobNotInStatus");
    });

    it("test_RevertWhen_TheyCallTheFacilitator", async () => {
      await openJob(f);
      const facilitator = await f.escrow.facilitatorOf(terms);
      const payment = await permit(f, terms, { nonce: 8n });
      const asProxy = await f.ethers.getContractAt("IUptoProxy", facilitator);
      const settle = asProxy.connect(f.attacker).settle(
        {
          permitted: { token: terms.token, amount: MOST },
          ...{ nonce: 8n, deadline: payment.validUntil },
        },
        ...([MOST, payment.payer] as const),
        { to: await f.escrow.getAddress(), facilitator, validAfter: 0n },
        payment.signature,
      );
      await expectRefusal(settle, "InferenceEscrow_NotEscrow");
    });
  });

  describe("what the permit says", () => {
    it("test_RevertWhen_ItIsForAnotherTokenReceiverOrFacilitator", async () => {
      for (const signed of [
        ...[{ token: f.attacker.address }, { to: f.seller.address }],
        { facilitator: await f.escrow.getAddress() },
      ]) {
        await expectPermitRefused(open(await permit(f, terms, { signed })), "InvalidSigner");
      }
    });

    it("test_RevertWhen_ItIsOverOrNotYetValidOrOfNothing", async () => {
      const late = await permit(f, terms);
      const early = await permit(f, terms, { validAfter: (await now(f)) + 2n * HOUR });
      await expectPermitRefused(open(early), "PaymentTooEarly");
      await expectPermitRefused(open(await permit(f, terms, { amount: 0n })), "InvalidAmount");
      await f.networkHelpers.time.increaseTo(late.validUntil + 1n);
      await expectPermitRefused(open(late), "SignatureExpired");
    });

    it("test_RevertWhen_ItsNonceWasUsedElsewhere", async () => {
      const payment = await permit(f, terms);
      // The payer pays somebody else by the same nonce first.
      const other = await permit(f, terms, {
        signed: { to: f.seller.address, facilitator: f.attacker.address },
      });
      const proxy = await f.ethers.getContractAt("IUptoProxy", x402UptoPermit2ProxyAddress);
      await proxy.connect(f.attacker).settle(
        {
          permitted: { token: terms.token, amount: MOST },
          ...{ nonce: other.nonce, deadline: other.validUntil },
        },
        ...([1n, other.payer] as const),
        { to: f.seller.address, facilitator: f.attacker.address, validAfter: 0n },
        other.signature,
      );
      await expectPermitRefused(open(payment), "InvalidNonce");
    });

    it("test_TwoPayersOfEqualTermsHaveAJobEach", async () => {
      const first = await openJob(f);
      const second = await openJob(f, { payer: f.otherPayer });
      const third = await openJob(f, { nonce: 9n });
      for (const job of [first, second, third]) {
        expect(await f.escrow.statusOf(escrowJobId(job))).to.equal(STATUS.Open);
      }
      expect((await balances(f)).held).to.equal(3n * MOST);
    });
  });

  describe("terms that are refused", () => {
    it("test_RevertWhen_ThePayeeIsNobodyOrTheEscrow", async () => {
      for (const payee of [ZeroAddress, await f.escrow.getAddress()]) {
        await expectRefusal(openUnder({ payee }), "Payouts_AccountInvalid");
      }
    });

    it("test_RevertWhen_NothingCounts_OrWhatNeverSettles", async () => {
      for (const bit of [0n, 3n, 4n, 5n]) {
        await expectRefusal(
          openUnder({ kinds: ESCROW_KINDS.tee | (1n << bit) }),
          "InferenceEscrow_KindsInvalid",
        );
      }
      await expectRefusal(openUnder({ kinds: 0n }), "InferenceEscrow_KindsInvalid");
    });

    it("test_RevertWhen_TheWindowIsOutsideItsBounds", async () => {
      const most = 30n * DAY;
      for (const [kinds, least] of [
        [ESCROW_KINDS.tee | ESCROW_KINDS.zkml, HOUR],
        [ESCROW_KINDS.teePage, HOUR + PARAMETERS.longRoad + 2n * DAY],
        [ESCROW_KINDS.tee | ESCROW_KINDS.optimisticPage, HOUR + PARAMETERS.longRoad + 2n * DAY],
      ] as const) {
        expect(await f.escrow.leastWindow(kinds)).to.equal(least);
        for (const captureWindow of [0n, least - 1n, most + 1n]) {
          await expect(openUnder({ kinds, captureWindow }))
            .to.be.revertedWithCustomError(f.escrow, "InferenceEscrow_WindowInvalid")
            .withArgs(least, most, captureWindow);
        }
        await openJob(f, { terms: { kinds, captureWindow: least }, nonce: 100n + kinds });
        await openJob(f, { terms: { kinds, captureWindow: most }, nonce: 1_000n + kinds });
      }
    });

    it("test_RevertWhen_TheFeeIsNotTodays", async () => {
      for (const feeBps of [0n, FEE_BPS - 1n, FEE_BPS + 1n]) {
        await expect(openUnder({ feeBps }))
          .to.be.revertedWithCustomError(f.escrow, "InferenceEscrow_FeeInvalid")
          .withArgs(FEE_BPS, feeBps);
      }
    });

    it("test_RevertWhen_TheTokenIsNotAllowed_OrBringsLessThanItSays", async () => {
      const hostile = await deployMock(f.ethers, "HostileToken");
      const token = hostile.target;
      await expectRefusal(openUnder({ token }), "InferenceEscrow_TokenNotAllowed");
      await f.escrow.connect(f.governance).setToken(token, true);
      await hostile.transfer(f.payer.address, MOST);
      const held = await f.ethers.getContractAt("OPG", token);
      await held.connect(f.payer).approve(PERMIT2_ADDRESS, MaxUint256);
      await hostile.setKept(1n);
      await expect(openUnder({ token }))
        .to.be.revertedWithCustomError(f.escrow, "InferenceEscrow_AmountInvalid")
        .withArgs(MOST, MOST - 1n);
      await hostile.setKept(0n);
      await openUnder({ token });
      await f.escrow.connect(f.governance).setToken(token, false);
      const later = await termsOf(f, { token });
      await expectRefusal(
        open(await permit(f, later, { nonce: 8n }), later),
        "InferenceEscrow_TokenNotAllowed",
      );
    });
  });

  describe("what governance does", () => {
    const byGovernance = () => f.escrow.connect(f.governance);

    it("test_SetsTokensAndTheFeeWithinItsBound", async () => {
      const token = await f.token.getAddress();
      await expect(byGovernance().setToken(token, false))
        .to.emit(f.escrow, "TokenAllowed")
        .withArgs(token, false);
      expect(await f.escrow.isTokenAllowed(token)).to.equal(false);
      await expect(byGovernance().setFee(1_000n, f.seller.address))
        .to.emit(f.escrow, "FeeChanged")
        .withArgs(1_000n, f.seller.address);
      expect([...(await f.escrow.fee())]).to.deep.equal([1_000n, f.seller.address]);
      await byGovernance().setFee(0n, ZeroAddress);
      expect([...(await f.escrow.fee())]).to.deep.equal([0n, ZeroAddress]);
      await expectRefusal(
        byGovernance().setFee(1_001n, f.seller.address),
        "InferenceEscrow_FeeInvalid",
      );
      for (const nobody of [ZeroAddress, await f.escrow.getAddress()]) {
        await expectRefusal(byGovernance().setFee(1n, nobody), "Payouts_AccountInvalid");
      }
      await expectRefusal(
        byGovernance().setToken(f.payer.address, true),
        "CaptureRules_NotAContract",
      );
    });

    it("test_RevertWhen_SomebodyElseDoes", async () => {
      const token = await f.token.getAddress();
      await expectRefusal(byAnyone().setToken(token, false), "AccessManagedUnauthorized");
      await expectRefusal(byAnyone().setFee(0n, ZeroAddress), "AccessManagedUnauthorized");
    });
  });

  it("test_RevertWhen_MadeWithoutItsContracts", async () => {
    const { manager, pages } = f;
    const good = [await manager.getAddress(), await pages.getAddress()] as const;
    const nobody = f.payer.address;
    for (const [authority, page, proxy] of [
      [nobody, good[1], x402UptoPermit2ProxyAddress],
      [good[0], nobody, x402UptoPermit2ProxyAddress],
      [...good, nobody],
    ] as const) {
      await expectRefusal(
        f.ethers.deployContract("InferenceEscrow", [authority, page, proxy]),
        "CaptureRules_NotAContract",
      );
    }
    expect(await f.escrow.SETTLEMENT()).to.equal(await f.settlement.getAddress());
    expect(await f.escrow.PAGES()).to.equal(good[1]);
    expect(await f.escrow.PROXY()).to.equal(x402UptoPermit2ProxyAddress);
  });
});
