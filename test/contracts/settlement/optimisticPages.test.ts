import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { PAGE_REASONS } from "@haca/protocol/pageSettlement";
import { encodeRequestId } from "@haca/protocol/requestId";
import { resultLeaf } from "@haca/protocol/resultPage";
import { expect } from "chai";
import { concat, id, toBeHex, Wallet, ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import {
  answerAt,
  answeredPage,
  deployOptimistic,
  type OptimisticFixture,
  optimisticPage,
  proofOf,
  settleFirst,
} from "../utils/optimisticFixture.ts";
import {
  challenge,
  commit,
  consent,
  DAY,
  DEPOSIT,
  idOf,
  leafOf,
  makeResult,
  PARAMETERS,
  type Page,
  propose,
  sign,
} from "../utils/pageFixture.ts";
import { prove } from "../utils/settlementFixture.ts";

const connection = await network.create();
const deploy = () => deployOptimistic(connection);

describe("PageSettlement: optimistic pages", () => {
  let f: OptimisticFixture;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.pages, error);
  const judge = async (of: Page, index = 7) =>
    PAGE_REASONS[Number(await f.pages.judgeLeaf(of.header, leafOf(of, index)))];
  const stateOf = async (of: Page) => f.pages.stateOfPage(await idOf(f, of));
  const withAnswer = async (
    overrides: Partial<InferenceResult>,
    signer?: Pick<Wallet, "signingKey">,
  ): Promise<Page> => optimisticPage(f, { 7: await answerAt(f, 7, overrides, signer) });

  describe("proposing", () => {
    it("test_TakesRequestsOfTheNode_AndHasTheLongRoadOnly", async () => {
      const { page } = await answeredPage(f, [0, 7]);
      await propose(f, page, f.node);
      const proposedAt = await now(f);
      expect([...(await stateOf(page))]).to.deep.equal([1n, proposedAt + PARAMETERS.longRoad]);
      const { shortRoad, longRoad } = await f.pages.pageOf(await idOf(f, page));
      expect([shortRoad, longRoad]).to.deep.equal([0n, PARAMETERS.longRoad]);
      expect(await f.settlement.occupied(page.header.ledgerPage)).to.equal(page.header.bitmap);
      await f.networkHelpers.time.increaseTo(proposedAt + PARAMETERS.longRoad + 1n);
      expect((await stateOf(page)).state).to.equal(2n);
      await f.networkHelpers.time.increase(7n * DAY);
      await f.pages.releaseBonds([page.header]);
      await f.pages.connect(f.node).withdraw(f.node, DEPOSIT);
    });

    it("test_ProposedForTheNode_WithItsSignatureOnly", async () => {
      const { page } = await answeredPage(f, [7], { proposer: f.operator.address });
      const deadline = (await now(f)) + 100n;
      await expectRefusal(
        propose(f, page, f.operator, { signature: "0x", deadline }),
        "PageSettlement_NoConsent",
      );
      const wrong = await consent(f, page, deadline, f.watcher as unknown as Wallet);
      await expectRefusal(
        propose(f, page, f.operator, { signature: wrong, deadline }),
        "PageSettlement_NoConsent",
      );
      const signature = await consent(f, page, deadline, f.node);
      await propose(f, page, f.operator, { signature, deadline });
      expect((await stateOf(page)).state).to.equal(1n);
    });

    it("test_RevertWhen_AnEnclaveIsNamed", async () => {
      const { page } = await answeredPage(f, [7], { teeId: f.enclave.teeId });
      await expect(propose(f, page, f.node))
        .to.be.revertedWithCustomError(f.pages, "PageSettlement_TeeIdNotZero")
        .withArgs(f.enclave.teeId);
    });

    it("test_RevertWhen_TheNodeIsNobody: the zero address, or behind the last page", async () => {
      // A failed recovery gives the zero address; it must not be taken for a node.
      const garbage = concat([toBeHex(1n, 32), toBeHex(1n, 32), "0x1d"]);
      const deadline = (await now(f)) + 100n;
      for (const ledgerPage of [0n, 5n, 1n << 248n, 1n << 255n]) {
        const { page } = await answeredPage(f, [7], { ledgerPage });
        for (const signature of [garbage, "0x"]) {
          const call = propose(f, page, f.node, { signature, deadline });
          await expect(call)
            .to.be.revertedWithCustomError(f.pages, "PageSettlement_NoConsent")
            .withArgs(ZeroAddress);
        }
      }
    });

    it("test_RevertWhen_TheAttesterVouchesForOne", async () => {
      const { page } = await answeredPage(f, [7]);
      await propose(f, page, f.node);
      await f.pages.connect(f.governance).setAttester(f.registry);
      const address = await f.registry.getAddress();
      await f.networkHelpers.impersonateAccount(address);
      await f.networkHelpers.setBalance(address, 10n ** 18n);
      const attester = f.pages.connect(await f.ethers.getSigner(address));
      await expect(attester.attest(page.header, 1n))
        .to.be.revertedWithCustomError(f.pages, "PageSettlement_KindNotOpen")
        .withArgs(3n);
    });
  });

  describe("nodes with code", () => {
    it("test_AContractIsNoNode_WhateverItSaysOfSignatures", async () => {
      const wallet = await deployMock(f.ethers, "OwnedWallet", [f.node.address]);
      const node = await wallet.getAddress();
      const requestId = encodeRequestId({ node, nonce: 7n });
      const ledgerPage = BigInt(requestId) >> 8n;
      const content = { 7: await answerAt(f, 7, { requestId }) };
      const page = optimisticPage(f, content, { ledgerPage, proposer: f.operator.address });
      // It would take this for a settlement of its own, by the same signature.
      const { result, words, signature } = content[7];
      const proof = prove({ ...f, result, words });
      await f.settlement.settleZkml.staticCall(result, [...words], proof, signature);
      const deadline = (await now(f)) + 100n;
      const agreed = await consent(f, page, deadline, f.node);
      await expectRefusal(
        propose(f, page, f.operator, { signature: agreed, deadline }),
        "PageSettlement_NoConsent",
      );
      expect(await judge(page)).to.equal("InvalidSignature");
      // Its own call is its consent; whoever looks at a leaf then wins.
      await f.networkHelpers.impersonateAccount(node);
      await f.networkHelpers.setBalance(node, 10n ** 18n);
      await f.token.approve(f.pages, DEPOSIT);
      await f.pages.deposit(node, DEPOSIT);
      const own = { ...page, header: { ...page.header, proposer: node } };
      await propose(f, own, await f.ethers.getSigner(node));
      await challenge(f, own, 7);
      expect((await f.pages.accountOf(node)).amount).to.equal(0n);
    });

    it("test_DelegatedCodeChangesNothing_ForTheNodesKey", async () => {
      // EIP-7702: code comes and goes; the key stays, and so does the verdict.
      const { page } = await answeredPage(f, [7]);
      const delegate = await f.ethers.deployContract("AnsweringWallet", ["0x"]);
      const designator = concat(["0xef0100", await delegate.getAddress()]);
      for (const code of ["0x", designator]) {
        await f.networkHelpers.setCode(f.node.address, code);
        expect(await judge(page)).to.equal("None");
      }
      await propose(f, page, f.node);
      await f.networkHelpers.setCode(f.node.address, "0x");
      expect(await judge(page)).to.equal("None");
    });
  });

  describe("what is wrong with a leaf", () => {
    const faults: [string, (typeof PAGE_REASONS)[number], () => Promise<Page>][] = [
      [
        "no result",
        "MalformedLeaf",
        async () => optimisticPage(f, { 0: await answerAt(f, 0), 7: "EMPTY" as const }),
      ],
      [
        "another node's request",
        "MalformedLeaf",
        () => withAnswer({ requestId: encodeRequestId({ node: f.watcher.address, nonce: 7n }) }),
      ],
      [
        "the result of another place",
        "MalformedLeaf",
        () => withAnswer({ requestId: encodeRequestId({ node: f.node.address, nonce: 8n }) }),
      ],
      ["an enclave", "WrongNode", () => withAnswer({ teeId: f.enclave.teeId })],
      [
        "the second of the proposal",
        "OutsideWindow",
        async () => withAnswer({ timestamp: (await now(f)) + 2n }),
      ],
      [
        "a time too long before it",
        "OutsideWindow",
        async () => withAnswer({ timestamp: (await now(f)) - PARAMETERS.resultWindow - 1n }),
      ],
      [
        "no signature",
        "InvalidSignature",
        async () => optimisticPage(f, { 7: { ...(await answerAt(f, 7)), signature: "0x" } }),
      ],
      [
        "a stranger's signature",
        "InvalidSignature",
        () => withAnswer({}, new Wallet(id("stranger"))),
      ],
      ["an enclave's session key", "InvalidSignature", () => withAnswer({}, f.session)],
      [
        "the signature of another result",
        "InvalidSignature",
        async () => {
          const { result } = await answerAt(f, 7, { price: 1n });
          const { signature } = await answerAt(f, 7);
          return optimisticPage(f, { 7: { result, signature } });
        },
      ],
      [
        "an unknown version",
        "VersionInvalid",
        () => withAnswer({ modelVersion: id("no version") }),
      ],
      [
        "a version without a key",
        "VersionInvalid",
        () => withAnswer({ modelVersion: f.signedVersion }),
      ],
      [
        "a version of which no proof was shown",
        "VersionInvalid",
        () => withAnswer({ modelVersion: f.unproved }),
      ],
      [
        "a version that was deprecated before",
        "VersionInvalid",
        async () => {
          await f.models.connect(f.governance).deprecateVersion(f.proved);
          return withAnswer({ timestamp: await now(f) });
        },
      ],
    ];
    for (const [what, reason, make] of faults) {
      it(`test_RejectsAPageWith ${what}: ${reason}`, async () => {
        const bad = await make();
        // As of the next block, in which it is proposed.
        const time = (await now(f)) + 2n;
        await f.networkHelpers.time.setNextBlockTimestamp(time);
        await propose(f, bad, f.node);
        expect(await judge(bad)).to.equal(reason);
        await challenge(f, bad, 7);
        expect((await stateOf(bad)).state).to.equal(3n);
        expect((await f.pages.accountOf(f.node.address)).amount).to.equal(0n);
        expect((await f.pages.accountOf(f.watcher.address)).amount).to.equal((DEPOSIT * 3n) / 2n);
        // Whatever it was: nothing of it is settled on the way that rejected pages have.
        if (reason !== "MalformedLeaf") {
          const { words } = await answerAt(f, 7);
          await expectRefusal(
            f.pages.proveLeaf(...proofOf(f, bad, 7, words)),
            "PageSettlement_LeafIsBad",
          );
        }
      });
    }

    it("test_NothingInTheBlockOfAProposalChangesAVerdict", async () => {
      const first = await settleFirst(f, f.unproved, 1n << 41n);
      const time = (await now(f)) + 10n;
      const before = await answerAt(f, 7, { timestamp: time - 1n });
      const early = await answerAt(f, 8, { timestamp: time - 1n, modelVersion: f.unproved });
      const page = optimisticPage(f, { 7: before, 8: early });
      const { provider } = f.ethers;
      await f.networkHelpers.time.setNextBlockTimestamp(time);
      await provider.send("evm_setAutomine", [false]);
      const options = { gasLimit: 1_000_000n };
      const { proposer, ...rest } = page.header;
      await f.pages.connect(f.node).proposePage({ ...rest, deadline: 0n }, "0x", options);
      await f.models.connect(f.governance).deprecateVersion(f.proved, options);
      await f.pages.admitVersion(first, options);
      await provider.send("evm_setAutomine", [true]);
      await f.networkHelpers.mine();
      expect((await f.pages.pageOf(await idOf(f, page))).proposedAt).to.equal(time);
      expect(await f.pages.admittedAt(f.unproved)).to.equal(time);
      expect(await judge(page, 7)).to.equal("None");
      // Admitted in the same second is not before, for good.
      expect(await judge(page, 8)).to.equal("VersionInvalid");
      await f.networkHelpers.time.increase(DAY);
      expect(await judge(page, 7)).to.equal("None");
      expect(await judge(page, 8)).to.equal("VersionInvalid");
    });

    it("test_TwoResultsOfTheNodeForOneRequest_RejectThePage", async () => {
      const { page } = await answeredPage(f, [0, 7]);
      await propose(f, page, f.node);
      const other = await answerAt(f, 7, { outputHash: id("another answer") });
      const show = async (second: InferenceResult, signature: string) => {
        const digest = hashResult({ domain: f.domain, result: second });
        const salt = await commit(f, page, 7, resultLeaf({ digest, signature }));
        return f.pages.challengeConflict(
          ...([page.header, leafOf(page, 7), second, signature, f.watcher.address, salt] as const),
        );
      };
      const same = leafOf(page, 7);
      const foreign = await answerAt(f, 7, other.result, new Wallet(id("stranger")));
      for (const [second, signature] of [
        [same.result, same.signature],
        [other.result, "0x"],
        [other.result, foreign.signature],
      ] as const) {
        await expectRefusal(show(second, signature), "PageSettlement_NoConflict");
      }
      await show(other.result, other.signature);
      const { reason, outcome } = await f.pages.pageOf(await idOf(f, page));
      expect([PAGE_REASONS[Number(reason)], outcome]).to.deep.equal(["ConflictingReceipt", 2n]);
    });
  });

  describe("versions", () => {
    it("test_AdmitsAVersion_ByAResultThatWasProved", async () => {
      const result = await settleFirst(f, f.unproved, 1n << 41n);
      await expect(f.pages.connect(f.watcher).admitVersion(result))
        .to.emit(f.pages, "VersionAdmitted")
        .withArgs(f.unproved, result.requestId);
      expect(await f.pages.admittedAt(f.unproved)).to.equal(await now(f));
      expect(await judge(await withAnswer({ modelVersion: f.unproved }))).to.equal(
        "VersionInvalid",
      );
      await f.networkHelpers.mine();
      expect(await judge(await withAnswer({ modelVersion: f.unproved }))).to.equal("None");
      await expectRefusal(f.pages.admitVersion(result), "PageSettlement_NotAdmissible");
    });

    it("test_RevertWhen_NothingWasProved", async () => {
      const settled = await settleFirst(f, f.unproved, 1n << 41n);
      const free = await answerAt(f, 9, { modelVersion: f.unproved });
      const vanilla = await answerAt(f, 10, { modelVersion: f.unproved, price: 1n });
      await f.settlement.connect(f.node).settleVanilla(vanilla.result, 0n, "0x");
      const signed = await makeResult(f, 7, { price: 1n });
      await f.settlement.settleTee(signed, sign(f, signed));
      for (const result of [
        { ...settled, modelVersion: f.signedVersion },
        { ...settled, price: 2n },
        free.result,
        vanilla.result,
        signed,
        { ...settled, requestId: ZeroHash },
      ]) {
        await expectRefusal(f.pages.admitVersion(result), "PageSettlement_NotAdmissible");
      }
      expect(await f.pages.admittedAt(f.unproved)).to.equal(0n);
      expect(await f.pages.admittedAt(f.signedVersion)).to.equal(0n);
    });
  });
});
