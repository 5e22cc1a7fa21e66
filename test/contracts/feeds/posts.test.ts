import { pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import {
  DATA_NODE_TYPE,
  feedIdOf,
  type SignedObservation,
  SKIP_REASONS,
  type SkipReason,
} from "@haca/protocol/dataFeeds";
import { expect } from "chai";
import { hexlify, id, ZeroHash } from "ethers";
import { network } from "hardhat";
import { admit, loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { certifySession } from "../utils/enclaveResults.ts";
import {
  admitDataNode,
  type DataNode,
  deployFeeds,
  digestOf,
  FEED,
  FEED_ID,
  FEED_PARAMETERS,
  type FeedFixture,
  HEARTBEAT,
  makeObservation,
  nodeAt,
  observe,
  observeAll,
  PRICE,
} from "../utils/feedFixture.ts";
import { withOtherEnd } from "../utils/otherEnd.ts";
import { seededRandom } from "../utils/seededRandom.ts";

const connection = await network.create();
const WHOLE = 10_000n;
const GOOD = [PRICE, PRICE + 1n, PRICE + 2n] as const;

describe("DataFeeds: observations", () => {
  let f: FeedFixture;
  const deployFixture = () => deployFeeds(connection, { nodes: 7 });
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployFixture);
  });

  /** Anybody posts. */
  const post = (observations: readonly SignedObservation[], feedId = FEED_ID) =>
    f.feeds.connect(f.attacker).post(feedId, [...observations]);
  const judge = async (observations: readonly SignedObservation[], feedId = FEED_ID) => {
    const judged = await f.feeds.judgeObservations(feedId, [...observations]);
    const reasons = judged.reasons.map((reason: bigint) => SKIP_REASONS[Number(reason)]);
    return { reasons, answer: judged.answer, updatedAt: judged.updatedAt };
  };
  const good = (overrides = {}) => observeAll(f, GOOD, overrides);
  const fourth = () => nodeAt(f, 3);
  /** Three good observations and another one, which is skipped for that reason and keeps nobody out. */
  const expectSkipped = async (bad: SignedObservation, reason: SkipReason) => {
    const observations = [bad, ...(await good())];
    expect((await judge(observations)).reasons).to.deep.equal([reason, "None", "None", "None"]);
    await expect(post(observations))
      .to.emit(f.feeds, "ObservationSkipped")
      .withArgs(FEED_ID, 1n, bad.teeId, bad.value, bad.observedAt, SKIP_REASONS.indexOf(reason))
      .and.to.emit(f.feeds, "RoundPosted");
    expect((await f.feeds.latestRoundOf(FEED_ID)).answer).to.equal(PRICE + 1n);
  };
  const expectTooFew = (call: Promise<unknown>, minimum: bigint, actual: bigint) =>
    expect(call)
      .to.be.revertedWithCustomError(f.feeds, "DataFeeds_TooFewObservations")
      .withArgs(FEED_ID, minimum, actual);

  describe("what a round is made of", () => {
    it("test_PostsTheMiddleOfThree_ByKeysOfEveryKind", async () => {
      const time = await now(f);
      const observations = await Promise.all(
        (
          [
            [PRICE + 9n, 30n],
            [PRICE, 20n],
            [PRICE + 5n, 10n],
          ] as const
        ).map(([value, age], i) => observe(f, nodeAt(f, i), { value, observedAt: time - age })),
      );
      expect(new Set(f.nodes.slice(0, 3).map(({ enclave }) => enclave.kind)).size).to.equal(3);
      await expect(post(observations))
        .to.emit(f.feeds, "RoundPosted")
        .withArgs(FEED_ID, 1n, f.attacker.address, PRICE + 5n, time - 20n, 3n)
        .and.to.not.emit(f.feeds, "ObservationSkipped");
      const round = [PRICE + 5n, time - 20n];
      expect(await f.feeds.roundOf(FEED_ID, 1n)).to.deep.equal(round);
      expect(await f.feeds.latestRoundOf(FEED_ID)).to.deep.equal([1n, ...round]);
    });

    it("test_PostsTheLowerMiddleOfFour_AndOfTimesApart", async () => {
      const time = await now(f);
      const values = [PRICE + 8n, PRICE + 6n, PRICE + 4n, PRICE + 2n];
      const ages = [40n, 30n, 10n, 20n];
      const observations = await Promise.all(
        values.map((value, i) =>
          observe(f, nodeAt(f, i), { value, observedAt: time - (ages[i] ?? 0n) }),
        ),
      );
      const expected = { answer: PRICE + 4n, updatedAt: time - 30n };
      expect(await judge(observations)).to.deep.include(expected);
      // The order is nobody's to use.
      expect(await judge(observations.toReversed())).to.deep.include(expected);
    });

    it("test_AgreesWithASecondImplementationOverRandomObservations", async () => {
      const random = seededRandom("feeds");
      const time = await now(f);
      for (let run = 0; run < 40; run++) {
        const base = BigInt(random.below(2_000)) - 1_000n;
        const observations = await Promise.all(
          f.nodes.slice(0, 1 + random.below(f.nodes.length)).map((node) =>
            observe(f, node, {
              value: base * 100n + BigInt(random.below(4_000)),
              observedAt: time - BigInt(random.below(600)),
            }),
          ),
        );
        const lower = (numbers: bigint[]) =>
          numbers.toSorted((a, b) => Number(a - b))[Math.ceil(numbers.length / 2) - 1] ?? 0n;
        const center = lower(observations.map(({ value }) => value));
        const size = (value: bigint) => (value < 0n ? -value : value);
        const isNear = ({ value }: SignedObservation) =>
          size(value - center) * WHOLE <= size(center) * FEED_PARAMETERS.maximumDeviation;
        const near = observations.filter(isNear);
        expect(await judge(observations)).to.deep.equal({
          reasons: observations.map((one) => (isNear(one) ? "None" : "Deviates")),
          answer: lower(near.map(({ value }) => value)),
          updatedAt: lower(near.map(({ observedAt }) => observedAt)),
        });
      }
    });

    it("test_TakesTheLargestAndSmallestValues", async () => {
      const most = (1n << 191n) - 1n;
      for (const value of [most, -most - 1n, 0n]) {
        await f.networkHelpers.time.increase(10);
        await post(await observeAll(f, [value, value, value]));
        expect((await f.feeds.latestRoundOf(FEED_ID)).answer).to.equal(value);
      }
      const { reasons } = await judge(await observeAll(f, [most, -most - 1n, -most - 1n, most]));
      expect(reasons).to.deep.equal(["Deviates", "None", "None", "Deviates"]);
    });

    it("test_HashesAnObservationAsTheContractDoes", async () => {
      const observation = await makeObservation(f, fourth(), { value: -7n });
      const { teeId, value, observedAt } = observation;
      expect(await f.feeds.hashObservation(FEED_ID, teeId, value, observedAt)).to.equal(
        await digestOf(f, observation),
      );
    });

    it("test_RevertWhen_TooFewCount", async () => {
      await expectTooFew(post([]), 3n, 0n);
      await expectTooFew(post(await observeAll(f, GOOD.slice(0, 2))), 3n, 2n);
      const [first, second, third] = await good();
      if (!first || !second || !third) throw new Error("no observations");
      await expectTooFew(post([first, second, { ...third, signature: "0x" }]), 3n, 2n);
      const parameters = { ...FEED_PARAMETERS, minimumObservations: 4n };
      await f.feeds.connect(f.governance).setFeedParameters(FEED_ID, parameters);
      await expectTooFew(post([first, second, third]), 4n, 3n);
      expect((await f.feeds.feedOf(FEED_ID)).latestRound).to.equal(0n);
    });

    it("test_RevertWhen_MoreThanFifteenArePosted", async () => {
      const [first] = await good();
      if (!first) throw new Error("no observations");
      for (const call of [
        () => post(Array.from({ length: 16 }, () => first)),
        () => judge(Array.from({ length: 16 }, () => first)),
      ]) {
        await expect(call())
          .to.be.revertedWithCustomError(f.feeds, "DataFeeds_TooManyObservations")
          .withArgs(15n, 16n);
      }
      await expectTooFew(post(Array.from({ length: 15 }, () => first)), 3n, 1n);
    });
  });

  describe("when it was observed", () => {
    it("test_SkipsWhatComesFromTheFuture", async () => {
      const observedAt = (await now(f)) + 63n;
      await expectSkipped(await observe(f, fourth(), { observedAt }), "FromFuture");
    });

    it("test_CountsAsNowWhatIsAMinuteAhead", async () => {
      const observedAt = (await now(f)) + 60n;
      await post(await good({ observedAt }));
      const { updatedAt } = await f.feeds.latestRoundOf(FEED_ID);
      expect(updatedAt).to.equal(await now(f));
      // The round is of its own block's time, and not of a later one's: there is room for the next.
      await post(await good({ observedAt: (await now(f)) + 60n }));
      expect((await f.feeds.latestRoundOf(FEED_ID)).updatedAt).to.be.greaterThan(updatedAt);
    });

    it("test_CountsWhatIsTwoHeartbeatsOldAndNothingOlder", async () => {
      const next = (await now(f)) + 10n;
      const observedAt = next - 2n * HEARTBEAT;
      const old = await good({ observedAt: observedAt - 1n });
      const young = await good({ observedAt });
      await f.networkHelpers.time.setNextBlockTimestamp(next);
      const late = await observe(f, fourth(), { observedAt: observedAt - 1n });
      await expect(post([...young, late]))
        .to.emit(f.feeds, "ObservationSkipped")
        .withArgs(FEED_ID, 1n, late.teeId, late.value, late.observedAt, 2n);
      expect((await f.feeds.latestRoundOf(FEED_ID)).updatedAt).to.equal(observedAt);
      await expectTooFew(post(old), 3n, 0n);
    });

    it("test_SkipsWhatIsStaleAmongGoodOnes", async () => {
      const observedAt = (await now(f)) - 2n * HEARTBEAT - 1n;
      await expectSkipped(await observe(f, fourth(), { observedAt }), "Stale");
    });

    it("test_TimesOfRoundsRise", async () => {
      const time = await now(f);
      await post(await good({ observedAt: time - 100n }));
      for (const age of [100n, 101n, 500n]) {
        const late = await good({ observedAt: time - age });
        expect((await judge(late)).reasons).to.deep.equal(["NotNewer", "NotNewer", "NotNewer"]);
        await expectTooFew(post(late), 3n, 0n);
      }
      const late = await observe(f, fourth(), { observedAt: time - 100n });
      const next = [...(await good({ observedAt: time - 99n })), late];
      await expect(post(next)).to.emit(f.feeds, "ObservationSkipped");
      expect((await f.feeds.latestRoundOf(FEED_ID)).updatedAt).to.equal(time - 99n);
    });
  });

  describe("how far it is from the others", () => {
    const bound = (PRICE * FEED_PARAMETERS.maximumDeviation) / WHOLE;
    for (const [what, distance] of [
      ["Above", bound],
      ["Below", -bound],
    ] as const) {
      it(`test_CountsWhatIsAtTheBoundAndSkipsWhatIsBeyond_${what}`, async () => {
        const values = [PRICE, PRICE, PRICE, PRICE, PRICE];
        const at = [...(await observeAll(f, values)), await observe(f, nodeAt(f, 5))];
        at[5] = await observe(f, nodeAt(f, 5), { value: PRICE + distance });
        expect((await judge(at)).reasons[5]).to.equal("None");
        const value = PRICE + distance + (distance > 0n ? 1n : -1n);
        at[5] = await observe(f, nodeAt(f, 5), { value });
        expect((await judge(at)).reasons[5]).to.equal("Deviates");
      });
    }

    it("test_SkipsWhatDeviates_AndTakesTheMedianOfTheRest", async () => {
      const values = [PRICE, PRICE + 1n, PRICE + 2n, PRICE * 3n, PRICE * 4n];
      const observations = await observeAll(f, values);
      await expect(post(observations))
        .to.emit(f.feeds, "ObservationSkipped")
        .withArgs(FEED_ID, 1n, nodeAt(f, 4).teeId, PRICE * 4n, observations[4]?.observedAt, 8n);
      // The median of all five is the third.
      expect((await f.feeds.latestRoundOf(FEED_ID)).answer).to.equal(PRICE + 1n);
    });

    it("test_RevertWhen_TooFewAgree", async () => {
      await expectTooFew(post(await observeAll(f, [PRICE, PRICE, PRICE * 2n])), 3n, 2n);
    });

    it("test_BoundIsOfTheMagnitude_BelowZeroToo", async () => {
      const { reasons, answer } = await judge(await observeAll(f, [-10_000n, -10_200n, -10_201n]));
      // The median is -10,200; 204 of it are allowed.
      expect([reasons, answer]).to.deep.equal([["None", "None", "None"], -10_200n]);
      const { reasons: beyond } = await judge(await observeAll(f, [-9_995n, -10_200n, -10_405n]));
      expect(beyond).to.deep.equal(["Deviates", "None", "Deviates"]);
    });

    it("test_AFeedFollowsAJumpThatAllSee", async () => {
      await post(await good());
      await f.networkHelpers.time.increase(5);
      const jumped = PRICE / 10n;
      await post(await observeAll(f, [jumped, jumped, jumped]));
      expect((await f.feeds.latestRoundOf(FEED_ID)).answer).to.equal(jumped);
    });
  });

  describe("who observed it", () => {
    it("test_SkipsABannedNode", async () => {
      const bad = await observe(f, fourth());
      await f.registry.connect(f.guardian).banTEE(fourth().teeId);
      await expectSkipped(bad, "NotInService");
    });

    it("test_SkipsANodeWhoseOperatorIsDenied", async () => {
      const bad = await observe(f, fourth());
      await f.registry.connect(f.guardian).denyOperator(fourth().operator.address);
      await expectSkipped(bad, "NotInService");
    });

    it("test_SkipsWhatANodeObservedOutOfService_AndCountsWhatItDidBefore", async () => {
      const before = await observe(f, fourth());
      await f.registry.connect(fourth().operator).disableTEE(fourth().teeId);
      await f.networkHelpers.time.increase(10);
      const after = await observe(f, fourth());
      expect((await judge([before])).reasons).to.deep.equal(["None"]);
      await expectSkipped(after, "NotInService");
    });

    it("test_SkipsAllNodesOfARevokedImage", async () => {
      const revoke = f.registry.connect(f.guardian);
      await revoke.revokeImage(pcrHashOf(f.dataImage), DATA_NODE_TYPE, 0);
      await f.networkHelpers.time.increase(10);
      const observations = await good();
      expect(new Set((await judge(observations)).reasons)).to.deep.equal(new Set(["NotInService"]));
      await expectTooFew(post(observations), 3n, 0n);
    });

    it("test_SkipsAnEnclaveOfAnotherType", async () => {
      const { enclave, teeId } = await admit(f);
      const other: DataNode = { enclave, teeId, operator: fourth().operator };
      await f.networkHelpers.time.increase(10);
      await expectSkipped(await observe(f, other), "NotADataNode");
    });

    it("test_SkipsANodeThatNobodyKnows", async () => {
      const unknown = { ...(await observe(f, fourth())), teeId: id("nobody") };
      await expectSkipped(unknown, "NotInService");
    });

    it("test_OneOperatorHasOneVoice_WhateverTheirEnclaves", async () => {
      const again = await admitDataNode(f, { operator: "operator 0" });
      const more = await admitDataNode(f, { operator: "operator 0" });
      await f.networkHelpers.time.increase(10);
      const three = [
        await observe(f, nodeAt(f, 0)),
        await observe(f, again, { value: PRICE + 1n }),
        await observe(f, more, { value: PRICE + 2n }),
      ];
      expect((await judge(three)).reasons).to.deep.equal([
        ...["None", "OperatorCounted", "OperatorCounted"],
      ]);
      await expectTooFew(post(three), 3n, 1n);
      const [own] = three;
      if (!own) throw new Error("no observation");
      await expectTooFew(post([own, own, own]), 3n, 1n);
      // The first that is good is the one that counts.
      const [, , ...others] = await good();
      const bad = { ...own, signature: "0x" };
      const mixed = [bad, ...three.slice(1), ...others, await observe(f, fourth())];
      expect((await judge(mixed)).reasons).to.deep.equal([
        ...["InvalidSignature", "None", "OperatorCounted", "None", "None"],
      ]);
    });

    it("test_NobodyIsKeptOutByWhatIsMadeUpInTheirName", async () => {
      const observations = await good();
      const forged = observations.map((one) => ({ ...one, value: 1n, signature: "0x" }));
      const all = [...forged, ...observations];
      expect((await judge(all)).reasons).to.deep.equal([
        ...["InvalidSignature", "InvalidSignature", "InvalidSignature", "None", "None", "None"],
      ]);
      await post(all);
      expect((await f.feeds.latestRoundOf(FEED_ID)).answer).to.equal(PRICE + 1n);
    });

    it("test_TwelveBadOnesOfEveryKindBlockNoHonestThree", async () => {
      const honest = await good();
      const time = await now(f);
      const rogue = fourth();
      await f.registry.connect(f.guardian).banTEE(nodeAt(f, 6).teeId);
      const bad = [
        await observe(f, rogue, { value: PRICE * 9n }),
        await observe(f, rogue, { observedAt: time + 1_000n }),
        await observe(f, rogue, { observedAt: (1n << 64n) - 1n }),
        await observe(f, rogue, { observedAt: 0n }),
        await observe(f, nodeAt(f, 6)),
        ...honest.map((one) => ({ ...one, signature: "0x" })),
        ...honest.map((one) => ({ ...one, signature: `0x${"ff".repeat(65)}` })),
        { ...(await observe(f, rogue)), teeId: ZeroHash },
      ];
      expect(bad).to.have.length(12);
      await post([...bad, ...honest]);
      const { answer, updatedAt } = await f.feeds.latestRoundOf(FEED_ID);
      expect([answer, updatedAt]).to.deep.equal([PRICE + 1n, time]);
    });
  });

  describe("what is signed", () => {
    const changes: [string, (one: SignedObservation) => Partial<SignedObservation>][] = [
      ["Value", ({ value }) => ({ value: value + 1n })],
      ["Time", ({ observedAt }) => ({ observedAt: observedAt - 1n })],
      ["Node", () => ({ teeId: nodeAt(f, 4).teeId })],
      ["Signature", ({ signature }) => ({ signature: withOtherEnd(signature) })],
      ["NoSignature", () => ({ signature: "0x" })],
    ];
    for (const [what, change] of changes) {
      it(`test_SkipsWhatWasChanged_${what}`, async () => {
        const one = await observe(f, fourth());
        await expectSkipped({ ...one, ...change(one) }, "InvalidSignature");
      });
    }

    it("test_SkipsWhatWasObservedForAnotherFeed", async () => {
      const other = { ...FEED, description: "BTC / USD" };
      const { description, decimals, sourceHash } = other;
      await f.feeds
        .connect(f.governance)
        .createFeed(description, decimals, sourceHash, FEED_PARAMETERS);
      const observations = await good();
      const { reasons } = await judge(observations, feedIdOf(other));
      expect(reasons).to.deep.equal(["InvalidSignature", "InvalidSignature", "InvalidSignature"]);
      await post(observations);
      expect((await f.feeds.feedOf(feedIdOf(other))).latestRound).to.equal(0n);
    });

    for (const [what, overrides] of [
      ["Source", { sourceHash: id("another source") }],
      ["Decimals", { decimals: 18 }],
    ] as const) {
      it(`test_SkipsWhatWasObservedWithAnother_${what}`, async () => {
        await expectSkipped(await observe(f, fourth(), overrides), "InvalidSignature");
      });
    }

    it("test_SkipsWhatWasSignedForAnotherChain", async () => {
      const place = { chainId: f.chainId + 1n };
      await expectSkipped(await observe(f, fourth(), {}, place), "InvalidSignature");
    });

    it("test_SkipsWhatWasSignedForAnotherContract", async () => {
      const other = await f.ethers.deployContract("DataFeeds", [
        ...([await f.manager.getAddress(), await f.registry.getAddress()] as const),
      ]);
      const place = { feeds: await other.getAddress() };
      await expectSkipped(await observe(f, fourth(), {}, place), "InvalidSignature");
    });

    it("test_CopiedFromTheMempoolItMakesTheSameRound", async () => {
      const observations = await good();
      await f.feeds.connect(f.attacker).post(FEED_ID, observations);
      const round = await f.feeds.latestRoundOf(FEED_ID);
      await expectTooFew(f.feeds.connect(f.operator).post(FEED_ID, observations), 3n, 0n);
      expect(await f.feeds.latestRoundOf(FEED_ID)).to.deep.equal(round);
      expect([...round]).to.deep.equal([1n, PRICE + 1n, observations[0]?.observedAt]);
    });
  });

  describe("session keys", () => {
    const bySession = async (options: { signsResults?: boolean; until?: bigint } = {}) => {
      const { enclave, teeId } = fourth();
      const session = await certifySession({ fixture: f, enclave, ...options });
      return async (observedAt: bigint) => {
        const observation = await makeObservation(f, fourth(), { observedAt });
        const signature = session.signingKey.sign(await digestOf(f, observation)).serialized;
        return { teeId, value: observation.value, observedAt, signature };
      };
    };

    it("test_CountsWhatAKeyForResultsSigned_WhileItIsValid", async () => {
      const until = (await now(f)) + 100n;
      const sign = await bySession({ until });
      const from = await now(f);
      await f.networkHelpers.time.increaseTo(until + 10n);
      const reasonAt = async (time: bigint) => (await judge([await sign(time)])).reasons[0];
      expect(await reasonAt(from - 1n)).to.equal("InvalidSignature");
      expect(await reasonAt(from)).to.equal("None");
      expect(await reasonAt(until - 1n)).to.equal("None");
      expect(await reasonAt(until)).to.equal("InvalidSignature");
    });

    it("test_SkipsWhatAKeyForHeartbeatsSigned", async () => {
      const sign = await bySession({ signsResults: false });
      await f.networkHelpers.time.increase(10);
      await expectSkipped(await sign(await now(f)), "InvalidSignature");
    });

    it("test_SkipsASessionKeyOfAnotherNode", async () => {
      const sign = await bySession();
      const one = { ...(await sign(await now(f))), teeId: nodeAt(f, 4).teeId };
      await expectSkipped(one, "InvalidSignature");
    });
  });

  it("test_SignaturesAreNoKeyToAnything", async () => {
    const { enclave } = fourth();
    const observation = await makeObservation(f, fourth());
    const digest = await digestOf(f, observation);
    const { teeId, value, observedAt } = observation;
    // P-256 and RSA-PSS sign the same thing twice in different ways: both are the node's one word.
    const twice = [1, 2].map(() => ({
      ...{ teeId, value, observedAt },
      signature: hexlify(enclave.sign(digest)),
    }));
    expect((await judge(twice)).reasons).to.deep.equal(["None", "OperatorCounted"]);
  });
});
