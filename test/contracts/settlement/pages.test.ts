import { PAGE_REASONS, PAGE_STATES, type PageState } from "@haca/protocol/pageSettlement";
import { encodeRequestId, ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import { id, Wallet, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { admit, loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  ALL,
  challenge,
  consent,
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

describe("PageSettlement: life of a page", () => {
  let f: PageFixture;
  let page: Page;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    page = makePage(f, await goodResults(f, [0, 7, 255]));
  });

  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.pages, error);
  const stateOf = async (of = page): Promise<PageState | undefined> =>
    PAGE_STATES[Number((await f.pages.stateOfPage(await idOf(f, of))).state)];
  const goTo = (time: bigint) => f.networkHelpers.time.increaseTo(time);
  const mineAt = (time: bigint) => f.networkHelpers.time.setNextBlockTimestamp(time);
  const endOf = async (of = page) => (await f.pages.stateOfPage(await idOf(f, of))).until;
  const openPages = async (of = f.operator.address) => (await f.pages.accountOf(of)).openPages;

  describe("proposing", () => {
    it("test_TakesWhatIsFree_AndIsPendingUntilTheLongRoadEnds", async () => {
      const { header } = page;
      const proposedAt = (await now(f)) + 1n;
      const end = proposedAt + PARAMETERS.longRoad;
      await mineAt(proposedAt);
      await expect(propose(f, page))
        .to.emit(f.pages, "PageProposed")
        .withArgs(
          ...[await idOf(f, page), header.ledgerPage, header.proposer, header.kind, header.teeId],
          ...[header.bitmap, header.root, header.blobId, 0n, end],
        );
      expect(await stateOf()).to.equal("Pending");
      expect(await f.settlement.occupied(header.ledgerPage)).to.equal(header.bitmap);
      expect(await openPages()).to.equal(1n);
    });

    it("test_PageIdIsTheBindings", async () => {
      expect(await f.pages.pageIdOf(page.header)).to.equal(await idOf(f, page));
    });

    it("test_TakesNothingThatIsTaken", async () => {
      const { result, signature } = page.results.get(7) ?? {};
      if (result === undefined || signature === undefined) throw new Error("no leaf 7");
      await f.settlement.settleTee(result, signature);
      await propose(f, page);
      const taken = page.header.bitmap & ~(1n << 7n);
      const effective = { ...page, header: { ...page.header, bitmap: taken } };
      expect(await stateOf(effective)).to.equal("Pending");
      expect(await stateOf()).to.equal("None");
      // A leaf under a clear bit counts for nothing, although it is in the tree.
      await expectRefusal(
        f.pages.judgeLeaf(effective.header, leafOf(page, 7)),
        "PageSettlement_NotTaken",
      );
      const [state] = await f.pages.verifyInclusion(effective.header, leafOf(page, 7));
      expect(state).to.equal(0n);
    });

    it("test_PagesShareALedgerPage", async () => {
      const other = makePage(f, await goodResults(f, [1, 7, 9]));
      await propose(f, page);
      await propose(f, other);
      const { ledgerPage } = page.header;
      expect(await f.settlement.occupied(ledgerPage)).to.equal(
        page.header.bitmap | other.header.bitmap,
      );
      const effective = { ...other, header: { ...other.header, bitmap: (1n << 1n) | (1n << 9n) } };
      expect(await stateOf(effective)).to.equal("Pending");
      expect(await openPages()).to.equal(2n);
    });

    it("test_RevertWhen_NothingIsFree_OrNothingAsked", async () => {
      await propose(f, page);
      const again = makePage(f, await goodResults(f, [7]));
      await expectRefusal(propose(f, again), "PageSettlement_NothingToTake");
      const none = { ...page, header: { ...page.header, bitmap: 0n } };
      await expectRefusal(propose(f, none), "PageSettlement_NothingToTake");
    });

    it("test_RevertWhen_TheKindIsNotOpen", async () => {
      for (const kind of [0n, 1n]) {
        const other = { ...page, header: { ...page.header, kind } };
        await expectRefusal(propose(f, other), "PageSettlement_KindNotOpen");
      }
    });

    it("test_RevertWhen_TheLedgerPageIsOfAnotherNode", async () => {
      const ledgerPage = ledgerPageOf({ node: f.operator.address, index: 0n });
      const other = { ...page, header: { ...page.header, ledgerPage } };
      await expectRefusal(propose(f, other), "PageSettlement_WrongNode");
    });

    it("test_RevertWhen_TheEnclaveIsUnknown", async () => {
      const teeId = id("nobody");
      const ledgerPage = ledgerPageOf({ node: nodeOfEnclave(teeId), index: 0n });
      const other = { ...page, header: { ...page.header, teeId, ledgerPage } };
      await expect(propose(f, other)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_NodeUnknown",
      );
    });

    it("test_RevertWhen_TheDepositIsTooSmall", async () => {
      await f.token.approve(f.pages, DEPOSIT);
      const proposer = f.payee;
      const deadline = (await now(f)) + HOUR;
      const signature = await consent(f, page, deadline);
      const call = () => propose(f, page, proposer, { signature, deadline });
      await f.pages.deposit(proposer.address, PARAMETERS.minimumDeposit - 1n);
      await expectRefusal(call(), "PageSettlement_DepositTooSmall");
      await f.pages.deposit(proposer.address, 1n);
      await call();
    });

    it("test_RevertWhen_AFeeIsNotCoveredByTheDeposit_OrTooManyPagesAreOpen", async () => {
      const room = DEPOSIT - PARAMETERS.minimumDeposit;
      const dear = { ...page, header: { ...page.header, fee: room + 1n } };
      await expectRefusal(propose(f, dear), "PageSettlement_DepositTooSmall");
      await f.pages.connect(f.governance).setParameters({ ...PARAMETERS, minimumDeposit: DEPOSIT });
      for (let index = 0; index < 100; index++) {
        await propose(f, makePage(f, await goodResults(f, [index])));
      }
      const oneMore = makePage(f, await goodResults(f, [100]));
      await expectRefusal(propose(f, oneMore), "PageSettlement_DepositTooSmall");
      await f.token.approve(f.pages, DEPOSIT / 100n);
      await f.pages.deposit(f.operator.address, DEPOSIT / 100n);
      await propose(f, oneMore);
    });

    it("test_RevertWhen_Paused_AndGoesOnAfterwards", async () => {
      const until = (await now(f)) + HOUR;
      await expect(f.pages.connect(f.guardian).pauseProposals(until))
        .to.emit(f.pages, "ProposalsPaused")
        .withArgs(until);
      await expectRefusal(propose(f, page), "PageSettlement_Paused");
      await goTo(until);
      await propose(f, page);
    });
  });

  describe("the operator's consent", () => {
    let deadline: bigint;
    let signature: string;
    beforeEach(async () => {
      deadline = (await now(f)) + HOUR;
      page = makePage(f, await goodResults(f, [0, 7, 255]), { proposer: f.watcher.address });
      signature = await consent(f, page, deadline);
    });
    const by = (signed: { signature: string; deadline: bigint }, of = page) =>
      propose(f, of, f.watcher, signed);

    it("test_AnybodyProposesWithTheOperatorsSignature_AndAnswersForIt", async () => {
      await by({ signature, deadline });
      expect(await stateOf()).to.equal("Pending");
      expect(await openPages(f.watcher.address)).to.equal(1n);
      expect(await openPages()).to.equal(0n);
    });

    it("test_RevertWhen_Unsigned_OrSignedByAnotherOrForAnother", async () => {
      const others = [
        "0x",
        await consent(f, page, deadline, new Wallet(id("stranger"))),
        await consent(f, page, deadline, f.session),
        await consent(f, { ...page, header: { ...page.header, bitmap: 1n } }, deadline),
        await consent(f, { ...page, header: { ...page.header, root: id("root") } }, deadline),
        await consent(f, { ...page, header: { ...page.header, blobId: id("other") } }, deadline),
        await consent(f, { ...page, header: { ...page.header, kind: 3n } }, deadline),
        await consent(f, { ...page, header: { ...page.header, ledgerPage: 1n } }, deadline),
        await consent(f, page, deadline + 1n),
        await consent({ ...f, domain: { ...f.domain, chainId: 1n } }, page, deadline),
        await consent(
          { ...f, domain: { ...f.domain, verifyingContract: await f.pages.getAddress() } },
          page,
          deadline,
        ),
      ];
      for (const other of others) {
        await expectRefusal(by({ signature: other, deadline }), "PageSettlement_NoConsent");
      }
    });

    it("test_RevertWhen_TheSignatureIsOver", async () => {
      await mineAt(deadline + 1n);
      await expectRefusal(by({ signature, deadline }), "PageSettlement_ProposalExpired");
    });

    it("test_RevertWhen_TheSamePageIsProposedAgainAfterItsRejection", async () => {
      const bad = makePage(f, await unsigned(f, 4));
      await propose(f, bad);
      await challenge(f, bad, 4);
      await f.token.approve(f.pages, DEPOSIT);
      await f.pages.deposit(f.operator.address, DEPOSIT);
      await expectRefusal(propose(f, bad), "PageSettlement_PageKnown");
    });
  });

  describe("time", () => {
    it("test_IsFinalAfterTheLongRoad_AndNotASecondBefore", async () => {
      await propose(f, page);
      const end = await endOf();
      await goTo(end);
      expect(await stateOf()).to.equal("Pending");
      await goTo(end + 1n);
      expect(await stateOf()).to.equal("Final");
      const { requestId } = page.results.get(7)?.result ?? {};
      if (requestId === undefined) throw new Error("no leaf 7");
      expect((await f.pages.stateOf(requestId, page.header)).state).to.equal(2n);
      // The ledger knows of pages only that they hold it.
      expect(await f.settlement.isSettled(requestId)).to.equal(false);
    });

    it("test_ParametersAreFrozenAtTheProposal", async () => {
      await propose(f, page);
      const end = await endOf();
      const parameters = { ...PARAMETERS, longRoad: 7n * DAY, resultWindow: HOUR };
      await f.pages.connect(f.governance).setParameters(parameters);
      expect(await endOf()).to.equal(end);
      await goTo(end - 1n);
      expect(await f.pages.judgeLeaf(page.header, leafOf(page, 7))).to.equal(0n);
    });

    it("test_StateOf_NamesWhatBecameOfARequest", async () => {
      const node = nodeOfEnclave(f.enclave.teeId);
      const of = async (index: bigint, header = page.header) =>
        (await f.pages.stateOf(encodeRequestId({ node, nonce: index }), header)).state;
      expect(await of(7n)).to.equal(0n);
      await propose(f, page);
      expect(await of(7n)).to.equal(1n);
      expect(await of(8n)).to.equal(0n);
      // Of another ledger page.
      expect(await of(256n + 7n)).to.equal(0n);
      expect(await of(7n, { ...page.header, fee: 1n })).to.equal(0n);
      const single = await makeResult(f, 8);
      await f.settlement.settleTee(single, sign(f, single));
      expect(await of(8n)).to.equal(2n);
    });

    it("test_VerifyInclusion_SaysWhatAResultIsWorth", async () => {
      const of = async (leaf = leafOf(page, 7), header = page.header) =>
        Array.from(await f.pages.verifyInclusion(header, leaf));
      expect(await of()).to.deep.equal([0n, 0n, DEPOSIT]);
      await propose(f, page);
      const end = await endOf();
      expect(await of()).to.deep.equal([1n, end, DEPOSIT]);
      const leaf = leafOf(page, 7);
      for (const other of [
        { ...leaf, index: 0 },
        { ...leaf, signature: "0x" },
        { ...leaf, result: { ...leaf.result, price: 1n } },
        { ...leaf, siblings: leaf.siblings.toReversed() },
      ]) {
        expect((await of(other))[0]).to.equal(0n);
      }
      expect((await of(leaf, { ...page.header, root: id("root") }))[0]).to.equal(0n);
      await goTo(end + 1n);
      expect(await of()).to.deep.equal([2n, 0n, DEPOSIT]);
    });

    it("test_VerifyInclusion_OfAResultInAnotherPlaceThanItsOwn_IsNone", async () => {
      const result = await makeResult(f, 5);
      const wrong = makePage(f, { 3: { result, signature: sign(f, result) } });
      await propose(f, wrong);
      const [state] = await f.pages.verifyInclusion(wrong.header, leafOf(wrong, 3));
      expect(state).to.equal(0n);
    });
  });

  describe("the attester", () => {
    it("test_TakesThePageToTheShortRoad_AndGetsTheFee", async () => {
      const fee = 5n;
      page = makePage(f, await goodResults(f, [0, 7]), { fee });
      const attester = f.pages;
      await f.pages.connect(f.governance).setAttester(attester);
      const address = await attester.getAddress();
      await f.networkHelpers.impersonateAccount(address);
      await f.networkHelpers.setBalance(address, 10n ** 18n);
      const signer = await f.ethers.getSigner(address);
      await propose(f, page);
      expect((await f.pages.accountOf(f.operator.address)).amount).to.equal(DEPOSIT - fee);
      await expectRefusal(f.pages.attest(page.header, 5n), "PageSettlement_NotAttester");
      await f.pages.connect(signer).attest(page.header, 5n);
      const end = (await now(f)) + PARAMETERS.shortRoad;
      expect(await endOf()).to.equal(end);
      expect((await f.pages.accountOf(address)).amount).to.equal(fee);
      const { signers, attesterNumber } = await f.pages.pageOf(await idOf(f, page));
      expect(signers).to.equal(5n);
      // An attester after this one numbers its signers in another way.
      await f.pages.connect(f.governance).setAttester(f.registry);
      expect(await f.pages.attesterAt(attesterNumber)).to.equal(address);
      expect(await f.pages.attesterAt(attesterNumber + 1n)).to.equal(await f.registry.getAddress());
      await f.pages.connect(f.governance).setAttester(attester);
      await expectRefusal(
        f.pages.connect(signer).attest(page.header, 5n),
        "PageSettlement_AlreadyAttested",
      );
      await goTo(end + 1n);
      expect(await stateOf()).to.equal("Final");
      await goTo(end + 7n * DAY + 1n);
      await f.pages.releaseBonds([page.header]);
      expect((await f.pages.accountOf(f.operator.address)).amount).to.equal(DEPOSIT - fee);
    });

    it("test_ShortRoadIsFrozenAtTheProposal", async () => {
      await f.pages.connect(f.governance).setAttester(f.registry);
      const address = await f.registry.getAddress();
      await f.networkHelpers.impersonateAccount(address);
      await f.networkHelpers.setBalance(address, 10n ** 18n);
      await propose(f, page);
      await f.pages.connect(f.governance).setParameters({ ...PARAMETERS, shortRoad: HOUR });
      await f.pages.connect(await f.ethers.getSigner(address)).attest(page.header, 5n);
      expect(await endOf()).to.equal((await now(f)) + PARAMETERS.shortRoad);
    });

    it("test_LateAttestationNeverMovesTheEndBack", async () => {
      await f.pages.connect(f.governance).setAttester(f.registry);
      const address = await f.registry.getAddress();
      await f.networkHelpers.impersonateAccount(address);
      await f.networkHelpers.setBalance(address, 10n ** 18n);
      await propose(f, page);
      const end = await endOf();
      await goTo(end - HOUR);
      await f.pages.connect(await f.ethers.getSigner(address)).attest(page.header, 5n);
      expect(await endOf()).to.equal(end);
      await goTo(end + 1n);
      await expectRefusal(
        f.pages.connect(await f.ethers.getSigner(address)).attest(page.header, 5n),
        "PageSettlement_StateInvalid",
      );
    });
  });

  describe("bonds and accounts", () => {
    it("test_ReleasesAfterTheEvidenceWindow_AndNotBefore", async () => {
      page = makePage(f, await goodResults(f, [0, 7]), { fee: 9n });
      await propose(f, page);
      const latest = (await endOf()) + 7n * DAY;
      const { pages, operator } = f;
      await expectRefusal(pages.releaseBonds([page.header]), "PageSettlement_StateInvalid");
      await mineAt(latest);
      await expectRefusal(pages.releaseBonds([page.header]), "PageSettlement_TooEarly");
      await expectRefusal(
        pages.connect(operator).withdraw(operator.address, 1n),
        "PageSettlement_PagesOpen",
      );
      await goTo(latest + 1n);
      await expect(pages.releaseBonds([page.header]))
        .to.emit(pages, "PageReleased")
        .withArgs(await idOf(f, page));
      expect(await openPages()).to.equal(0n);
      await expectRefusal(pages.releaseBonds([page.header]), "PageSettlement_StateInvalid");
      // The fee came back, and all of it can go.
      await pages.connect(operator).withdraw(f.payee.address, DEPOSIT);
      expect(await f.token.balanceOf(f.payee.address)).to.equal(DEPOSIT);
    });

    it("test_RevertWhen_OnePageOfMany_IsNotDue", async () => {
      const other = makePage(f, await goodResults(f, [1]));
      await propose(f, page);
      const latest = (await endOf()) + 7n * DAY;
      await goTo(latest);
      await propose(f, makePage(f, await goodResults(f, [1])));
      await expectRefusal(
        f.pages.releaseBonds([page.header, other.header]),
        "PageSettlement_StateInvalid",
      );
      expect(await openPages()).to.equal(2n);
    });

    it("test_RevertWhen_NothingOrTooMuchIsMoved_OrForNobody", async () => {
      const { pages, watcher } = f;
      await expectRefusal(pages.deposit(ZeroAddress, 1n), "PageSettlement_AccountZero");
      await expectRefusal(pages.deposit(watcher, 0n), "PageSettlement_AmountInvalid");
      const own = pages.connect(watcher);
      await expectRefusal(own.withdraw(ZeroAddress, 1n), "PageSettlement_AccountZero");
      await expectRefusal(own.withdraw(watcher, 0n), "PageSettlement_AmountInvalid");
      await expectRefusal(own.withdraw(watcher, DEPOSIT + 1n), "PageSettlement_AmountInvalid");
      await expectRefusal(pages.burnForfeits(), "PageSettlement_AmountInvalid");
    });
  });

  describe("settings", () => {
    it("test_RevertWhen_AParameterIsOutOfBounds", async () => {
      const set = (overrides: Partial<typeof PARAMETERS>) =>
        f.pages.connect(f.governance).setParameters({ ...PARAMETERS, ...overrides });
      for (const overrides of [
        { longRoad: 2n * DAY - 1n },
        { longRoad: 7n * DAY + 1n },
        { shortRoad: HOUR - 1n },
        { shortRoad: PARAMETERS.longRoad + 1n },
        { resultWindow: HOUR - 1n },
        { resultWindow: 90n * DAY + 1n },
        { minimumDeposit: 0n },
      ]) {
        await expectRefusal(set(overrides), "PageSettlement_ParameterInvalid");
      }
      await set({ longRoad: 7n * DAY, shortRoad: HOUR, resultWindow: 90n * DAY });
      expect((await f.pages.parametersNow()).longRoad).to.equal(7n * DAY);
    });

    it("test_RevertWhen_PausedTooLong_OrAgainTooSoon", async () => {
      const guardian = f.pages.connect(f.guardian);
      const time = await now(f);
      const tooLong = time + 7n * DAY + 10n;
      await expectRefusal(guardian.pauseProposals(tooLong), "PageSettlement_PauseInvalid");
      await expectRefusal(guardian.pauseProposals(time), "PageSettlement_PauseInvalid");
      await guardian.pauseProposals(time + DAY);
      await goTo(time + 7n * DAY);
      const again = (await now(f)) + DAY;
      await expectRefusal(guardian.pauseProposals(again), "PageSettlement_PauseInvalid");
      await goTo(time + 8n * DAY);
      await guardian.pauseProposals((await now(f)) + DAY);
    });

    it("test_RevertWhen_TheAttesterHasNoCode", async () => {
      const set = (attester: string) => f.pages.connect(f.governance).setAttester(attester);
      await expectRefusal(set(f.operator.address), "PageSettlement_NotAContract");
      await set(await f.registry.getAddress());
      await set(ZeroAddress);
      expect(await f.pages.attester()).to.equal(ZeroAddress);
    });

    it("test_RevertWhen_DeployedOverSomethingElse", async () => {
      const { ethers, manager, settlement, token, registry, models } = f;
      const deployed = async (overrides: Partial<Record<string, unknown>>) => {
        const all = {
          manager,
          settlement,
          token,
          delay: DAY,
          parameters: PARAMETERS,
          ...overrides,
        };
        const { manager: a, settlement: b, token: c, delay, parameters } = all;
        return ethers.deployContract("PageSettlement", [a, b, c, delay, parameters] as never);
      };
      await expectRefusal(deployed({ manager: f.operator }), "PageSettlement_NotAContract");
      await expectRefusal(deployed({ token: f.operator }), "PageSettlement_NotAContract");
      await expectRefusal(
        deployed({ delay: (7n * DAY) / 2n + 1n }),
        "PageSettlement_InclusionDelayInvalid",
      );
      const fresh = await ethers.deployContract("InferenceSettlement", [
        await manager.getAddress(),
        await models.getAddress(),
        7n * DAY,
      ]);
      await expectRefusal(deployed({ settlement: fresh }), "PageSettlement_NotAContract");
      await expect(deployed({ settlement: registry })).to.revert(ethers);
    });
  });

  it("test_WholePage_IsHeldAndGivenBack", async () => {
    const content = await goodResults(
      f,
      Array.from({ length: 256 }, (_, index) => index),
    );
    const whole = makePage(f, { ...content, ...(await unsigned(f, 200)) });
    expect(whole.header.bitmap).to.equal(ALL);
    await propose(f, whole);
    const { ledgerPage } = whole.header;
    expect(await f.settlement.heldBy(f.pages, ledgerPage)).to.equal(ALL);
    await challenge(f, whole, 200);
    expect(await f.settlement.occupied(ledgerPage)).to.equal(0n);
    expect(await stateOf(whole)).to.equal("Rejected");
    const { reason } = await f.pages.pageOf(await idOf(f, whole));
    expect(PAGE_REASONS[Number(reason)]).to.equal("InvalidSignature");
  });

  it("test_SignedByTheEnclavesOwnKey_IsGood", async () => {
    const result = await makeResult(f, 2);
    const own = makePage(f, { 2: { result, signature: sign(f, result, f.enclave) } });
    expect(await f.pages.judgeLeaf(own.header, leafOf(own, 2))).to.equal(0n);
    const { enclave } = await admit(f, { kind: "secp256k1" });
    const foreign = makePage(f, { 2: { result, signature: sign(f, result, enclave) } });
    expect(await f.pages.judgeLeaf(foreign.header, leafOf(foreign, 2))).to.equal(4n);
  });
});
