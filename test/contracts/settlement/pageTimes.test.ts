import { pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { PAGE_REASONS } from "@haca/protocol/pageSettlement";
import { sessionKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import { expect } from "chai";
import { id, Wallet } from "ethers";
import { network } from "hardhat";
import { LLM_PROXY, loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  challenge,
  DAY,
  DEPOSIT,
  deployPages,
  leafOf,
  makePage,
  makeResult,
  type Page,
  type PageFixture,
  proposalOf,
  sign,
} from "../utils/pageFixture.ts";

const connection = await network.create();
const deploy = () => deployPages(connection);
/** Transactions are sent before the block that they are in, so that nothing can be estimated. */
const GAS = { gasLimit: 3_000_000n };
type Reason = (typeof PAGE_REASONS)[number];
type Call = () => Promise<{ wait: () => Promise<unknown> }>;

describe("PageSettlement: what happens about the second of a proposal", () => {
  let f: PageFixture;
  /** when the page is proposed */
  let second: bigint;

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    second = (await now(f)) + 100n;
  });

  const judge = async (page: Page, index: number): Promise<Reason | undefined> =>
    PAGE_REASONS[Number(await f.pages.judgeLeaf(page.header, leafOf(page, index)))];
  const verdicts = (page: Page) =>
    Promise.all([...page.results.keys()].map((index) => judge(page, index)));

  /** A page of results, each so many seconds from the one of the proposal, from place 0 on. */
  async function pageOf(seconds: readonly bigint[], by?: Wallet): Promise<Page> {
    const content: Parameters<typeof makePage>[1] = {};
    for (const [index, ahead] of seconds.entries()) {
      const result = await makeResult(f, index, { timestamp: second + ahead });
      content[index] = { result, signature: sign(f, result, by) };
    }
    return makePage(f, content);
  }

  /** All of these in one block, in this order, at a second from the one of the proposal. */
  async function inOneBlock(calls: readonly Call[], ahead = 0n): Promise<void> {
    const { provider } = f.ethers;
    await provider.send("evm_setAutomine", [false]);
    const sent = [];
    for (const call of calls) sent.push(await call());
    await f.networkHelpers.time.setNextBlockTimestamp(second + ahead);
    await f.networkHelpers.mine();
    await provider.send("evm_setAutomine", [true]);
    // A transaction that reverted throws here.
    for (const transaction of sent) await transaction.wait();
    expect(await now(f)).to.equal(second + ahead);
  }

  const proposing =
    (page: Page): Call =>
    () =>
      f.pages.connect(f.operator).proposePage(proposalOf(page), "0x", GAS);

  /** What ends at a time, and what is wrong with a leaf from then on. */
  const ENDS: readonly [string, Reason, Call][] = [
    [
      "ADeprecation",
      "VersionInvalid",
      () => f.models.connect(f.governance).deprecateVersion(f.versionId, GAS),
    ],
    [
      "AnEndOfService",
      "KeyNotInService",
      () => f.registry.connect(f.operator).disableTEE(f.enclave.teeId, GAS),
    ],
    [
      "AnEndOfTheSessionKey",
      "KeyNotInService",
      () => f.registry.connect(f.operator).endSessionKey(f.enclave.teeId, f.session.address, GAS),
    ],
    [
      "ARevocationOfTheImage",
      "KeyNotInService",
      () => f.registry.connect(f.guardian).revokeImage(pcrHashOf(f.image), LLM_PROXY, 0, GAS),
    ],
  ];
  for (const [what, reason, end] of ENDS) {
    describe(what, () => {
      for (const order of ["Before", "After"]) {
        it(`test_InTheProposalsSecond_MakesNoLeafWrong: ${order} it in the block`, async () => {
          const page = await pageOf([-60n, -1n, 0n, 1n, 60n]);
          const calls = [end, proposing(page)];
          await inOneBlock(order === "Before" ? calls : calls.reverse());
          expect(await verdicts(page)).to.deep.equal(Array(5).fill("None"));
          for (const index of [2, 4]) {
            await expect(challenge(f, page, index)).to.be.revertedWithCustomError(
              f.pages,
              "PageSettlement_LeafIsGood",
            );
          }
          const { amount, openPages } = await f.pages.accountOf(f.operator);
          expect([amount, openPages]).to.deep.equal([DEPOSIT, 1n]);
        });
      }

      it("test_InTheSkewAfterIt_MakesNoLeafWrong", async () => {
        const page = await pageOf([0n, 1n, 9n, 10n, 60n]);
        await inOneBlock([proposing(page)]);
        await inOneBlock([end], 10n);
        await f.networkHelpers.time.increase(DAY);
        expect(await verdicts(page)).to.deep.equal(Array(5).fill("None"));
      });

      it("test_InTheSecondBeforeIt_Counts_AsOfItsOwn", async () => {
        const page = await pageOf([-60n, -2n, -1n, 0n, 60n]);
        await inOneBlock([end], -1n);
        await inOneBlock([proposing(page)]);
        const expected = ["None", "None", reason, reason, reason];
        expect(await verdicts(page)).to.deep.equal(expected);
        await challenge(f, page, 4);
        expect((await f.pages.accountOf(f.operator)).amount).to.equal(0n);
      });

      it("test_IsToldToWhoeverAsksInItsSecond_AndProposesInTheNext", async () => {
        const page = await pageOf([-2n, -1n, 0n, 59n]);
        await inOneBlock([end], -1n);
        const { number } = (await f.ethers.provider.getBlock("latest")) ?? { number: 0 };
        const told = async (index: number) => {
          const call = f.pages.judgeLeaf(page.header, leafOf(page, index), { blockTag: number });
          return PAGE_REASONS[Number(await call)];
        };
        const before = await Promise.all([0, 1, 2, 3].map(told));
        expect(before).to.deep.equal(["None", reason, reason, reason]);
        await inOneBlock([proposing(page)]);
        expect(await verdicts(page)).to.deep.equal(before);
      });
    });
  }

  describe("what says that an enclave was never to be trusted", () => {
    const NEVER: readonly [string, Call][] = [
      ["a ban", () => f.registry.connect(f.guardian).banTEE(f.enclave.teeId, GAS)],
      [
        "a denied operator",
        () => f.registry.connect(f.guardian).denyOperator(f.operator.address, GAS),
      ],
    ];
    for (const [what, call] of NEVER) {
      it(`test_IsExcusedByNoSecond: ${what}`, async () => {
        const page = await pageOf([-60n, 0n, 60n]);
        await inOneBlock([call, proposing(page)]);
        expect(await verdicts(page)).to.deep.equal(Array(3).fill("KeyNotInService"));
      });

      it(`test_CountsHoweverLate: ${what}`, async () => {
        const page = await pageOf([-60n, 0n, 60n]);
        await inOneBlock([proposing(page)]);
        await inOneBlock([call], 30n);
        expect(await verdicts(page)).to.deep.equal(Array(3).fill("KeyNotInService"));
      });
    }
  });

  describe("what begins in the proposal's second", () => {
    const certification = async (key: Wallet): Promise<Call> => {
      const { chainId, registry, enclave } = f;
      const { teeId } = enclave;
      const terms = { signsResults: true, until: (await now(f)) + DAY, counter: 2n };
      const digest = sessionKeyDigest({
        domain: teeRegistryDomain({ chainId, registry: await registry.getAddress() }),
        ...{ teeId, key: key.address, ...terms },
      });
      const signature = enclave.sign(digest);
      return () =>
        registry.certifySessionKey(
          ...([teeId, key.address, terms.signsResults, terms.until] as const),
          ...([terms.counter, signature, GAS] as const),
        );
    };

    it("test_ASessionKey_DoesNotCountYet", async () => {
      const key = new Wallet(id("too young"));
      const page = await pageOf([0n, 60n], key);
      await inOneBlock([await certification(key), proposing(page)]);
      expect(await verdicts(page)).to.deep.equal(Array(2).fill("KeyNotInService"));
    });

    it("test_ASessionKeyOfTheSecondBefore_Counts", async () => {
      const key = new Wallet(id("old enough"));
      const page = await pageOf([-2n, -1n, 0n, 60n], key);
      await inOneBlock([await certification(key)], -1n);
      await inOneBlock([proposing(page)]);
      expect(await verdicts(page)).to.deep.equal(["KeyNotInService", "None", "None", "None"]);
    });

    it("test_AnEnclaveThatIsEnabledAgain_DoesNotCountYet", async () => {
      await f.registry.connect(f.operator).disableTEE(f.enclave.teeId);
      const page = await pageOf([0n, 60n]);
      const enable: Call = () => f.registry.connect(f.operator).enableTEE(f.enclave.teeId, GAS);
      await inOneBlock([enable, proposing(page)]);
      expect(await verdicts(page)).to.deep.equal(Array(2).fill("KeyNotInService"));
    });
  });

  it("test_TheWindowIsThatOfTheProposal", async () => {
    const { resultWindow } = await f.pages.parametersNow();
    const page = await pageOf([-resultWindow - 1n, -60n, 60n, 61n]);
    await inOneBlock([proposing(page)]);
    expect(await verdicts(page)).to.deep.equal(["OutsideWindow", "None", "None", "OutsideWindow"]);
  });
});
