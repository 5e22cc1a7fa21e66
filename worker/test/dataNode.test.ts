import { Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { readDataNodeConfig } from "../src/roles/dataNode/readDataNodeConfig.ts";
import { FeedBed, type PeerMode } from "./support/feedBed.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { waitFor } from "./support/processes.ts";
import { embeddedQueue } from "./support/queues.ts";
import type { Settings } from "./support/worker.ts";

const PRICE = 250_050_000_000n;

let bed: FeedBed;
let count = 0;
beforeAll(async () => {
  bed = await FeedBed.start();
});
afterAll(() => bed.stop());
afterEach(async () => {
  bed.price = "2500.5";
  bed.modes.clear();
  await bed.tee.chain.send("evm_setAutomine", true);
});

const newFeed = (heartbeat?: number) => {
  count += 1;
  return bed.createFeed(`feed ${count}`, heartbeat);
};
const sentBy = (settings: Settings, block: "latest" | "pending" = "latest") =>
  bed.tee.chain.provider.getTransactionCount(
    new Wallet(settings.HACA_DATA_NODE_KEY ?? "").address,
    block,
  );
// biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field
async function get(url: string, path: string): Promise<{ status: number; body: any }> {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: await response.json() };
}

describe("npm run worker -- data-node", () => {
  it("gives a feed its first round, and another when the value moves, and none in between", async () => {
    const feedId = await newFeed();
    const settings = await bed.settings(feedId);
    const worker = bed.start(settings);
    const url = await worker.url();
    const first = await bed.round(feedId, 1);
    expect(first.answer).toBe(PRICE);

    // Less than half a percent.
    bed.price = "2505";
    await bed.observedAgain();
    expect(await bed.latestRound(feedId)).toBe(1);
    expect(await sentBy(settings)).toBe(1);

    // As text, with an exponent, and with more digits than the feed has.
    bed.price = '"2.6000000000199e3"';
    const second = await bed.round(feedId, 2);
    expect(second.answer).toBe(260_000_000_001n);
    expect(second.updatedAt).toBeGreaterThan(first.updatedAt);

    const { teeId } = bed.nodes[0]?.enclave ?? {};
    const { status, body } = await get(url, `/observations/${feedId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ teeId, value: "260000000001" });
    expect((await get(url, `/observations/0x${"00".repeat(32)}`)).status).toBe(404);
    expect((await get(url, "/nothing")).body.error).toContain("nothing at GET /nothing");
    await waitFor(async () => ((await sentBy(settings)) === 2 ? true : undefined));
    const health = await waitFor(async () => {
      const { body } = await get(url, "/health");
      return body.feeds[0]?.observedAt === null ? undefined : body;
    });
    expect(health).toMatchObject({
      ...{ status: "ok", teeId, feeds: [{ feedId }], funds: { state: "ok" } },
      roles: { observe: { state: "working" }, post: { state: "working" } },
    });
    const metrics = await waitFor(async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return text.includes(`haca_feed_posts_total{feed="${feedId}",outcome="mined"} 2`)
        ? text
        : undefined;
    });
    expect(metrics).toContain(`haca_feed_counting_observations{feed="${feedId}"} 3`);
    expect(metrics).toMatch(
      new RegExp(`haca_feed_observations_total\\{feed="${feedId}",outcome="made"\\} [1-9]`),
    );
    await worker.child.stop();
    expect(worker.child.lines.some((line) => line.includes('"msg":"stopped"'))).toBe(true);
  });

  it("takes another data node's worker as a peer", async () => {
    const feedId = await newFeed();
    const enclave = { HACA_ENCLAVE_URL: bed.nodes[1]?.running.operatorUrl ?? "" };
    // It has a peer too few, and never posts.
    const other = await bed.settings(feedId, { ...enclave, HACA_DATA_PEERS: "" });
    const peer = await bed.start(other).url();
    const settings = await bed.settings(feedId, { HACA_DATA_PEERS: `${peer}/,${bed.peer(2)}` });
    bed.start(settings);
    expect((await bed.round(feedId, 1)).answer).toBe(PRICE);
    expect([await sentBy(settings), await sentBy(other)]).toEqual([1, 0]);
  });

  it("leaves out a peer that answers nothing good, and posts when enough observations count", async () => {
    const modes: readonly PeerMode[] = ["down", "garbage", "huge", "forged", "elsewhere"];
    const feedId = await newFeed();
    const settings = await bed.settings(feedId);
    const worker = bed.start(settings);
    const tooFew = () =>
      worker.child.lines.filter((line) =>
        /"good":2,"needed":3,.*"too few observations"/.test(line),
      );
    for (const [index, mode] of modes.entries()) {
      bed.modes.set(2, mode);
      bed.price = String(2_500 + 100 * index);
      const before = tooFew().length;
      await waitFor(async () => (tooFew().length > before ? true : undefined));
      expect(await bed.latestRound(feedId), mode).toBe(index);
      bed.modes.clear();
      const { answer } = await bed.round(feedId, index + 1);
      expect(answer, mode).toBe(BigInt(bed.price) * 10n ** 8n);
    }
  });

  it("says that it sees nothing while its source is away, and goes on when it is back", async () => {
    const feedId = await newFeed();
    bed.price = undefined;
    const worker = bed.start(await bed.settings(feedId));
    const url = await worker.url();
    expect(String((await worker.logged("not observed")).error)).toContain("status 503");
    const { body } = await waitFor(async () => {
      const answer = await get(url, "/health");
      return answer.body.status === "degraded" ? answer : undefined;
    });
    expect(body.roles.observe).toMatchObject({ state: "backing off" });
    expect(body.feeds).toEqual([{ feedId, observedAt: null }]);
    bed.price = "2500.5";
    expect((await bed.round(feedId, 1)).answer).toBe(PRICE);
  });

  it("sends nothing while gas is above the ceiling", async () => {
    const feedId = await newFeed();
    const settings = await bed.settings(feedId, { HACA_MAX_FEE_PER_GAS: "1" });
    const worker = bed.start(settings);
    await worker.logged("gas is above HACA_MAX_FEE_PER_GAS: waiting");
    await bed.observedAgain();
    expect(await sentBy(settings, "pending")).toBe(0);
  });

  it("posts once what it had sent before it was killed", async () => {
    const feedId = await newFeed();
    const settings = await bed.settings(feedId, embeddedQueue());
    await bed.tee.chain.send("evm_setAutomine", false);
    const killed = bed.process(settings);
    await killed.logged("posting a round");
    await killed.child.stop("SIGKILL");
    // The endpoint has forgotten it, too: what is on disk is all there is.
    await bed.tee.chain.send("anvil_dropAllTransactions");
    const worker = bed.start({ ...settings, HACA_REBROADCAST_MS: "100" });
    await waitFor(async () => ((await sentBy(settings, "pending")) === 1 ? true : undefined));
    await bed.observedAgain();
    expect(await sentBy(settings, "pending")).toBe(1);
    await bed.tee.chain.send("evm_setAutomine", true);
    await bed.round(feedId, 1);
    await worker.logged("round posted");
    await bed.observedAgain();
    expect([await bed.latestRound(feedId), await sentBy(settings, "pending")]).toEqual([1, 1]);
  });

  describe.skipIf(inject("postgresUrl") === undefined)("on one PostgreSQL", () => {
    it("two machines post each round once", async () => {
      const feedId = await newFeed();
      const settings = await bed.settings(feedId, {
        HACA_WORKER_DATABASE_URL: await newDatabase(),
      });
      await bed.tee.chain.send("evm_setAutomine", false);
      const workers = [bed.process(settings), bed.process(settings)];
      await Promise.all(workers.map((worker) => worker.url()));
      await waitFor(async () => ((await sentBy(settings, "pending")) === 1 ? true : undefined));
      const pending = async () => {
        const goal = bed.asked + 8;
        await waitFor(async () => (bed.asked >= goal ? true : undefined));
        return sentBy(settings, "pending");
      };
      expect(await pending()).toBe(1);
      await bed.tee.chain.send("evm_setAutomine", true);
      await bed.round(feedId, 1);
      bed.price = "2600";
      await bed.round(feedId, 2);
      await bed.observedAgain(8);
      expect([await bed.latestRound(feedId), await sentBy(settings, "pending")]).toEqual([2, 2]);
    });
  });

  it("does not start for a feed that there is not, or with another source, and says so in one line", async () => {
    const feedId = await newFeed();
    const settings = await bed.settings(feedId);
    const { url, pointer } = bed.source;
    for (const [feed, words] of [
      [`0x${"ab".repeat(32)}=${url}#${pointer}`, /^HACA_FEEDS: there is no feed 0xabab/],
      [`${feedId}=${url}#/other`, /^HACA_FEEDS: feed 0x\w{64} has the source 0x\w{64}, and this/],
    ] as const) {
      const { child } = bed.start({ ...settings, HACA_FEEDS: feed });
      const { code } = await child.exited;
      const said = child.lines.filter((line) => !line.startsWith("{"));
      expect([said.length, code]).toEqual([1, 1]);
      expect(said[0]).toMatch(words);
    }
  });

  // The last one: it moves the chain's clock.
  it("posts again when the heartbeat is nearly over, whatever the value", async () => {
    const feedId = await newFeed(60);
    const settings = await bed.settings(feedId);
    bed.start(settings);
    await bed.round(feedId, 1);
    await bed.observedAgain();
    expect(await bed.latestRound(feedId)).toBe(1);
    await bed.tee.chain.send("evm_increaseTime", 54);
    expect((await bed.round(feedId, 2)).answer).toBe(PRICE);
  });
});

describe("settings of the role data-node", () => {
  const good = {
    ...{ HACA_RPC_URL: "http://a", HACA_CHAIN_ID: "1", HACA_ENCLAVE_URL: "http://b" },
    HACA_DATA_NODE_KEY: `0x${"11".repeat(32)}`,
    HACA_FEEDS: `0x${"AB".repeat(32)}=https://a.example/x?y=1,2#/b/0/c`,
    HACA_DATA_DIR: "data",
  };
  const [feed] = [good.HACA_FEEDS];

  it("are read", () => {
    const second = `0x${"cd".repeat(32)}=http://b#/`;
    const settings = {
      ...good,
      HACA_FEEDS: ` ${feed}\n ${second} `,
      HACA_DATA_PEERS: "http://p, http://q",
    };
    const source = { url: "https://a.example/x?y=1,2", pointer: "/b/0/c" };
    expect(readDataNodeConfig(settings)).toMatchObject({
      feeds: [
        { feedId: `0x${"ab".repeat(32)}`, source },
        { feedId: `0x${"cd".repeat(32)}`, source: { url: "http://b", pointer: "/" } },
      ],
      ...{ peers: ["http://p", "http://q"], deviation: 50, turnSeconds: 15, observeSeconds: 10 },
    });
    expect(readDataNodeConfig(good).peers).toEqual([]);
  });

  it.each([
    [{ HACA_FEEDS: "eth" }, /^HACA_FEEDS: must be <feed id>=<URL>#<JSON pointer>/],
    [{ HACA_FEEDS: `${feed}#x ${feed}` }, /^HACA_FEEDS: feed 0x\w{64} is there twice/],
    [{ HACA_FEEDS: "" }, /^HACA_FEEDS: not set/],
    [{ HACA_FEEDS: `0x${"ab".repeat(32)}=ftp://a#/b` }, /^HACA_FEEDS: must be/],
    [{ HACA_FEEDS: `0x${"ab".repeat(32)}=http://a#b` }, /^HACA_FEEDS: must be/],
    [{ HACA_DATA_PEERS: "a,b" }, /^HACA_DATA_PEERS: must be http or https URLs/],
    [{ HACA_NODE_KEY: good.HACA_DATA_NODE_KEY }, /^HACA_DATA_NODE_KEY: must not be HACA_NODE_KEY/],
    [{ HACA_FACILITATOR_KEY: good.HACA_DATA_NODE_KEY }, /must not be HACA_FACILITATOR_KEY/],
    [{ HACA_DATA_NODE_KEY: "0x12" }, /^HACA_DATA_NODE_KEY: must be 0x and 64 hex digits/],
    [{ HACA_FEED_DEVIATION: "0" }, /^HACA_FEED_DEVIATION: must be between 1 and 10000/],
  ])("%j are refused", (changes, words) => {
    expect(() => readDataNodeConfig({ ...good, ...changes })).toThrow(words);
  });
});
