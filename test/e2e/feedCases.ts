import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readAddressBook } from "@haca/protocol/addressBook";
import { JsonRpcProvider, JsonRpcSigner, ZeroAddress } from "ethers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { deployConsumer } from "../../scripts/demo/feeds/deployConsumer.ts";
import {
  type DataNodes,
  FEED,
  HEARTBEAT,
  seatDataNodes,
} from "../../scripts/demo/feeds/seatDataNodes.ts";
import { startSource } from "../../scripts/demo/feeds/startSource.ts";
import { observe } from "../../scripts/demo/feeds/tellOfFeeds.ts";
import { CHAIN_ID } from "../../scripts/demo/localChain.ts";
import { contractAt } from "../../scripts/lib/contracts.ts";
import {
  BOOK,
  failure,
  type LocalDeployment,
  later,
  type Result,
  refusalOn,
  success,
} from "./localDeployment.ts";
import { runHere } from "./runHere.ts";

const NO_FEED = `0x${"11".repeat(32)}`;

/** Three data nodes of a feed on a chain that is deployed, as the demo has them, and their operators' workers. */
export class FeedWorld {
  readonly provider: JsonRpcProvider;
  readonly seated: DataNodes;
  readonly close: () => Promise<void>;

  private constructor(provider: JsonRpcProvider, seated: DataNodes, close: () => Promise<void>) {
    this.provider = provider;
    this.seated = seated;
    this.close = close;
  }

  static async start(local: LocalDeployment): Promise<FeedWorld> {
    // Without a memory: accounts send one transaction after another.
    const provider = new JsonRpcProvider(local.url, CHAIN_ID, {
      ...{ staticNetwork: true, cacheTimeout: -1 },
    });
    provider.pollingInterval = 100;
    const source = await startSource();
    const at = { url: source.url, pointer: "/price" };
    const seated = await seatDataNodes({ provider, source: at, report: () => undefined });
    return new FeedWorld(provider, seated, async () => {
      await seated.close();
      await source.close();
      provider.destroy();
    });
  }
}

/** `npm run feeds` over the life of a feed; its clock only goes on. */
export function feedCases(world: () => { local: LocalDeployment; feeds: FeedWorld }): void {
  /** The command in a process of its own, as its user has it. */
  const started = (...options: string[]): Promise<Result> =>
    world().local.run(["scripts/feeds/cli.ts", ...options]);
  /** The same command line in this process, which saves a second each. */
  const feeds = (...options: string[]): Promise<Result> =>
    runHere({
      ...{ path: "scripts/feeds/cli.ts", options },
      environment: { HACA_RPC_URL: world().local.url },
    });
  const json = async (running: Promise<Result>) => JSON.parse(await success(running));
  const refusal = (...options: string[]) => refusalOn(world().feeds.provider, feeds(...options));
  const failing = async (...options: string[]) => {
    const { output, status } = await started(...options);
    expect(status, output).toBe(1);
    const end = output.lastIndexOf("}\n") + 1;
    return { found: JSON.parse(output.slice(0, end)), error: output.slice(end) };
  };
  let peers: Server;
  let from: string[];

  beforeAll(async () => {
    // What `worker -- data-node` answers at `/observations/<feed>`, of each node; the fourth is no data node of the registry.
    const { provider, seated } = world().feeds;
    const signed = await observe(provider, seated);
    const [first] = signed;
    const foreign = first && { ...first, teeId: NO_FEED };
    peers = createServer((request, response) => {
      const [, index = "", , feedId] = (request.url ?? "").split("/");
      const observation = [...signed, foreign][Number(index)];
      if (observation === undefined || feedId !== seated.feedId) response.statusCode = 404;
      const { observedAt, value } = observation ?? { observedAt: 0n, value: 0n };
      response.end(
        JSON.stringify({ ...observation, value: String(value), observedAt: String(observedAt) }),
      );
    });
    await new Promise<void>((resolve) => peers.listen(0, "127.0.0.1", resolve));
    const { port } = peers.address() as AddressInfo;
    from = [0, 1, 2, 3, 4].map((index) => `http://127.0.0.1:${port}/${index}`);
  });
  afterAll(() => {
    peers.close();
  });
  const fromNodes = (...indices: number[]): string[] =>
    indices.flatMap((index) => ["--from", from[index] ?? ""]);

  it("tells of a feed without a round, and what cannot be asked, in one line", async () => {
    const { feedId, reader } = world().feeds.seated;
    const all = await success(started("list"));
    expect(all).toContain(`1 feed\n\nETH / USD\n  feed       ${feedId}\n  reader     ${reader}`);
    expect(all).toContain("latest     no round yet");
    expect(await success(feeds("rounds", feedId))).toContain("0 rounds");
    const { error, found } = await failing("check", "--json");
    expect(error).toContain("1 of 1 checked: ETH / USD: no round yet");
    expect(found.feeds).toMatchObject([
      { feedId, state: "empty", latest: null, observations: null },
    ]);
    for (const [options, text] of [
      [["show", NO_FEED], "there is no feed with id"],
      [["show", ZeroAddress], "there is no feed with reader"],
      [["show", "BTC / USD"], "there is no feed with description BTC / USD"],
      [["show", "0x1234"], "is neither an id, 0x and 64 hex digits, nor an address"],
      [["rounds", feedId, "--last", "0"], "--last must be an integer from 1 to 1000, got 0"],
      [["read", feedId], "is no address"],
      [["read", reader], "is refused: "],
      [["read", reader, "--round", "0"], "--round must be a round's number"],
      [["read", NO_FEED.slice(0, 42)], "has no contract"],
      [
        ["read", readAddressBook(BOOK).contracts.OPG?.address ?? ""],
        "does not answer as an Aggreg",
      ],
      [["post", feedId], "required option '--from <url>' not specified"],
      [["post", feedId, "--from", "ftp://a"], "--from ftp://a is no URL of http or https"],
      [["post", feedId, ...fromNodes(0, 0)], "--from names a node twice"],
      [["post", feedId, ...fromNodes(0, 1)], "2 of 2 count, and a round needs 3; nothing sent"],
      [["list", "--account", "1"], "unknown option '--account'"],
    ] as const) {
      expect(await refusal(...options)).toContain(text);
    }
  });

  it("takes a round apart that was posted by way of another contract", async () => {
    const { provider, seated } = world().feeds;
    const { feedId } = seated;
    const before = await provider.send("evm_snapshot", []);
    const { contracts } = readAddressBook(BOOK);
    const timelock = contracts.TimelockController?.address ?? "";
    await provider.send("hardhat_impersonateAccount", [timelock]);
    await provider.send("hardhat_setBalance", [timelock, "0xde0b6b3a7640000"]);
    // The one who may have the manager call anything, as it passes on whatever governance decides.
    const runner = new JsonRpcSigner(provider, timelock);
    const at = (name: "AccessManager" | "DataFeeds") =>
      contractAt({ name, address: contracts[name]?.address ?? "", runner });
    const observations = await observe(provider, seated);
    const feedsAbi = at("DataFeeds").interface;
    const data = feedsAbi.encodeFunctionData("post", [feedId, observations]);
    const manager = at("AccessManager");
    await (
      await runner.sendTransaction({
        to: String(manager.target),
        data: manager.interface.encodeFunctionData("execute", [
          ...[contracts.DataFeeds?.address, data],
        ]),
      })
    ).wait();
    const checked = (await json(started("check", "--json"))).feeds[0];
    expect(checked).toMatchObject({ problems: [], untold: null, latest: { roundId: "1" } });
    expect(checked.poster).toBe(String(manager.target));
    const values = checked.observations.map((seen: { value: string }) => seen.value);
    expect(values).toEqual(observations.map(({ value }) => String(value)));
    await provider.send("evm_revert", [before]);
  });

  it("posts what nodes observed, saying before what counts; shows, reads and checks the round", async () => {
    const { provider, seated } = world().feeds;
    const { feedId, reader } = seated;
    const posting = await success(started("post", "ETH / USD", ...fromNodes(0, 1, 2, 3, 4)));
    expect(posting).toMatch(/left out +http:\S+\/4: status 404/);
    expect(posting).toContain(`by ${NO_FEED} at`);
    expect(posting).toContain("does not count: NotInService");
    expect(posting.indexOf("ETH / USD: no round -> 2500.12, round 1, of 3 obs")).toBeGreaterThan(0);
    expect(posting.indexOf("change  ")).toBeLessThan(posting.indexOf("transaction  "));

    const shown = await json(feeds("show", reader, "--json"));
    expect(shown.feed).toMatchObject({ feedId, state: "fresh", heartbeat: String(HEARTBEAT) });
    expect(shown.feed.latest).toMatchObject({ roundId: "1", answer: "250012000000" });
    expect(await success(feeds("show", feedId))).toContain("older than 2 hours");
    expect(await success(feeds("rounds", feedId))).toMatch(/^ *1 +2500\.12 /m);
    const read = await json(feeds("read", reader, "--json"));
    expect(read).toMatchObject({ feedId, state: "fresh", decimals: 8, answer: "250012000000" });
    expect(await success(feeds("read", reader, "--round", "1"))).toContain("answer     2500.12, ");
    const checked = (await json(started("check", "--json"))).feeds[0];
    expect(checked).toMatchObject({ problems: [], silent: [], state: "fresh" });
    expect(checked.observations.map((seen: { value: string }) => seen.value)).toEqual([
      ...["250012000000", "250137000000", "249990000000"],
    ]);
    expect(
      new Set(checked.observations.map((seen: { operator: string }) => seen.operator)).size,
    ).toBe(3);
    expect(await refusal("post", feedId, ...fromNodes(0, 1, 2))).toContain("0 of 3 count");
    expect(await provider.getCode(reader)).not.toBe("0x");
  });

  it("says that a round is late, then stale, as a consumer does, and that a feed is closed", async () => {
    const { provider, seated } = world().feeds;
    const { feedId, reader } = seated;
    const owner = await provider.getSigner(17);
    const maximumAge = 2n * HEARTBEAT;
    const { price } = await deployConsumer({ owner, reader, maximumAge });
    expect(await price()).toBe(250_012_000_000n);
    await later(provider, Number(HEARTBEAT) + 60);
    expect(await success(feeds("check", feedId))).toContain("late, a round is due every 1 hour");
    await later(provider, Number(HEARTBEAT));
    const refused: unknown = await price().catch((error: unknown) => error);
    expect(refused).toMatchObject({ revert: { name: "FeedConsumer_Stale" } });
    expect(await failure(feeds("check"))).toContain("1 of 1 checked: ETH / USD: stale");
    expect((await json(feeds("list", "--json"))).feeds[0].state).toBe("stale");
    expect(await success(started("read", reader))).toMatch(/answer +2500\.12, .* ago: stale/);

    const { contracts } = readAddressBook(BOOK);
    const timelock = contracts.TimelockController?.address ?? "";
    await provider.send("hardhat_impersonateAccount", [timelock]);
    await provider.send("hardhat_setBalance", [timelock, "0xde0b6b3a7640000"]);
    const runner = new JsonRpcSigner(provider, timelock);
    const contract = contractAt({
      ...{ name: "DataFeeds", address: contracts.DataFeeds?.address ?? "", runner },
    });
    await (await contract.closeFeed(feedId)).wait();
    expect(await success(feeds("check"))).toContain("no feed is open");
    expect(await failure(started("check", feedId))).toContain("ETH / USD: closed");
    expect(await failure(feeds("read", reader))).toContain("is refused");
    expect(await refusal("post", FEED.description, ...fromNodes(0, 1, 2))).toContain(
      "closed for good",
    );
  });
}
