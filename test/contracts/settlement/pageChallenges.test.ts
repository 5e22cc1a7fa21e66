import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { challengeCommitment, PAGE_REASONS, PAGE_STATES } from "@haca/protocol/pageSettlement";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { resultLeaf } from "@haca/protocol/resultPage";
import { sessionKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import { expect } from "chai";
import { id, parseEther, type Signer, Wallet, ZeroHash } from "ethers";
import { network } from "hardhat";
import { admit, loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  type Content,
  challenge,
  commit,
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
const LEAF_DEPOSIT = parseEther("10");
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("PageSettlement: challenges", () => {
  let f: PageFixture;
  let page: Page;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    page = makePage(f, await goodResults(f, [0, 7, 255]));
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.pages, error);
  const judge = async (of: Page, index: number) =>
    PAGE_REASONS[Number(await f.pages.judgeLeaf(of.header, leafOf(of, index)))];
  const recordOf = async (of: Page) => f.pages.pageOf(await idOf(f, of));
  const stateOf = async (of: Page) =>
    PAGE_STATES[Number((await f.pages.stateOfPage(await idOf(f, of))).state)];
  const goTo = (time: bigint) => f.networkHelpers.time.increaseTo(time);
  const mineAt = (time: bigint) => f.networkHelpers.time.setNextBlockTimestamp(time);
  const endOf = async (of: Page) => (await f.pages.stateOfPage(await idOf(f, of))).until;
  const amountOf = async (of: { address: string }) => (await f.pages.accountOf(of.address)).amount;
  /** A page with one result, at place 7, that is as `overrides` say. */
  const withResult = async (
    overrides: Partial<InferenceResult>,
    signedBy?: Parameters<typeof sign>[2],
  ): Promise<Page> => {
    const result = await makeResult(f, 7, overrides);
    return makePage(f, { 7: { result, signature: sign(f, result, signedBy) } });
  };

  describe("what is wrong with a leaf", () => {
    /** Each way in which a leaf can be wrong by itself, and what it is called. */
    const faults: [string, (typeof PAGE_REASONS)[number], () => Promise<Page>][] = [
      [
        "no result",
        "MalformedLeaf",
        async () => makePage(f, { ...(await goodResults(f, [0])), 7: "EMPTY" as const }),
      ],
      [
        "the result of another place",
        "MalformedLeaf",
        async () => {
          const result = await makeResult(f, 8);
          return makePage(f, { 7: { result, signature: sign(f, result) } });
        },
      ],
      [
        "the result of another ledger page",
        "MalformedLeaf",
        () =>
          withResult({
            requestId: encodeRequestId({ node: nodeOfEnclave(f.enclave.teeId), nonce: 256n + 7n }),
          }),
      ],
      [
        "another node's request",
        "MalformedLeaf",
        () => withResult({ requestId: encodeRequestId({ node: f.operator.address, nonce: 7n }) }),
      ],
      ["no enclave", "WrongNode", () => withResult({ teeId: ZeroHash })],
      [
        "another enclave under these nonces",
        "WrongNode",
        async () => {
          const { enclave, teeId } = await admit(f, { kind: "secp256k1" });
          return withResult({ teeId }, enclave);
        },
      ],
      [
        "a time after the proposal",
        "OutsideWindow",
        async () => withResult({ timestamp: (await now(f)) + 100n }),
      ],
      [
        "a time too long before it",
        "OutsideWindow",
        async () => withResult({ timestamp: (await now(f)) - PARAMETERS.resultWindow - 1n }),
      ],
      ["no signature", "InvalidSignature", async () => makePage(f, await unsigned(f, 7))],
      [
        "a stranger's signature",
        "InvalidSignature",
        () => withResult({}, new Wallet(id("stranger"))),
      ],
      [
        "another enclave's signature",
        "InvalidSignature",
        async () => withResult({}, (await admit(f, { kind: "rsa" })).enclave),
      ],
      [
        "the signature of another result",
        "InvalidSignature",
        async () => {
          const result = await makeResult(f, 7);
          return makePage(f, { 7: { result, signature: sign(f, { ...result, price: 1n }) } });
        },
      ],
      [
        "a session signature with the other s",
        "InvalidSignature",
        async () => {
          const result = await makeResult(f, 7);
          const { r, s, v } = f.session.signingKey.sign(hashResult({ domain: f.domain, result }));
          const other = (CURVE_ORDER - BigInt(s)).toString(16).padStart(64, "0");
          const signature = `${r}${other}${v === 27 ? "1c" : "1b"}`;
          return makePage(f, { 7: { result, signature } });
        },
      ],
      [
        "an unknown version",
        "VersionInvalid",
        () => withResult({ modelVersion: id("no version") }),
      ],
      [
        "a version that was deprecated before",
        "VersionInvalid",
        async () => {
          await f.models.connect(f.governance).deprecateVersion(f.versionId);
          await f.networkHelpers.mine(2);
          return withResult({ timestamp: await now(f) });
        },
      ],
      [
        "an enclave that was out of service",
        "KeyNotInService",
        async () => {
          await f.registry.connect(f.operator).disableTEE(f.enclave.teeId);
          await f.networkHelpers.mine(2);
          return withResult({ timestamp: await now(f) });
        },
      ],
      [
        "an enclave that is banned",
        "KeyNotInService",
        async () => {
          const banned = await withResult({});
          await f.registry.connect(f.guardian).banTEE(f.enclave.teeId);
          return banned;
        },
      ],
      [
        "a session key that had ended",
        "KeyNotInService",
        async () => {
          await f.registry.connect(f.operator).endSessionKey(f.enclave.teeId, f.session.address);
          return withResult({ timestamp: await now(f) });
        },
      ],
    ];
    for (const [what, reason, make] of faults) {
      it(`test_RejectsAPageWith ${what}: ${reason}`, async () => {
        const bad = await make();
        // Whoever proposes can see it beforehand.
        expect(await judge(bad, 7)).to.equal(reason);
        await propose(f, bad);
        expect(await judge(bad, 7)).to.equal(reason);
        await expect(challenge(f, bad, 7))
          .to.emit(f.pages, "PageRefuted")
          .withArgs(
            ...[await idOf(f, bad), PAGE_REASONS.indexOf(reason), 3n, f.watcher.address],
            DEPOSIT / 2n,
          );
        expect(await stateOf(bad)).to.equal("Rejected");
        expect(await f.settlement.occupied(bad.header.ledgerPage)).to.equal(0n);
        expect(await amountOf(f.operator)).to.equal(0n);
        expect(await amountOf(f.watcher)).to.equal(DEPOSIT + DEPOSIT / 2n);
      });
    }

    it("test_HeartbeatKeysSignNoResults", async () => {
      const { chainId, registry, enclave } = f;
      const key = new Wallet(id("heartbeats"));
      const until = (await now(f)) + DAY;
      const digest = sessionKeyDigest({
        domain: teeRegistryDomain({ chainId, registry: await registry.getAddress() }),
        ...{ teeId: enclave.teeId, key: key.address, signsResults: false, until, counter: 2n },
      });
      await registry.certifySessionKey(
        ...([enclave.teeId, key.address, false, until, 2n, enclave.sign(digest)] as const),
      );
      await f.networkHelpers.time.increase(100);
      expect(await judge(await withResult({}, key), 7)).to.equal("InvalidSignature");
    });

    it("test_WhatHappensLaterChangesNoVerdict_ButABan", async () => {
      await propose(f, page);
      await f.models.connect(f.governance).deprecateVersion(f.versionId);
      await f.registry.connect(f.operator).endSessionKey(f.enclave.teeId, f.session.address);
      await f.registry.connect(f.operator).disableTEE(f.enclave.teeId);
      await f.networkHelpers.time.increase(2n * DAY);
      expect(await judge(page, 7)).to.equal("None");
      await f.registry.connect(f.guardian).banTEE(f.enclave.teeId);
      expect(await judge(page, 7)).to.equal("KeyNotInService");
    });

    it("test_ResultsFromTheNextSeconds_AreGood", async () => {
      const ahead = await withResult({ timestamp: (await now(f)) + 50n });
      await propose(f, ahead);
      expect(await judge(ahead, 7)).to.equal("None");
    });

    it("test_RevertWhen_TheLeafIsGood_NotInThePage_OrNotTaken", async () => {
      await propose(f, page);
      const salt = await commit(f, page, 7);
      const show = (leaf: ReturnType<typeof leafOf>) =>
        f.pages.challenge(page.header, leaf, f.watcher.address, salt);
      const leaf = leafOf(page, 7);
      await expectRefusal(show(leaf), "PageSettlement_LeafIsGood");
      for (const other of [
        { ...leaf, signature: "0x" },
        { ...leaf, index: 0 },
        { ...leaf, result: { ...leaf.result, outputHash: id("lie") } },
        { ...leaf, siblings: leaf.siblings.with(7, ZeroHash) },
      ]) {
        await expectRefusal(show(other), "PageSettlement_NotIncluded");
      }
      await expectRefusal(show({ ...leafOf(page, 8), index: 8 }), "PageSettlement_NotTaken");
      expect(await stateOf(page)).to.equal("Pending");
    });

    it("test_RevertWhen_ALeafIsShownInAnotherPlace: there is one for a nonce", async () => {
      await propose(f, page);
      const foreign = { ...leafOf(page, 0), index: 7 };
      for (const siblings of [leafOf(page, 7).siblings, leafOf(page, 0).siblings]) {
        await expectRefusal(
          f.pages.judgeLeaf(page.header, { ...foreign, siblings }),
          "PageSettlement_NotIncluded",
        );
      }
    });
  });

  describe("commitments", () => {
    let bad: Page;
    beforeEach(async () => {
      bad = makePage(f, { ...(await goodResults(f, [0])), ...(await unsigned(f, 7)) });
      await propose(f, bad);
    });
    const show = (by: Signer, challenger: string, salt: string, index = 7) =>
      f.pages.connect(by).challenge(bad.header, leafOf(bad, index), challenger, salt);

    it("test_WhoeverCopiesAChallenge_SendsItForItsAuthor", async () => {
      const salt = await commit(f, bad, 7);
      const before = await amountOf(f.watcher);
      await show(f.payee, f.watcher.address, salt);
      expect(await amountOf(f.watcher)).to.equal(before + DEPOSIT / 2n);
      expect(await amountOf(f.payee)).to.equal(0n);
    });

    it("test_RevertWhen_SentForAnother_WithAnotherSalt_OrUncommitted", async () => {
      const salt = await commit(f, bad, 7);
      for (const [challenger, number] of [
        [f.payee.address, salt],
        [f.watcher.address, ZeroHash],
      ] as const) {
        await expectRefusal(show(f.payee, challenger, number), "PageSettlement_CommitmentInvalid");
      }
    });

    it("test_RevertWhen_CommittedInTheSameBlock", async () => {
      const { provider } = f.ethers;
      await provider.send("evm_setAutomine", [false]);
      const options = { gasLimit: 2_000_000n };
      const leafHash = resultLeaf({
        digest: hashResult({ domain: f.domain, result: leafOf(bad, 7).result }),
        signature: "0x",
      });
      const pageId = await idOf(f, bad);
      const salt = id("copied");
      const challenger = f.payee.address;
      const commitment = challengeCommitment({ pageId, index: 7, leafHash, challenger, salt });
      await f.pages.connect(f.payee).commitChallenge(commitment, options);
      const call = await f.pages
        .connect(f.payee)
        .challenge(bad.header, leafOf(bad, 7), challenger, salt, options);
      await provider.send("evm_setAutomine", [true]);
      await f.networkHelpers.mine();
      const receipt = await provider.getTransactionReceipt(call.hash);
      expect(receipt?.status).to.equal(0);
      expect(await stateOf(bad)).to.equal("Pending");
      // A block later it counts.
      await show(f.payee, challenger, salt);
      expect(await stateOf(bad)).to.equal("Rejected");
    });

    it("test_RevertWhen_CommittedAgain", async () => {
      await commit(f, bad, 7);
      await expectRefusal(commit(f, bad, 7), "PageSettlement_CommitmentInvalid");
    });

    it("test_RevertWhen_ChallengedASecondTime_OrNeverProposed", async () => {
      await challenge(f, bad, 7);
      const salt = await commit(f, bad, 7);
      await expectRefusal(show(f.watcher, f.watcher.address, salt), "PageSettlement_StateInvalid");
      const unproposed = makePage(f, await unsigned(f, 9));
      await expectRefusal(challenge(f, unproposed, 9), "PageSettlement_StateInvalid");
    });

    it("test_TooLittleGasNeverRejects_AGoodLeafOrABadOne", async () => {
      const result = await makeResult(f, 30);
      const good = makePage(f, { 30: { result, signature: sign(f, result, f.enclave) } });
      await propose(f, good);
      const salt = await commit(f, good, 30);
      const request = await f.pages.challenge.populateTransaction(
        ...([good.header, leafOf(good, 30), f.watcher.address, salt] as const),
      );
      for (let gasLimit = 60_000; gasLimit < 260_000; gasLimit += 4_999) {
        const call = f.watcher.sendTransaction({ ...request, gasLimit });
        await expect(call).to.revert(f.ethers);
      }
      expect(await stateOf(good)).to.equal("Pending");
    });
  });

  describe("two results for one request", () => {
    let other: InferenceResult;
    beforeEach(async () => {
      await propose(f, page);
      other = { ...leafOf(page, 7).result, outputHash: id("another answer") };
    });
    const show = async (second: InferenceResult, signature: string, of = page, index = 7) => {
      const digest = hashResult({ domain: f.domain, result: second });
      const salt = await commit(f, of, index, resultLeaf({ digest, signature }));
      return f.pages.challengeConflict(
        ...([of.header, leafOf(of, index), second, signature, f.watcher.address, salt] as const),
      );
    };

    for (const key of ["session", "enclave"] as const) {
      it(`test_RejectsThePage_WhenTheEnclaveSignedBoth_${key}`, async () => {
        await show(other, sign(f, other, f[key]));
        expect(await stateOf(page)).to.equal("Rejected");
        expect(PAGE_REASONS[Number((await recordOf(page)).reason)]).to.equal("ConflictingReceipt");
      });
    }

    it("test_RevertWhen_ItIsTheSame_OfAnotherRequest_OrUnsigned", async () => {
      const same = leafOf(page, 7).result;
      const elsewhere = leafOf(page, 255).result;
      const stranger = new Wallet(id("stranger"));
      for (const [second, signature] of [
        [same, sign(f, same, f.enclave)],
        [elsewhere, sign(f, elsewhere)],
        [other, "0x"],
        [other, sign(f, other, stranger)],
      ] as const) {
        await expectRefusal(show(second, signature), "PageSettlement_NoConflict");
      }
      expect(await stateOf(page)).to.equal("Pending");
    });

    it("test_RevertWhen_TheSessionKeyWasNotValidAtTheOthersTime", async () => {
      const late = { ...other, timestamp: other.timestamp - DAY };
      await expectRefusal(show(late, sign(f, late)), "PageSettlement_NoConflict");
    });

    it("test_RevertWhen_TheLeafIsBadByItself", async () => {
      const bad = makePage(f, await unsigned(f, 12));
      await propose(f, bad);
      const second = { ...leafOf(bad, 12).result, price: 1n };
      await expectRefusal(show(second, sign(f, second), bad, 12), "PageSettlement_LeafIsBad");
    });
  });

  describe("after the end", () => {
    let bad: Page;
    beforeEach(async () => {
      bad = makePage(f, { ...(await goodResults(f, [0])), ...(await unsigned(f, 7)) });
      await propose(f, bad);
    });

    it("test_DisprovesAFinalPage_WhoseRequestsStayTaken", async () => {
      await goTo((await endOf(bad)) + 7n * DAY - 100n);
      await challenge(f, bad, 7);
      expect(await stateOf(bad)).to.equal("Disproved");
      expect(await f.settlement.occupied(bad.header.ledgerPage)).to.equal(bad.header.bitmap);
      expect(await amountOf(f.operator)).to.equal(0n);
      const { requestId } = leafOf(bad, 0).result;
      expect((await f.pages.stateOf(requestId, bad.header)).state).to.equal(4n);
      await expectRefusal(
        f.pages.settleAgain(bad.header, leafOf(bad, 0)),
        "PageSettlement_StateInvalid",
      );
    });

    it("test_ASequencerThatIsDownForTwelveHours_OverTheEndOfTheRoad_SavesNoPage", async () => {
      const end = await endOf(bad);
      await mineAt(end - 60n);
      const salt = await commit(f, bad, 7);
      const before = await amountOf(f.watcher);
      // No block for so long: the challenge comes when the page is final.
      await mineAt(end + 12n * HOUR);
      await f.pages.challenge(bad.header, leafOf(bad, 7), f.watcher.address, salt);
      expect(await stateOf(bad)).to.equal("Disproved");
      expect(await amountOf(f.watcher)).to.equal(before + DEPOSIT / 2n);
      expect(await amountOf(f.operator)).to.equal(0n);
    });

    it("test_RevertWhen_TheEvidenceWindowIsOver_OrTheBondIsFree", async () => {
      const latest = (await endOf(bad)) + 7n * DAY;
      const salt = await commit(f, bad, 7);
      const show = () => f.pages.challenge(bad.header, leafOf(bad, 7), f.watcher.address, salt);
      await mineAt(latest + 1n);
      await expectRefusal(show(), "PageSettlement_TooLate");
      await f.pages.releaseBonds([bad.header]);
      await expectRefusal(show(), "PageSettlement_StateInvalid");
    });

    it("test_RejectionTakesTheDepositOnce_AndTheFeeThatNobodyEarned", async () => {
      const fee = 100n;
      const second = makePage(f, { ...(await unsigned(f, 20)) }, { fee });
      await propose(f, second);
      await challenge(f, second, 20);
      expect(await f.pages.forfeits()).to.equal(DEPOSIT / 2n);
      // The first page has nothing left to answer with, and is wrong all the same.
      const before = await amountOf(f.watcher);
      await challenge(f, bad, 7);
      expect(await amountOf(f.watcher)).to.equal(before);
      expect((await f.pages.accountOf(f.operator.address)).openPages).to.equal(0n);
      const supply = await f.token.totalSupply();
      await f.pages.burnForfeits();
      expect(await f.token.totalSupply()).to.equal(supply - DEPOSIT / 2n);
    });

    it("test_ChallengesGoOn_WhenGovernanceTookTheLedgerAway", async () => {
      await f.settlement.connect(f.governance).setLedgerWriter(f.pages, false);
      await challenge(f, bad, 7);
      expect(await stateOf(bad)).to.equal("Rejected");
      expect(await f.settlement.occupied(bad.header.ledgerPage)).to.equal(0n);
    });

    it("test_PausedProposalsKeepNobodyFromChallenging", async () => {
      await f.pages.connect(f.guardian).pauseProposals((await now(f)) + DAY);
      await challenge(f, bad, 7);
      expect(await stateOf(bad)).to.equal("Rejected");
    });
  });

  describe("what a rejection leaves", () => {
    let bad: Page;
    let rejectedAt: bigint;
    beforeEach(async () => {
      bad = makePage(f, { ...(await goodResults(f, [0, 3])), ...(await unsigned(f, 7)) });
      await propose(f, bad);
      await goTo((await endOf(bad)) - HOUR);
      await challenge(f, bad, 7);
      rejectedAt = await now(f);
    });
    const again = (index: number) => f.pages.settleAgain(bad.header, leafOf(bad, index));

    it("test_GoodResultsSettleAlone_ByTheirOwnWindow", async () => {
      const { result, signature } = leafOf(bad, 0);
      await f.settlement.settleTee(result, signature);
      expect((await f.pages.stateOf(result.requestId, bad.header)).state).to.equal(2n);
      await expect(again(0)).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_AlreadySettled",
      );
    });

    it("test_GoodResultsSettleAgain_AfterTheirWindow_ForSevenDays", async () => {
      const { result, signature } = leafOf(bad, 0);
      await goTo(rejectedAt + 7n * DAY - 10n);
      await expect(f.settlement.settleTee(result, signature)).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_ResultExpired",
      );
      await expect(again(0))
        .to.emit(f.pages, "SettledAgain")
        .withArgs(await idOf(f, bad), result.requestId);
      expect(await f.settlement.isSettled(result.requestId)).to.equal(true);
      await mineAt(rejectedAt + 7n * DAY + 1n);
      await expectRefusal(again(3), "PageSettlement_TooLate");
    });

    it("test_RevertWhen_TheResultIsBad_OrNotOfThePage", async () => {
      await expect(again(7)).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_EnclaveSignatureInvalid",
      );
      const leaf = leafOf(bad, 0);
      await expectRefusal(
        f.pages.settleAgain(bad.header, { ...leaf, signature: "0x" }),
        "PageSettlement_NotIncluded",
      );
      await expectRefusal(
        f.pages.settleAgain(page.header, leafOf(page, 0)),
        "PageSettlement_StateInvalid",
      );
    });

    it("test_RevertWhen_SomebodyElseSettlesLate", async () => {
      const { result, signature } = leafOf(bad, 0);
      await expect(f.settlement.settleTeeLate(result, signature)).to.be.revertedWithCustomError(
        f.settlement,
        "RequestLedger_NotWriter",
      );
    });

    it("test_AnotherPageTakesTheRequests", async () => {
      await f.token.approve(f.pages, DEPOSIT);
      await f.pages.deposit(f.operator.address, DEPOSIT);
      const better = makePage(f, await goodResults(f, [0, 3, 7]));
      await propose(f, better);
      expect(await stateOf(better)).to.equal("Pending");
      await expect(again(0)).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_AlreadySettled",
      );
    });
  });

  describe("withheld leaves", () => {
    let pageId: string;
    beforeEach(async () => {
      await propose(f, page);
      pageId = await idOf(f, page);
    });
    const request = (index: number, by: Signer = f.watcher, of = page) =>
      f.pages.connect(by).requestLeaf(of.header, index);
    const answer = (indices: readonly number[], by: Signer = f.payee, of = page) =>
      f.pages
        .connect(by)
        .answerLeaves(indices.map((index) => ({ header: of.header, leaf: leafOf(of, index) })));

    it("test_AnybodyAnswers_AndGetsTheDeposit", async () => {
      await expect(request(7)).to.emit(f.pages, "LeafRequested");
      const deadline = (await now(f)) + DAY;
      expect(Array.from(await f.pages.leafRequestOf(pageId, 7))).to.deep.equal([
        ...[f.watcher.address, deadline, 1n],
      ]);
      await expect(answer([7]))
        .to.emit(f.pages, "LeafAnswered")
        .withArgs(pageId, 7, f.payee.address);
      expect(await amountOf(f.payee)).to.equal(LEAF_DEPOSIT);
      expect(await amountOf(f.watcher)).to.equal(DEPOSIT - LEAF_DEPOSIT);
      await expectRefusal(answer([7]), "PageSettlement_RequestInvalid");
      expect((await recordOf(page)).openRequests).to.equal(0n);
      // A watcher who has their leaf back may take out the rest.
      await f.pages.connect(f.watcher).withdraw(f.watcher, 1n);
    });

    it("test_DepositsDoubleWithEveryOpenRequest_SevenTimes_AndNobodyIsShutOut", async () => {
      const places = Array.from({ length: 256 }, (_, index) => index).filter(
        (index) => ![0, 7, 255].includes(index),
      );
      const many = makePage(f, await goodResults(f, places));
      await propose(f, many);
      await f.token.approve(f.pages, 400n * DEPOSIT);
      await f.pages.deposit(f.watcher.address, 400n * DEPOSIT);
      const before = await amountOf(f.watcher);
      for (const index of places.slice(0, 8)) await request(index, f.watcher, many);
      expect(await amountOf(f.watcher)).to.equal(before - 255n * LEAF_DEPOSIT);
      // Whoever holds eight requests keeps nobody from the ninth, or from any other.
      for (const index of places.slice(8)) await request(index, f.watcher, many);
      const rest = BigInt(places.length - 8);
      expect(await amountOf(f.watcher)).to.equal(before - (255n + 128n * rest) * LEAF_DEPOSIT);
      await answer(places.slice(0, 32), f.payee, many);
      expect(await amountOf(f.payee)).to.equal((255n + 128n * 24n) * LEAF_DEPOSIT);
    });

    it("test_EveryRequestHasItsFullTime_AndTheEndMovesByADayAtMost", async () => {
      const end = await endOf(page);
      await request(7);
      const early = (await now(f)) + 2n * DAY;
      expect((await f.pages.stateOfPage(pageId)).until).to.equal(2n ** 256n - 1n);
      await answer([7]);
      // Longer than that the road is anyway.
      expect(await endOf(page)).to.equal(end);
      expect((await recordOf(page)).extendedUntil).to.equal(early);
      await mineAt(end - DAY);
      await request(0);
      await answer([0]);
      expect(await endOf(page)).to.equal(end + DAY);
      await mineAt(end - DAY + 10n);
      await expectRefusal(request(255), "PageSettlement_TooLate");
    });

    it("test_RevertWhen_AskedTwice_ForWhatIsNotTaken_WithoutADeposit_OrTooLate", async () => {
      await request(7);
      await expectRefusal(request(7), "PageSettlement_RequestInvalid");
      await expectRefusal(request(8), "PageSettlement_NotTaken");
      await expectRefusal(request(0, f.payee), "PageSettlement_DepositTooSmall");
      // What a proposer's pages answer for is not to be put aside.
      await expectRefusal(request(0, f.operator), "PageSettlement_PagesOpen");
      const late = makePage(f, await goodResults(f, [20]));
      await propose(f, late);
      await mineAt((await endOf(late)) - DAY + 1n);
      await expectRefusal(request(20, f.watcher, late), "PageSettlement_TooLate");
      const unproposed = makePage(f, await goodResults(f, [30]));
      await expectRefusal(request(30, f.watcher, unproposed), "PageSettlement_StateInvalid");
    });

    it("test_RejectsAPageWhoseLeafNobodyShows", async () => {
      await request(7);
      const { deadline } = await f.pages.leafRequestOf(pageId, 7);
      await mineAt(deadline);
      await expectRefusal(f.pages.rejectWithheld(page.header, 7), "PageSettlement_TooEarly");
      await mineAt(deadline + 1n);
      await expect(f.pages.connect(f.payee).rejectWithheld(page.header, 7))
        .to.emit(f.pages, "PageRefuted")
        .withArgs(
          pageId,
          PAGE_REASONS.indexOf("DataWithheld"),
          3n,
          f.watcher.address,
          DEPOSIT / 2n,
        );
      expect(await amountOf(f.watcher)).to.equal(DEPOSIT + DEPOSIT / 2n);
      await expectRefusal(f.pages.rejectWithheld(page.header, 7), "PageSettlement_RequestInvalid");
    });

    it("test_ASequencerThatIsDownForTwelveHours_LeavesTimeToAnswer", async () => {
      const end = await endOf(page);
      await mineAt(end - DAY);
      await request(7);
      await mineAt(end - 12n * HOUR);
      await answer([7]);
      // Whoever doubts what was shown has a day after the latest answer, whenever it came.
      expect(await endOf(page)).to.equal(end + DAY);
      await goTo(end + DAY + 1n);
      expect(await stateOf(page)).to.equal("Final");
    });

    it("test_APageIsNotFinalWhileSomebodyWaits_HoweverLate", async () => {
      await request(7);
      await goTo((await now(f)) + 60n * DAY);
      expect(await stateOf(page)).to.equal("Pending");
      await expectRefusal(answer([7]), "PageSettlement_TooLate");
      await f.pages.rejectWithheld(page.header, 7);
      expect(await stateOf(page)).to.equal("Rejected");
      expect(await f.settlement.occupied(page.header.ledgerPage)).to.equal(0n);
    });

    it("test_AnswersGoBack_WhenThePageFallsForAnotherReason", async () => {
      const content: Content = { ...(await goodResults(f, [40])), ...(await unsigned(f, 41)) };
      const bad = makePage(f, content);
      await propose(f, bad);
      await request(40, f.watcher, bad);
      await expectRefusal(f.pages.returnRequest(bad.header, 40), "PageSettlement_StateInvalid");
      await challenge(f, bad, 41);
      await expectRefusal(answer([40], f.payee, bad), "PageSettlement_StateInvalid");
      const before = await amountOf(f.watcher);
      await f.pages.connect(f.payee).returnRequest(bad.header, 40);
      expect(await amountOf(f.watcher)).to.equal(before + LEAF_DEPOSIT);
      await expectRefusal(f.pages.returnRequest(bad.header, 40), "PageSettlement_RequestInvalid");
      await expectRefusal(answer([40], f.payee, bad), "PageSettlement_RequestInvalid");
    });

    it("test_RevertWhen_TheAnswerIsNotTheLeaf_OrNobodyAsked_OrThereAreTooMany", async () => {
      await request(7);
      const leaf = leafOf(page, 7);
      const show = (shown: typeof leaf) =>
        f.pages.answerLeaves([{ header: page.header, leaf: shown }]);
      await expectRefusal(show({ ...leaf, signature: "0x" }), "PageSettlement_NotIncluded");
      await expectRefusal(show(leafOf(page, 0)), "PageSettlement_RequestInvalid");
      await expectRefusal(f.pages.answerLeaves([]), "PageSettlement_AnswerCountInvalid");
      const many = Array.from({ length: 33 }, () => ({ header: page.header, leaf }));
      await expectRefusal(f.pages.answerLeaves(many), "PageSettlement_AnswerCountInvalid");
      expect((await recordOf(page)).openRequests).to.equal(1n);
      // One that comes twice counts once.
      await answer([7, 7]);
      expect(await amountOf(f.payee)).to.equal(LEAF_DEPOSIT);
      expect((await recordOf(page)).openRequests).to.equal(0n);
    });

    it("test_AnEmptyLeafCannotBeShown_AndIsChallenged", async () => {
      const empty = makePage(f, { ...(await goodResults(f, [50])), 51: "EMPTY" as const });
      await propose(f, empty);
      await request(51, f.watcher, empty);
      await expectRefusal(answer([51], f.payee, empty), "PageSettlement_NotIncluded");
      await challenge(f, empty, 51);
      expect(await stateOf(empty)).to.equal("Rejected");
    });

    it("test_RevertWhen_AttestedWhileSomebodyWaits", async () => {
      await f.pages.connect(f.governance).setAttester(f.registry);
      const address = await f.registry.getAddress();
      await f.networkHelpers.impersonateAccount(address);
      await f.networkHelpers.setBalance(address, 10n ** 18n);
      await request(7);
      const signer = await f.ethers.getSigner(address);
      await expectRefusal(
        f.pages.connect(signer).attest(page.header, 5n),
        "PageSettlement_RequestOpen",
      );
      await answer([7]);
      await f.pages.connect(signer).attest(page.header, 5n);
      // The end that the request brought stands.
      expect(await endOf(page)).to.equal((await recordOf(page)).extendedUntil);
    });
  });
});
