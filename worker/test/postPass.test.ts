import type { SignedObservation } from "@haca/protocol/dataFeeds";
import { id, type TransactionReceipt, ZeroAddress } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";
import { beforeEach, expect, it } from "vitest";
import { RetryableError } from "../src/errors.ts";
import { createDataNodeMetrics } from "../src/roles/dataNode/createDataNodeMetrics.ts";
import { createPostPass } from "../src/roles/dataNode/createPostPass.ts";
import type { DataNodeContext } from "../src/roles/dataNode/dataNodeContext.ts";
import type { FeedContract, FeedState } from "../src/roles/dataNode/feedContract.ts";
import { leaseFeed, releaseFeed } from "../src/roles/dataNode/feedLeases.ts";
import type { Database } from "../src/storage/database.ts";
import type { Mined, Sender } from "../src/transactions/sender.ts";
import { WouldRevertError } from "../src/transactions/sendTransaction.ts";
import { describeStores } from "./support/stores.ts";

const FEED = id("feed");
const OTHER = id("other feed");
const FEEDS = `0x${"fe".repeat(20)}`;
const NOW = 1_000_000n;
const own: SignedObservation = {
  ...{ teeId: id("node"), value: 5n, observedAt: NOW, signature: "0x" },
};

/** A contract without a round, which lets everything count. */
class ScriptedContract implements FeedContract {
  readonly address = FEEDS;
  state: FeedState = {
    ...{ block: 9, time: NOW, description: "", decimals: 0, sourceHash: "0x", isClosed: false },
    ...{ heartbeat: 100n, minimumObservations: 1, latestRound: 0n, answer: undefined },
    updatedAt: 0n,
  };
  failing: string | undefined;

  async read(feedId: string): Promise<FeedState> {
    if (feedId !== this.failing) return this.state;
    throw new RetryableError({ code: "rpc.failed", message: "HACA_RPC_URL: away" });
  }
  async judge(_: string, observations: readonly SignedObservation[]) {
    return observations.map(() => "None" as const);
  }
}

/** An account whose transactions are mined when the test says so; `hold` keeps a call from returning. */
class ScriptedSender implements Sender {
  readonly account = ZeroAddress;
  readonly sent: string[] = [];
  open = new Map<string, string>();
  mined: Mined[] = [];
  failure: Error | undefined;
  hold: Promise<void> | undefined;
  reached: () => void = () => undefined;

  async send({ purpose, to }: { purpose: string; to: string }) {
    expect(to).toBe(FEEDS);
    this.reached();
    await this.hold;
    if (this.failure !== undefined) throw this.failure;
    this.sent.push(purpose);
    const hash = id(`transaction ${this.sent.length}`);
    this.open.set(purpose, hash);
    return { hash, nonce: this.sent.length - 1 };
  }
  async tend(): Promise<Mined[]> {
    return this.mined.splice(0);
  }
  async listOpen(): Promise<ReadonlyMap<string, string>> {
    return new Map(this.open);
  }
  async findReceipt(): Promise<TransactionReceipt | undefined> {
    return undefined;
  }
  async findMined(): Promise<TransactionReceipt | undefined> {
    return undefined;
  }
}

describeStores("rounds of feeds", (queue) => {
  let database: Database;
  let contract: ScriptedContract;
  let sender: ScriptedSender;
  beforeEach(async () => {
    ({ database } = queue);
    await database.execute("DELETE FROM feed_leases");
    contract = new ScriptedContract();
    sender = new ScriptedSender();
  });

  const registry = new Registry();
  const metrics = createDataNodeMetrics({ registers: [registry] });
  /** A machine's pass over some feeds. */
  const machine = (owner: string, feedIds: readonly string[] = [FEED]) => {
    const context: DataNodeContext = {
      ...{ chainId: 1n, contract, enclaveUrl: "", teeId: own.teeId, peers: [], deviation: 50 },
      ...{ turnSeconds: 15n, database, owner, sender, metrics, now: () => NOW },
      feeds: feedIds.map((feedId) => ({ feedId, decimals: 0, source: { url: "", pointer: "" } })),
      latest: new Map(feedIds.map((feedId) => [feedId, own])),
      logger: pino({ level: "silent" }),
    };
    return createPostPass(context);
  };
  const isFree = async (feedId = FEED) => {
    const lease = { database, owner: "somebody", feedId };
    const free = await leaseFeed({ ...lease, seconds: 60 });
    if (free) await releaseFeed(lease);
    return free;
  };

  it("are one machine's at a time, and nobody's when it is done", async () => {
    let go = () => {};
    sender.hold = new Promise((resolve) => {
      go = resolve;
    });
    const sending = new Promise<void>((resolve) => {
      sender.reached = resolve;
    });
    const first = machine("first")();
    await sending;
    expect(await isFree()).toBe(false);
    // The second one sees no transaction yet, and would send another.
    await machine("second")();
    go();
    await first;
    expect(sender.sent).toEqual([`feed ${FEED}`]);
    expect(await isFree()).toBe(true);
    // It is on its way now, which is enough for everybody.
    await machine("second")();
    expect(sender.sent).toHaveLength(1);
  });

  it("are another machine's when a lease has run out, and their owner's again meanwhile", async () => {
    await leaseFeed({ database, owner: "dead", feedId: FEED, seconds: 60 });
    await machine("alive")();
    expect(sender.sent).toEqual([]);
    expect(await leaseFeed({ database, owner: "dead", feedId: FEED, seconds: -1 })).toBe(true);
    await machine("alive")();
    expect(sender.sent).toHaveLength(1);
  });

  it("are not posted again by an endpoint that is behind the last post", async () => {
    const purpose = `feed ${FEED}`;
    await database.query(
      `WITH t AS (INSERT INTO transactions (nonce, purpose) VALUES (0, $1) RETURNING id)
       INSERT INTO attempts (hash, raw, transaction_id, block_number, block_hash)
       SELECT '0x01', '0x', id, 10, '0x02' FROM t`,
      [purpose],
    );
    await machine("one")();
    expect(sender.sent).toEqual([]);
    contract.state = { ...contract.state, block: 10 };
    await machine("one")();
    expect(sender.sent).toEqual([purpose]);
  });

  it("go on where the contract refuses one, or the endpoint fails for another", async () => {
    contract.failing = OTHER;
    const cause = undefined;
    const revert = { name: "DataFeeds_FeedClosed", message: "DataFeeds_FeedClosed()" };
    sender.failure = new WouldRevertError({ purpose: "feed", revert, cause });
    await machine("one", [OTHER, FEED])();
    expect([await isFree(), await isFree(OTHER)]).toEqual([true, true]);
    sender.failure = undefined;
    await machine("one", [OTHER, FEED])();
    expect(sender.sent).toEqual([`feed ${FEED}`]);
  });

  it("wait for enough observations", async () => {
    contract.state = { ...contract.state, minimumObservations: 2 };
    await machine("one")();
    expect(sender.sent).toEqual([]);
    contract.state = { ...contract.state, minimumObservations: 1 };
    await machine("one")();
    expect(sender.sent).toHaveLength(1);
  });

  it("are counted by what became of them", async () => {
    registry.resetMetrics();
    const receipt = (status: number) =>
      ({ status, hash: id(`receipt ${status}`), gasUsed: 200_000n }) as TransactionReceipt;
    sender.mined = [
      { purpose: `feed ${FEED}`, receipt: receipt(1) },
      { purpose: `feed ${FEED}`, receipt: receipt(0) },
      { purpose: "gap", receipt: receipt(1) },
    ];
    await machine("one")();
    const { values } = await metrics.posts.get();
    expect(values.map(({ labels, value }) => [labels.feed, labels.outcome, value])).toEqual([
      [FEED, "mined", 1],
      [FEED, "reverted", 1],
      [FEED, "sent", 1],
    ]);
  });
});
