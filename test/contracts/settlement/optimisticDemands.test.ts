import { hashResult, hashWords } from "@haca/protocol/inferenceResult";
import { endOfPage, PAGE_REASONS, PAGE_STATES } from "@haca/protocol/pageSettlement";
import { resultLeaf } from "@haca/protocol/resultPage";
import { expect } from "chai";
import { parseEther, type Signer } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  type Answered,
  answerAt,
  answeredPage,
  deployOptimistic,
  type OptimisticFixture,
  optimisticPage,
  proofOf,
} from "../utils/optimisticFixture.ts";
import {
  ALL,
  challenge,
  commit,
  DAY,
  DEPOSIT,
  goodResults,
  HOUR,
  idOf,
  leafOf,
  makePage,
  PARAMETERS,
  type Page,
  propose,
} from "../utils/pageFixture.ts";
import { prove, randomWords } from "../utils/settlementFixture.ts";

const connection = await network.create();
const deploy = () => deployOptimistic(connection);
const DEMAND = parseEther("50");
const REQUEST = parseEther("10");
const NEVER = (1n << 256n) - 1n;
const IS_DEEP = process.env.HACA_DEEP === "1";
const SCALAR_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

describe("PageSettlement: proofs on demand", () => {
  let f: OptimisticFixture;
  let page: Page;
  let answers: ReadonlyMap<number, Answered>;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    ({ page, answers } = await answeredPage(f, [0, 7, 255]));
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.pages, error);
  const stateOf = async (of = page) =>
    PAGE_STATES[Number((await f.pages.stateOfPage(await idOf(f, of))).state)];
  const endOf = async (of = page) => (await f.pages.stateOfPage(await idOf(f, of))).until;
  const recordOf = async (of = page) => f.pages.pageOf(await idOf(f, of));
  const amountOf = async ({ address }: { address: string }) =>
    (await f.pages.accountOf(address)).amount;
  /** What proposer and watcher have, above what they began with, and what is nobody's. */
  const gains = async () => [
    (await amountOf(f.node)) - DEPOSIT,
    (await amountOf(f.watcher)) - DEPOSIT,
    await f.pages.forfeits(),
  ];
  const pass = (seconds: bigint) => f.networkHelpers.time.increase(seconds);
  const goTo = (time: bigint) => f.networkHelpers.time.increaseTo(time);
  const mineAt = (time: bigint) => f.networkHelpers.time.setNextBlockTimestamp(time);
  const demand = (index: number, by: Signer = f.watcher, of = page) =>
    f.pages.connect(by).demandProof(of.header, index);
  const wordsAt = (index: number): readonly bigint[] => answers.get(index)?.words ?? [];
  const give = (index: number, by: Signer = f.node, of = page, words = wordsAt(index)) =>
    f.pages.connect(by).proveLeaf(...proofOf(f, of, index, words));
  const reject = (index: number, of = page) => f.pages.rejectUnproved(of.header, index);
  const fund = async (account: string, amount = DEPOSIT) => {
    await f.token.approve(f.pages, amount);
    await f.pages.deposit(account, amount);
  };
  const requestOf = (index: number, of = page) => leafOf(of, index).result.requestId;
  const proposed = async (of: Page) => {
    await propose(f, of, f.node);
    return of;
  };
  /** A page whose leaf at place 7 is another output than the model's, and signed all the same. */
  const lying = async (): Promise<Page> => {
    const outputHash = hashWords(randomWords({ seed: "a lie", count: 1 }));
    return optimisticPage(f, {
      0: await answerAt(f, 0),
      7: await answerAt(f, 7, { outputHash }),
    });
  };

  describe("a demand that is answered", () => {
    beforeEach(async () => {
      await proposed(page);
    });

    it("test_PaysTheProposer_AndSettlesTheResultAsAnyProofDoes", async () => {
      const end = await endOf();
      await pass(HOUR);
      await expect(demand(7))
        .to.emit(f.pages, "ProofDemanded")
        .withArgs(await idOf(f, page), 7, f.watcher.address, (await now(f)) + 1n + DAY, DEMAND);
      expect(await endOf()).to.equal(NEVER);
      expect(await gains()).to.deep.equal([0n, -DEMAND, 0n]);
      await pass(2n * HOUR);
      const demandedAt = (await f.pages.clockOf(await idOf(f, page))).stoppedAt;
      const time = (await now(f)) + 10n;
      await mineAt(time);
      const moved = end + time - demandedAt;
      const giving = give(7);
      await expect(giving)
        .to.emit(f.pages, "ProofGiven")
        .withArgs(await idOf(f, page), 7, requestOf(7), moved);
      await expect(giving).to.emit(f.settlement, "InferenceSettled");
      expect(await gains()).to.deep.equal([DEMAND, -DEMAND, 0n]);
      expect(await endOf()).to.equal(moved);
      const { stopped } = await f.pages.clockOf(await idOf(f, page));
      expect(endOfPage(await recordOf(), stopped)).to.equal(moved);
      expect(await f.settlement.isSettled(requestOf(7))).to.equal(true);
      expect(await f.settlement.isSettled(requestOf(0))).to.equal(false);
      // The result is final, whatever becomes of the page.
      const { state } = await f.pages.verifyInclusion(page.header, leafOf(page, 7));
      expect(PAGE_STATES[Number(state)]).to.equal("Final");
      expect((await f.pages.stateOf(requestOf(7), page.header)).state).to.equal(2n);
      expect((await f.pages.stateOf(requestOf(0), page.header)).state).to.equal(1n);
      expect(await f.pages.provedIn(await idOf(f, page))).to.equal(1n << 7n);
      await goTo(moved + 7n * DAY + 1n);
      expect(await stateOf()).to.equal("Final");
      await f.pages.releaseBonds([page.header]);
      await f.pages.connect(f.node).withdraw(f.node, DEPOSIT + DEMAND);
    });

    it("test_WhoeverCopiesTheProof_PaysTheProposerForIt", async () => {
      await demand(7);
      await give(7, f.payee);
      expect(await gains()).to.deep.equal([DEMAND, -DEMAND, 0n]);
      expect(await amountOf(f.payee)).to.equal(0n);
      await expectRefusal(give(7), "PageSettlement_DemandInvalid");
    });

    it("test_TheClockStands_WhileOneIsOpen, once for several", async () => {
      const end = await endOf();
      await demand(0);
      const from = await now(f);
      await pass(3n * HOUR);
      await demand(7);
      await pass(3n * HOUR);
      await give(0);
      expect(await endOf()).to.equal(NEVER);
      await pass(3n * HOUR);
      await give(7);
      const stood = (await now(f)) - from;
      expect(await endOf()).to.equal(end + stood);
      await pass(HOUR);
      await demand(255);
      const again = await now(f);
      await pass(HOUR);
      await give(255);
      expect(await endOf()).to.equal(end + stood + (await now(f)) - again);
    });

    it("test_AProofIsTakenHoweverOldTheResultIs, from a page's contract", async () => {
      await f.settlement.connect(f.governance).setSettlementWindow(HOUR);
      await demand(7);
      await pass(20n * HOUR);
      const { result, signature } = leafOf(page, 7);
      const proof = prove({ ...f, result, words: wordsAt(7) });
      await f.settlement.connect(f.governance).setLedgerWriter(f.pages, false);
      // Nobody else than a writer, or one that was, is believed that it was in time.
      const alone = await answerAt(f, 9, { timestamp: result.timestamp });
      const words = [...alone.words];
      const settling = f.settlement.settleZkml(alone.result, words, proof, alone.signature);
      await expect(settling).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_ResultExpired",
      );
      await f.pages.proveLeaf(page.header, leafOf(page, 7), [...wordsAt(7)], proof);
      expect(await f.settlement.isSettled(requestOf(7))).to.equal(true);
      expect(signature).to.have.lengthOf(132);
    });

    it("test_RevertWhen_AWriterOfTheLedgerSettles_FromTheFuture_WithoutConsent_OrWithoutAProof", async () => {
      const address = await f.pages.getAddress();
      await f.networkHelpers.impersonateAccount(address);
      await f.networkHelpers.setBalance(address, 10n ** 18n);
      const writer = f.settlement.connect(await f.ethers.getSigner(address));
      const settle = async (age: bigint, changes: { signature?: string; proof?: string }) => {
        const made = await answerAt(f, 9, { timestamp: (await now(f)) - age });
        const { proof, signature } = { ...made, proof: prove({ ...f, ...made }), ...changes };
        return writer.settleZkml(made.result, [...made.words], proof, signature);
      };
      const old = 100n * DAY;
      const other = prove({ ...f, ...(await answerAt(f, 8)) });
      for (const [call, error] of [
        [settle(-HOUR, {}), "InferenceSettlement_ResultFromFuture"],
        [settle(old, { signature: "0x" }), "InferenceSettlement_NodeSignatureInvalid"],
        [settle(old, { proof: other }), "Groth16_ProofInvalid"],
      ] as const) {
        await expect(call).to.be.revertedWithCustomError(f.settlement, error);
      }
      await settle(old, {});
    });

    it("test_IgnoresThatTheVersionWasDeprecatedInBetween", async () => {
      await demand(7);
      await f.models.connect(f.governance).deprecateVersion(f.proved);
      await pass(HOUR);
      await give(7);
      await demand(0);
      await give(0);
      expect(await gains()).to.deep.equal([2n * DEMAND, -2n * DEMAND, 0n]);
    });
  });

  describe("a demand that cannot be answered", () => {
    /** After a day in vain: the watcher has the deposit back and half of the proposer's, the other half is nobody's. */
    const expectFall = async (of: Page, index = 7) => {
      await expectRefusal(reject(index, of), "PageSettlement_TooEarly");
      const { deadline } = await f.pages.demandOf(await idOf(f, of), index);
      await goTo(deadline);
      await mineAt(deadline + 1n);
      await expect(f.pages.connect(f.payee).rejectUnproved(of.header, index))
        .to.emit(f.pages, "PageRefuted")
        .withArgs(await idOf(f, of), 9n, 3n, f.watcher.address, DEPOSIT / 2n);
      expect(await gains()).to.deep.equal([-DEPOSIT, DEPOSIT / 2n, DEPOSIT / 2n]);
      expect(PAGE_REASONS[Number((await recordOf(of)).reason)]).to.equal("DemandUnanswered");
      expect(await f.settlement.occupied(of.header.ledgerPage)).to.equal(0n);
      expect(await amountOf(f.payee)).to.equal(0n);
    };

    it("test_AWrongOutput: an honest proof shows another one", async () => {
      const bad = await proposed(await lying());
      expect(PAGE_REASONS[Number(await f.pages.judgeLeaf(bad.header, leafOf(bad, 7)))]).to.equal(
        "None",
      );
      await demand(7, f.watcher, bad);
      const [header, leaf, words, proof] = proofOf(f, bad, 7, wordsAt(7));
      const refused = (call: Promise<unknown>, error: string) =>
        expect(call).to.be.revertedWithCustomError(f.settlement, error);
      await refused(
        f.pages.proveLeaf(header, leaf, words, proof),
        "InferenceSettlement_OutputHashMismatch",
      );
      const lie = [...words.slice(0, 2), ...randomWords({ seed: "a lie", count: 1 })];
      await refused(f.pages.proveLeaf(header, leaf, lie, proof), "Groth16_ProofInvalid");
      expect(await f.settlement.heldBy(f.pages, header.ledgerPage)).to.equal(header.bitmap);
      await expectFall(bad);
    });

    it("test_AnInputOutOfRange: no public signal is", async () => {
      const words = [...wordsAt(7)].with(0, SCALAR_ORDER + 5n);
      const inputHash = hashWords(words.slice(0, 2));
      const bad = await proposed(optimisticPage(f, { 7: await answerAt(f, 7, { inputHash }) }));
      await demand(7, f.watcher, bad);
      const [header, leaf, , proof] = proofOf(f, bad, 7, wordsAt(7));
      await expect(f.pages.proveLeaf(header, leaf, words, proof)).to.be.revertedWithCustomError(
        f.settlement,
        "Groth16_PublicSignalOutOfRange",
      );
      await expectFall(bad);
    });

    it("test_WordsThatAreMalformed: too many, or hashes of nothing known", async () => {
      const words = [...wordsAt(7), 1n];
      const bad = await proposed(
        optimisticPage(f, { 7: await answerAt(f, 7, { outputHash: hashWords(words.slice(2)) }) }),
      );
      await demand(7, f.watcher, bad);
      const [header, leaf, , proof] = proofOf(f, bad, 7, wordsAt(7));
      await expect(f.pages.proveLeaf(header, leaf, words, proof)).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_WordCountInvalid",
      );
      await expectFall(bad);
    });

    it("test_APlaceWithoutAResult", async () => {
      const bad = await proposed(optimisticPage(f, { 0: await answerAt(f, 0), 7: "EMPTY" }));
      await demand(7, f.watcher, bad);
      await expectRefusal(
        f.pages.proveLeaf(bad.header, leafOf(bad, 7), [], "0x"),
        "PageSettlement_LeafIsBad",
      );
      await expectFall(bad);
    });

    it("test_AKeyWhoseMakerForges_AnswersAnything: the version's set-up is trusted", async () => {
      const bad = await proposed(await lying());
      await demand(7, f.watcher, bad);
      const lie = [...wordsAt(7).slice(0, 2), ...randomWords({ seed: "a lie", count: 1 })];
      await give(7, f.node, bad, lie);
      expect(await gains()).to.deep.equal([DEMAND, -DEMAND, 0n]);
    });

    it("test_RevertWhen_TheProofComesTooLate", async () => {
      await proposed(page);
      await demand(7);
      const { deadline } = await f.pages.demandOf(await idOf(f, page), 7);
      await mineAt(deadline + 1n);
      await expectRefusal(give(7), "PageSettlement_TooLate");
      await reject(7);
      expect(await gains()).to.deep.equal([-DEPOSIT, DEPOSIT / 2n, DEPOSIT / 2n]);
      // Nothing is lost of the good results: they settle by the same call, alone.
      await give(7);
      expect(await f.settlement.isSettled(requestOf(7))).to.equal(true);
      expect(await gains()).to.deep.equal([-DEPOSIT, DEPOSIT / 2n, DEPOSIT / 2n]);
    });

    it("test_InTime_IsTheLastSecondToo", async () => {
      await proposed(page);
      await demand(7);
      const { deadline } = await f.pages.demandOf(await idOf(f, page), 7);
      await mineAt(deadline);
      await give(7);
      expect(await stateOf()).to.equal("Pending");
    });
  });

  describe("games", () => {
    it("test_AProposerWhoDemands_Loses: half of the deposit, or nothing but time", async () => {
      const bad = await proposed(await lying());
      await expectRefusal(demand(7, f.node, bad), "PageSettlement_PagesOpen");
      // By an account of theirs that proposes nothing.
      await fund(f.payee.address, DEMAND);
      const before = (await amountOf(f.node)) + (await amountOf(f.payee));
      await demand(7, f.payee, bad);
      // Whoever else sees the lie can do nothing more for it, and need not.
      await expectRefusal(demand(7, f.watcher, bad), "PageSettlement_DemandInvalid");
      await pass(DAY + 1n);
      await reject(7, bad);
      const after = (await amountOf(f.node)) + (await amountOf(f.payee));
      expect(before - after).to.equal(DEPOSIT / 2n);
    });

    it("test_WhoeverHoldsAllDemands_TakesNoTimeFromTheOthers", async () => {
      const places = [0, 1, 2, 3, 4, 5, 6, 8];
      const bad = await lying();
      const good = new Map<number, Answered>();
      for (const index of places) good.set(index, await answerAt(f, index));
      const lie = bad.results.get(7);
      if (lie === undefined) throw new Error("no lie");
      const crowded = await proposed(optimisticPage(f, { ...Object.fromEntries(good), 7: lie }));
      const end = await endOf(crowded);
      await fund(f.payee.address);
      // An accomplice holds four demands on good leaves to the last second of each, twice, from the last minute on.
      await goTo(end - 60n);
      for (const held of [places.slice(0, 4), places.slice(4)]) {
        for (const index of held) await demand(index, f.payee, crowded);
        await expectRefusal(demand(7, f.watcher, crowded), "PageSettlement_TooManyDemands");
        await pass(DAY - 60n);
        for (const index of held) await give(index, f.node, crowded, good.get(index)?.words);
      }
      // Two days later there is as much time as before, and nothing left to hold.
      expect((await endOf(crowded)) - (await now(f))).to.be.within(40n, 60n);
      for (const index of places) {
        await expectRefusal(demand(index, f.payee, crowded), "PageSettlement_LeafIsProved");
      }
      await demand(7, f.watcher, crowded);
      await pass(DAY + 1n);
      await reject(7, crowded);
      expect(await stateOf(crowded)).to.equal("Rejected");
      // It cost the accomplice eight deposits, of which nothing is left with the proposer either.
      expect(await amountOf(f.payee)).to.equal(DEPOSIT - 8n * DEMAND);
      const lost = DEPOSIT + 8n * DEMAND;
      expect(await gains()).to.deep.equal([-DEPOSIT, lost / 2n, lost / 2n]);
    });

    // Four are held at a time: 64 rounds for all of a page.
    (IS_DEEP ? it : it.skip)(
      "test_EveryLeafOfAWholePage_IsDemanded_AndProved, and is final at its end",
      async () => {
        const places = Array.from({ length: 256 }, (_, index) => index);
        const good = new Map<number, Answered>();
        for (const index of places) good.set(index, await answerAt(f, index));
        const whole = await proposed(optimisticPage(f, Object.fromEntries(good), { bitmap: ALL }));
        const end = await endOf(whole);
        const started = await now(f);
        await fund(f.watcher.address, 256n * DEMAND);
        for (let first = 0; first < 256; first += 4) {
          const held = places.slice(first, first + 4);
          for (const index of held) await demand(index, f.watcher, whole);
          await expectRefusal(
            demand((first + 4) % 256, f.payee, whole),
            first === 252 ? "PageSettlement_LeafIsProved" : "PageSettlement_TooManyDemands",
          );
          await pass(DAY - 60n);
          for (const index of held) await give(index, f.node, whole, good.get(index)?.words);
        }
        // Whoever demands everything pays for each, and the page has as long to go as it had.
        expect(await amountOf(f.node)).to.equal(DEPOSIT + 256n * DEMAND);
        expect((await endOf(whole)) - (await now(f))).to.be.closeTo(end - started, 600n);
        expect(await f.pages.provedIn(await idOf(f, whole))).to.equal(ALL);
        for (const index of places) {
          expect(await f.settlement.isSettled(requestOf(index, whole))).to.equal(true);
        }
      },
    );

    it("test_ASecondReceiptByAFriend_WhenADemandCannotBeAnswered_LosesAsMuch", async () => {
      const bad = await proposed(await lying());
      await demand(7, f.watcher, bad);
      const leaf = leafOf(bad, 0);
      const other = await answerAt(f, 0, { price: 5n });
      const digest = hashResult({ domain: f.domain, result: other.result });
      const otherLeafHash = resultLeaf({ digest, signature: other.signature });
      const salt = await commit(f, bad, 0, otherLeafHash, f.payee.address);
      await f.pages.challengeConflict(
        ...([bad.header, leaf, other.result, other.signature, f.payee.address, salt] as const),
      );
      await f.pages.returnDemand(bad.header, 7);
      expect(await gains()).to.deep.equal([-DEPOSIT, 0n, DEPOSIT / 2n]);
      expect(await amountOf(f.payee)).to.equal(DEPOSIT / 2n);
    });

    it("test_SeveralDemand_OneOfThemInVain: the others have theirs back", async () => {
      const bad = await proposed(await lying());
      await fund(f.payee.address, DEMAND);
      await demand(7, f.watcher, bad);
      await demand(0, f.payee, bad);
      await pass(DAY + 1n);
      await reject(7, bad);
      await f.pages.returnDemand(bad.header, 0);
      expect(await gains()).to.deep.equal([-DEPOSIT, DEPOSIT / 2n, DEPOSIT / 2n]);
      expect(await amountOf(f.payee)).to.equal(DEMAND);
    });

    it("test_ALieThatNobodyLooksAt_IsFinal_AndCostsNothing", async () => {
      const bad = await proposed(await lying());
      await goTo((await endOf(bad)) + 1n);
      expect(await stateOf(bad)).to.equal("Final");
      await pass(7n * DAY);
      await f.pages.releaseBonds([bad.header]);
      expect(await gains()).to.deep.equal([0n, 0n, 0n]);
      expect((await f.pages.accountOf(f.node.address)).openPages).to.equal(0n);
    });

    it("test_ADemandCounts_UpToTheLastSecond_AndNotAfter", async () => {
      await proposed(page);
      await proposed((await answeredPage(f, [9])).page);
      const other = (await answeredPage(f, [9])).page;
      const end = await endOf();
      await mineAt(end);
      await demand(7);
      await pass(HOUR);
      await give(7);
      // As much is left as there was: nothing but this second.
      expect(await endOf()).to.equal(await now(f));
      await f.networkHelpers.mine();
      await expect(demand(0))
        .to.be.revertedWithCustomError(f.pages, "PageSettlement_StateInvalid")
        .withArgs(await idOf(f, page), 2n);
      await expectRefusal(demand(9, f.watcher, other), "PageSettlement_StateInvalid");
    });

    it("test_ALeafThatWasHiddenToTheLast_CanStillBeDemanded", async () => {
      const bad = await proposed(await lying());
      const end = await endOf(bad);
      await mineAt(end - DAY);
      await f.pages.connect(f.watcher).requestLeaf(bad.header, 7);
      await mineAt(end);
      await f.pages.connect(f.node).answerLeaves([{ header: bad.header, leaf: leafOf(bad, 7) }]);
      expect(await endOf(bad)).to.equal(end + DAY);
      await pass(20n * HOUR);
      await demand(7, f.watcher, bad);
      await pass(DAY + 1n);
      await reject(7, bad);
      expect(await stateOf(bad)).to.equal("Rejected");
    });

    const MOMENTS: [string, (end: bigint, start: bigint) => bigint][] = [
      ["the first second", (_, start) => start + 1n],
      ["half of the road", (end, start) => (end + start) / 2n],
      ["a day before the end", (end) => end - DAY],
      ["the last minute", (end) => end - 60n],
    ];
    for (const [when, momentOf] of MOMENTS) {
      it(`test_AGrieferDelaysAPage_ByItsProofsAndADayAtMost, and pays: ${when}`, async () => {
        const places = [0, 1, 2, 3, 4, 5, 6, 7];
        const { page: good, answers: made } = await answeredPage(f, places);
        await proposed(good);
        const end = await endOf(good);
        const time = momentOf(end, (await recordOf(good)).proposedAt);
        await mineAt(time);
        await demand(0, f.watcher, good);
        const request = f.pages.connect(f.watcher).requestLeaf(good.header, 7);
        // A little late for it already, or in time because the clock stands.
        const isAsked = time <= end - DAY;
        if (isAsked) await request;
        else await expectRefusal(request, "PageSettlement_TooLate");
        let paid = isAsked ? REQUEST : 0n;
        let spent = 0n;
        for (const index of places) {
          if (index > 0) await demand(index, f.watcher, good);
          const from = await now(f);
          await pass(600n);
          await give(index, f.node, good, made.get(index)?.words);
          spent += (await now(f)) - from;
          paid += DEMAND;
        }
        const answer = { header: good.header, leaf: leafOf(good, 7) };
        if (isAsked) await f.pages.connect(f.node).answerLeaves([answer]);
        // Ten minutes a proof, the seconds of these transactions, and a day for whoever doubts what was asked for.
        const late = (await endOf(good)) - end;
        expect(late).to.be.within(spent, spent + (isAsked ? DAY : 0n) + 20n);
        expect(await gains()).to.deep.equal([paid, -paid, 0n]);
        for (const index of places) {
          await expectRefusal(demand(index, f.watcher, good), "PageSettlement_LeafIsProved");
        }
      });
    }

    it("test_ASequencerThatIsDownForTwelveHours_TakesNoTimeFromAnAnswer", async () => {
      await proposed(page);
      const end = await endOf();
      await mineAt(end - 60n);
      await demand(7);
      // No block for so long, over the end of the road.
      await mineAt(end + 12n * HOUR);
      await give(7);
      expect(await endOf()).to.equal(end + 12n * HOUR + 60n);
      await demand(0);
      await give(0);
      expect(await gains()).to.deep.equal([2n * DEMAND, -2n * DEMAND, 0n]);
    });

    it("test_ARequestMovesTheEnd_ByThePagesClock", async () => {
      await proposed(page);
      const end = await endOf();
      await pass(HOUR);
      await demand(7);
      const from = await now(f);
      await goTo(end);
      await expectRefusal(give(7), "PageSettlement_TooLate");
      // Nobody rejects it: the clock stands, so that there is still time to ask.
      await f.pages.connect(f.watcher).requestLeaf(page.header, 0);
      const { extendedUntil } = await recordOf();
      expect(extendedUntil).to.equal((await now(f)) + 2n * DAY - ((await now(f)) - from));
      expect(await f.pages.clockOf(await idOf(f, page))).to.deep.equal([1n, from, 0n]);
    });

    it("test_RequestAndDemandForOneLeaf_AreAnsweredEach", async () => {
      await proposed(page);
      await f.pages.connect(f.watcher).requestLeaf(page.header, 7);
      await demand(7);
      await give(7);
      expect(await endOf()).to.equal(NEVER);
      await f.pages.connect(f.payee).answerLeaves([{ header: page.header, leaf: leafOf(page, 7) }]);
      expect(await gains()).to.deep.equal([DEMAND, -DEMAND - REQUEST, 0n]);
      expect(await amountOf(f.payee)).to.equal(REQUEST);
      expect(await stateOf()).to.equal("Pending");
      expect(await endOf()).to.be.lessThan(NEVER);
    });

    for (const first of ["rejectWithheld", "rejectUnproved"] as const) {
      it(`test_RequestAndDemandForOneLeaf_UnansweredBoth: ${first}`, async () => {
        await proposed(page);
        await f.pages.connect(f.watcher).requestLeaf(page.header, 7);
        await fund(f.payee.address, DEMAND);
        await demand(7, f.payee);
        await demand(0);
        await pass(DAY + 1n);
        await f.pages[first](page.header, 7);
        await expectRefusal(
          first === "rejectWithheld" ? reject(7) : f.pages.rejectWithheld(page.header, 7),
          "PageSettlement_StateInvalid",
        );
        // Everybody has back what they put down.
        if (first === "rejectWithheld") await f.pages.returnDemand(page.header, 7);
        else await f.pages.returnRequest(page.header, 7);
        await expect(f.pages.returnDemand(page.header, 0))
          .to.emit(f.pages, "DemandReturned")
          .withArgs(await idOf(f, page), 0);
        const reward = DEPOSIT / 2n;
        const isWatchers = first === "rejectWithheld";
        expect(await gains()).to.deep.equal([-DEPOSIT, isWatchers ? reward : 0n, reward]);
        expect(await amountOf(f.payee)).to.equal(DEMAND + (isWatchers ? 0n : reward));
        expect(await f.token.balanceOf(f.pages)).to.equal(
          (await amountOf(f.watcher)) +
            (await amountOf(f.payee)) +
            (await amountOf(f.operator)) +
            (await f.pages.forfeits()),
        );
      });
    }

    it("test_AChallengeEndsAPage_WhateverIsDemanded_AndLeavesWhatWasProved", async () => {
      const unsigned = { ...(await answerAt(f, 9)), signature: "0x" };
      const bad = await proposed(
        optimisticPage(f, { ...Object.fromEntries(answers), 9: unsigned }),
      );
      await demand(7, f.watcher, bad);
      await give(7, f.node, bad);
      await demand(0, f.watcher, bad);
      await challenge(f, bad, 9);
      expect(await stateOf(bad)).to.equal("Rejected");
      expect(await f.settlement.occupied(bad.header.ledgerPage)).to.equal(1n << 7n);
      const { state } = await f.pages.verifyInclusion(bad.header, leafOf(bad, 7));
      expect(PAGE_STATES[Number(state)]).to.equal("Final");
      await expectRefusal(demand(255, f.watcher, bad), "PageSettlement_StateInvalid");
      await f.pages.returnDemand(bad.header, 0);
      const lost = DEPOSIT + DEMAND;
      expect(await gains()).to.deep.equal([-DEPOSIT, lost / 2n - DEMAND, lost / 2n]);
    });

    it("test_AWholePage_GivesUpWhatWasProved_AndFreesTheRestWhenItIsRejected", async () => {
      // The ledger notes whole pages by one bit, and has to come back from that.
      const whole = await proposed(optimisticPage(f, Object.fromEntries(answers), { bitmap: ALL }));
      for (const index of [7, 255]) {
        await demand(index, f.watcher, whole);
        await give(index, f.node, whole);
      }
      const proved = (1n << 7n) | (1n << 255n);
      expect(await f.settlement.heldBy(f.pages, whole.header.ledgerPage)).to.equal(ALL & ~proved);
      await challenge(f, whole, 9);
      expect(await f.settlement.heldBy(f.pages, whole.header.ledgerPage)).to.equal(0n);
      expect(await f.settlement.occupied(whole.header.ledgerPage)).to.equal(proved);
    });

    it("test_AGoodResultOfARejectedPage_SettlesByItsProof_ForSoLong", async () => {
      const bad = await proposed(
        optimisticPage(f, {
          ...Object.fromEntries(answers),
          9: { ...(await answerAt(f, 9)), signature: "0x" },
        }),
      );
      await challenge(f, bad, 9);
      const { endedAt } = await recordOf(bad);
      await expectRefusal(give(9, f.node, bad, wordsAt(7)), "PageSettlement_LeafIsBad");
      await goTo(endedAt + 7n * DAY - 10n);
      await expect(give(0, f.payee, bad))
        .to.emit(f.pages, "SettledAgain")
        .withArgs(await idOf(f, bad), requestOf(0, bad));
      await expect(give(0, f.payee, bad)).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_AlreadySettled",
      );
      await expect(f.pages.settleAgain(bad.header, leafOf(bad, 7))).to.be.revertedWithCustomError(
        f.settlement,
        "InferenceSettlement_WrongNode",
      );
      await mineAt(endedAt + 7n * DAY);
      await give(7, f.payee, bad);
      await expectRefusal(give(255, f.payee, bad), "PageSettlement_TooLate");
    });
  });

  describe("refusals", () => {
    it("test_RevertWhen_ThePageIsAnEnclaves", async () => {
      const signed = makePage(f, await goodResults(f, [7]));
      await propose(f, signed);
      await expect(demand(7, f.watcher, signed))
        .to.be.revertedWithCustomError(f.pages, "PageSettlement_KindNotOpen")
        .withArgs(2n);
      await expectRefusal(
        f.pages.proveLeaf(signed.header, leafOf(signed, 7), [], "0x"),
        "PageSettlement_DemandInvalid",
      );
    });

    it("test_RevertWhen_ThePageIsUnknown_OrDoesNotTakeTheRequest", async () => {
      await expectRefusal(demand(7), "PageSettlement_StateInvalid");
      await expectRefusal(give(7), "PageSettlement_DemandInvalid");
      await proposed(page);
      await expectRefusal(demand(8), "PageSettlement_NotTaken");
      const other = { ...page, header: { ...page.header, bitmap: 1n << 8n } };
      await expectRefusal(demand(8, f.watcher, other), "PageSettlement_StateInvalid");
    });

    it("test_RevertWhen_NobodyDemanded_OrSomebodyDid_OrItWasProved", async () => {
      await proposed(page);
      await expectRefusal(give(7), "PageSettlement_DemandInvalid");
      await expectRefusal(reject(7), "PageSettlement_DemandInvalid");
      await expectRefusal(f.pages.returnDemand(page.header, 7), "PageSettlement_DemandInvalid");
      await demand(7);
      await expectRefusal(f.pages.returnDemand(page.header, 7), "PageSettlement_StateInvalid");
      await expectRefusal(demand(7), "PageSettlement_DemandInvalid");
      await give(7);
      await expectRefusal(demand(7), "PageSettlement_LeafIsProved");
      await expectRefusal(give(7), "PageSettlement_DemandInvalid");
    });

    it("test_RevertWhen_TheDepositIsTooSmall", async () => {
      await proposed(page);
      await fund(f.payee.address, DEMAND - 1n);
      await expect(demand(7, f.payee))
        .to.be.revertedWithCustomError(f.pages, "PageSettlement_DepositTooSmall")
        .withArgs(DEMAND, DEMAND - 1n);
      await fund(f.payee.address, 1n);
      await demand(7, f.payee);
      expect(await amountOf(f.payee)).to.equal(0n);
    });

    it("test_RevertWhen_AnotherLeafIsShown", async () => {
      await proposed(page);
      await demand(7);
      const [header, leaf, words, proof] = proofOf(f, page, 7, wordsAt(7));
      for (const other of [
        { ...leaf, index: 0 },
        { ...leaf, signature: "0x" },
        { ...leaf, result: { ...leaf.result, price: 1n } },
      ]) {
        await expectRefusal(
          f.pages.proveLeaf(header, other, words, proof),
          "PageSettlement_NotIncluded",
        );
      }
      await expectRefusal(give(0), "PageSettlement_DemandInvalid");
      expect(await gains()).to.deep.equal([0n, -DEMAND, 0n]);
    });

    it("test_TheRoadIsAsLongAsItWasAtTheProposal", async () => {
      await proposed(page);
      await f.pages
        .connect(f.governance)
        .setParameters({ ...PARAMETERS, longRoad: 7n * DAY, minimumDeposit: 10n * DEPOSIT });
      expect(await endOf()).to.equal((await recordOf()).proposedAt + PARAMETERS.longRoad);
      await demand(7);
      await give(7);
      expect(await gains()).to.deep.equal([DEMAND, -DEMAND, 0n]);
    });
  });
});
