import { feedIdOf, readerAddress } from "@haca/protocol/dataFeeds";
import { expect } from "chai";
import { id, ZeroHash } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import {
  deployFeeds,
  FEED,
  FEED_ID,
  FEED_PARAMETERS,
  type FeedFixture,
  HEARTBEAT,
  observeAll,
  PRICE,
} from "../utils/feedFixture.ts";

const connection = await network.create();
const EIGHTEEN_DIGITS = 10n ** 18n;

describe("DataFeeds: feeds and their readers", () => {
  let f: FeedFixture;
  const deployFixture = () => deployFeeds(connection, { nodes: 3, kinds: ["p256"] });
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployFixture);
  });

  const byGovernance = () => f.feeds.connect(f.governance);
  const create = (overrides: Partial<typeof FEED & typeof FEED_PARAMETERS> = {}) => {
    const { description, decimals, sourceHash } = { ...FEED, ...overrides };
    const parameters = { ...FEED_PARAMETERS, ...overrides };
    return byGovernance().createFeed(description, decimals, sourceHash, parameters);
  };
  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.feeds, error);
  const readerOf = async (feedId = FEED_ID) =>
    f.ethers.getContractAt("FeedReader", await f.feeds.readerOf(feedId, FEED.decimals));
  /** Posts the price thrice, a second after the round before. */
  const post = async (price = PRICE) => {
    await f.networkHelpers.time.increase(60);
    await f.feeds.post(FEED_ID, await observeAll(f, [price, price, price]));
    return now(f);
  };

  describe("what governance does", () => {
    it("test_CreatesAFeedAndItsReaderAtAnAddressThatIsKnownBefore", async () => {
      const other = { ...FEED, description: "BTC / USD" };
      const feedId = feedIdOf(other);
      expect(await f.feeds.feedIdOf(other.description, other.decimals, other.sourceHash)).to.equal(
        feedId,
      );
      const reader = await f.feeds.readerOf(feedId, other.decimals);
      const { bytecode } = await f.ethers.getContractFactory("FeedReader");
      const feeds = await f.feeds.getAddress();
      expect(
        readerAddress({ feeds, feedId, decimals: other.decimals, creationCode: bytecode }),
      ).to.equal(reader);
      expect(await f.ethers.provider.getCode(reader)).to.equal("0x");

      const { heartbeat, maximumDeviation, minimumObservations } = FEED_PARAMETERS;
      const parameters = [heartbeat, maximumDeviation, minimumObservations];
      await expect(create(other))
        .to.emit(f.feeds, "FeedCreated")
        .withArgs(feedId, reader, "BTC / USD", 8n, FEED.sourceHash, parameters)
        .and.to.emit(f.feeds, "FeedParametersChanged")
        .withArgs(feedId, parameters);
      expect(await f.ethers.provider.getCode(reader)).to.not.equal("0x");
      expect([await f.feeds.feedCount(), await f.feeds.feedAt(1n)]).to.deep.equal([2n, feedId]);
      expect(await f.feeds.feedOf(feedId)).to.deep.equal([
        ...["BTC / USD", 8n, FEED.sourceHash, false, 0n, parameters],
      ]);
    });

    it("test_RevertWhen_AFeedIsCreatedTwiceOrAgainAfterItsEnd", async () => {
      await expectRefusal(create(), "DataFeeds_FeedExists");
      await byGovernance().closeFeed(FEED_ID);
      await expectRefusal(create(), "DataFeeds_FeedExists");
      // Another source is another feed under the same name.
      await create({ sourceHash: id("another source") });
      expect(await f.feeds.feedCount()).to.equal(2n);
    });

    for (const [what, overrides, bounds] of [
      ["no description", { description: "" }, [1n, 64n, 0n]],
      ["a description of 65 bytes", { description: `${"€".repeat(21)}ab` }, [1n, 64n, 65n]],
      ["19 decimals", { decimals: 19 }, [0n, 18n, 19n]],
      ["a heartbeat of 59 s", { heartbeat: 59n }, [60n, 86_400n, 59n]],
      ["a heartbeat above a day", { heartbeat: 86_401n }, [60n, 86_400n, 86_401n]],
      ["no deviation", { maximumDeviation: 0n }, [1n, 5_000n, 0n]],
      ["a deviation above half", { maximumDeviation: 5_001n }, [1n, 5_000n, 5_001n]],
      ["two observations", { minimumObservations: 2n }, [3n, 15n, 2n]],
      ["sixteen observations", { minimumObservations: 16n }, [3n, 15n, 16n]],
    ] as const) {
      it(`test_RevertWhen_AFeedHas_${what.replaceAll(/[ ,]/g, "_")}`, async () => {
        await expect(create({ sourceHash: id(what), ...overrides }))
          .to.be.revertedWithCustomError(f.feeds, "DataFeeds_ParameterInvalid")
          .withArgs(...bounds);
        expect(await f.feeds.feedCount()).to.equal(1n);
      });
    }

    it("test_TakesWhatIsAtTheBounds", async () => {
      const least = { heartbeat: 60n, maximumDeviation: 1n, minimumObservations: 3n };
      const most = { heartbeat: 86_400n, maximumDeviation: 5_000n, minimumObservations: 15n };
      await create({ ...least, sourceHash: id("least"), decimals: 0, description: "a" });
      await create({ ...most, sourceHash: id("most"), decimals: 18, description: "b".repeat(64) });
      expect(await f.feeds.feedCount()).to.equal(3n);
    });

    it("test_RevertWhen_AFeedHasNoSource", async () => {
      await expectRefusal(create({ sourceHash: ZeroHash }), "DataFeeds_SourceZero");
    });

    it("test_SetsParametersWithinTheirBounds", async () => {
      const next = { heartbeat: 60n, maximumDeviation: 1n, minimumObservations: 15n };
      await expect(byGovernance().setFeedParameters(FEED_ID, next))
        .to.emit(f.feeds, "FeedParametersChanged")
        .withArgs(FEED_ID, [60n, 1n, 15n]);
      const { parameters, decimals } = await f.feeds.feedOf(FEED_ID);
      expect([[...parameters], decimals]).to.deep.equal([[60n, 1n, 15n], 8n]);
      const bad = { ...next, minimumObservations: 16n };
      const call = byGovernance().setFeedParameters(FEED_ID, bad);
      await expectRefusal(call, "DataFeeds_ParameterInvalid");
    });

    it("test_ParametersChangeNoRoundThatThereIs", async () => {
      const time = await post();
      await byGovernance().setFeedParameters(FEED_ID, { ...FEED_PARAMETERS, heartbeat: 60n });
      await f.networkHelpers.time.increase(7n * 86_400n);
      expect((await f.feeds.latestRoundOf(FEED_ID)).answer).to.equal(PRICE);
      expect((await f.feeds.roundOf(FEED_ID, 1n)).updatedAt).to.be.lessThan(time);
    });

    it("test_ClosesAFeedForGood", async () => {
      await post();
      await expect(byGovernance().closeFeed(FEED_ID))
        .to.emit(f.feeds, "FeedClosed")
        .withArgs(FEED_ID);
      const observations = await observeAll(f, [PRICE, PRICE, PRICE]);
      for (const call of [
        () => byGovernance().closeFeed(FEED_ID),
        () => byGovernance().setFeedParameters(FEED_ID, FEED_PARAMETERS),
        () => f.feeds.post(FEED_ID, observations),
        () => f.feeds.judgeObservations(FEED_ID, observations),
        () => f.feeds.latestRoundOf(FEED_ID),
      ]) {
        await expectRefusal(call(), "DataFeeds_FeedClosed");
      }
      expect((await f.feeds.roundOf(FEED_ID, 1n)).answer).to.equal(PRICE);
      expect((await f.feeds.feedOf(FEED_ID)).isClosed).to.equal(true);
    });

    it("test_RevertWhen_ThereIsNoSuchFeed", async () => {
      const unknown = id("no feed");
      for (const call of [
        () => byGovernance().closeFeed(unknown),
        () => byGovernance().setFeedParameters(unknown, FEED_PARAMETERS),
        () => f.feeds.post(unknown, []),
        () => f.feeds.judgeObservations(unknown, []),
        () => f.feeds.latestRoundOf(unknown),
        () => f.feeds.feedOf(unknown),
        () => f.feeds.hashObservation(unknown, ZeroHash, 0n, 0n),
      ]) {
        await expectRefusal(call(), "DataFeeds_FeedUnknown");
      }
      await expectRefusal(f.feeds.roundOf(unknown, 1n), "DataFeeds_NoData");
    });

    it("test_RevertWhen_SomebodyElseThanGovernanceChangesFeeds", async () => {
      for (const account of [f.administrator, f.guardian, f.approver, f.operator]) {
        const feeds = f.feeds.connect(account);
        for (const call of [
          () => feeds.createFeed("a", 8, id("source"), FEED_PARAMETERS),
          () => feeds.setFeedParameters(FEED_ID, { ...FEED_PARAMETERS, heartbeat: 60n }),
          () => feeds.closeFeed(FEED_ID),
        ]) {
          await expectRefusal(call(), "AccessManagedUnauthorized");
        }
      }
    });

    it("test_RevertWhen_DeployedOverWhatIsNoContract", async () => {
      const manager = await f.manager.getAddress();
      const registry = await f.registry.getAddress();
      for (const values of [
        [f.attacker.address, registry],
        [manager, f.attacker.address],
      ] as const) {
        const call = f.ethers.deployContract("DataFeeds", [...values]);
        await expectRefusal(call, "DataFeeds_NotAContract");
      }
    });
  });

  describe("what readers answer", () => {
    it("test_SaysWhatTheFeedIs", async () => {
      const reader = await readerOf();
      expect(await reader.decimals()).to.equal(8n);
      expect(await reader.description()).to.equal("ETH / USD");
      expect(await reader.version()).to.equal(1n);
      expect(await reader.FEED_ID()).to.equal(FEED_ID);
      expect(await reader.FEEDS()).to.equal(f.feeds.target);
    });

    it("test_AnswersEveryRoundAndTheLatest", async () => {
      const reader = await readerOf();
      const rounds: bigint[][] = [];
      for (let i = 1n; i <= 3n; i++) {
        await post(PRICE + i);
        const { updatedAt } = await f.feeds.roundOf(FEED_ID, i);
        rounds.push([i, PRICE + i, updatedAt, updatedAt, i]);
        expect(await reader.latestRoundData()).to.deep.equal(rounds.at(-1));
      }
      for (const [index, round] of rounds.entries()) {
        expect(await reader.getRoundData(index + 1)).to.deep.equal(round);
      }
    });

    it("test_RevertWhen_ThereIsNoSuchRound", async () => {
      const reader = await readerOf();
      await expectRefusal(reader.latestRoundData(), "DataFeeds_NoData");
      await post();
      for (const roundId of [0n, 2n, (1n << 80n) - 1n]) {
        await expect(reader.getRoundData(roundId))
          .to.be.revertedWithCustomError(f.feeds, "DataFeeds_NoData")
          .withArgs(FEED_ID, roundId);
      }
    });

    it("test_AnswersOldRoundsOfAClosedFeedAndNoLatestOne", async () => {
      const reader = await readerOf();
      await post();
      await byGovernance().closeFeed(FEED_ID);
      await expectRefusal(reader.latestRoundData(), "DataFeeds_FeedClosed");
      expect((await reader.getRoundData(1n)).answer).to.equal(PRICE);
    });
  });

  describe("a consumer that knows nothing of this repository", () => {
    const deployConsumer = async () =>
      deployMock(f.ethers, "PriceConsumer", [(await readerOf()).target, 2n * HEARTBEAT]);

    it("test_ReadsAFreshPriceAndRefusesAnOldOne", async () => {
      const consumer = await deployConsumer();
      expect(await consumer.hasPrice()).to.equal(false);
      await post();
      expect(await consumer.hasPrice()).to.equal(true);
      expect(await consumer.worthOf(3n * EIGHTEEN_DIGITS)).to.equal(7_500n * EIGHTEEN_DIGITS);
      const { updatedAt } = await f.feeds.latestRoundOf(FEED_ID);
      await f.networkHelpers.time.increaseTo(updatedAt + 2n * HEARTBEAT);
      expect(await consumer.worthOf(EIGHTEEN_DIGITS)).to.equal(2_500n * EIGHTEEN_DIGITS);
      await f.networkHelpers.time.increase(1);
      await expect(consumer.worthOf(EIGHTEEN_DIGITS))
        .to.be.revertedWithCustomError(consumer, "OldPrice")
        .withArgs(updatedAt);
    });

    it("test_ReadsAPriceWhoseNodesAreAheadOfTheChain", async () => {
      const consumer = await deployConsumer();
      const observedAt = (await now(f)) + 60n;
      await f.feeds.post(FEED_ID, await observeAll(f, [PRICE, PRICE, PRICE], { observedAt }));
      expect(await consumer.worthOf(EIGHTEEN_DIGITS)).to.equal(2_500n * EIGHTEEN_DIGITS);
    });

    it("test_RevertWhen_APriceIsNotPositive", async () => {
      const consumer = await deployConsumer();
      await post(-1n);
      await expect(consumer.worthOf(EIGHTEEN_DIGITS))
        .to.be.revertedWithCustomError(consumer, "BadPrice")
        .withArgs(-1n);
    });

    it("test_WalksBackToTheAnswerOfATime", async () => {
      const consumer = await deployConsumer();
      for (let i = 1n; i <= 4n; i++) await post(PRICE + i);
      const { updatedAt } = await f.feeds.roundOf(FEED_ID, 2n);
      expect(await consumer.answerAt(updatedAt)).to.deep.equal([PRICE + 2n, 2n]);
      expect(await consumer.answerAt(updatedAt - 1n)).to.deep.equal([PRICE + 1n, 1n]);
      const { updatedAt: first } = await f.feeds.roundOf(FEED_ID, 1n);
      await expectRefusal(consumer.answerAt(first - 1n), "DataFeeds_NoData");
    });

    it("test_HasNoPriceOfAClosedFeed", async () => {
      const consumer = await deployConsumer();
      await post();
      await byGovernance().closeFeed(FEED_ID);
      expect(await consumer.hasPrice()).to.equal(false);
      await expectRefusal(consumer.worthOf(EIGHTEEN_DIGITS), "DataFeeds_FeedClosed");
    });
  });
});
