import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { DATA_NODE_TYPE, feedIdOf, sourceHashOf } from "@haca/protocol/dataFeeds";
import { ContractFactory, keccak256, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import { fetchObservation } from "../../src/roles/heartbeat/enclaveClient.ts";
import { waitFor } from "./processes.ts";
import { newQueue } from "./queues.ts";
import { startWorker, untilTestEnds } from "./startWorker.ts";
import { TeeChain } from "./teeChain.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./worker.ts";

const BALANCE = "0x56bc75e2d63100000";
/** Development accounts that operate a node each. */
const OPERATORS = [3, 4, 5];
const DECIMALS = 8;
const POINTER = "/data/0/price";

/** What a peer does when it is asked. */
export type PeerMode = "up" | "down" | "garbage" | "huge" | "forged" | "elsewhere";
/** What the source answers: a price as text; nothing where it is undefined. */
export type Price = string | undefined;

export type DataNode = { enclave: SimulatedEnclave; running: RunningEnclave };

/**
 * A chain with feeds, three data nodes' enclaves, a source that they ask, and a server that answers for the second and the
 * third node as their workers would.
 */
export class FeedBed {
  readonly tee: TeeChain;
  readonly nodes: readonly DataNode[];
  readonly feeds: ContractOf<"DataFeeds">;
  readonly #source: Server;
  readonly #peers: Server;
  price: Price = "2500.5";
  /** how often the source was asked */
  asked = 0;
  readonly modes = new Map<number, PeerMode>();

  private constructor(parameters: {
    tee: TeeChain;
    nodes: readonly DataNode[];
    feeds: ContractOf<"DataFeeds">;
  }) {
    this.tee = parameters.tee;
    this.nodes = parameters.nodes;
    this.feeds = parameters.feeds;
    this.#source = createServer((_, response) => {
      this.asked += 1;
      if (this.price === undefined) response.writeHead(503).end();
      else response.end(`{ "data": [ { "price": ${this.price} } ] }`);
    });
    this.#peers = createServer((request, response) => {
      const [, index, feedId = ""] =
        /^\/(\d)\/observations\/(0x\w{64})$/.exec(request.url ?? "") ?? [];
      void this.#answer(Number(index), feedId, response);
    });
  }

  static async start(): Promise<FeedBed> {
    const tee = await TeeChain.start();
    await tee.approve(DATA_NODE_TYPE);
    const nodes: DataNode[] = [];
    for (const account of OPERATORS) {
      const enclave = tee.enclave();
      await tee.admit(enclave, account, DATA_NODE_TYPE);
      nodes.push({
        enclave,
        running: await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 }),
      });
    }
    const { abi, bytecode } = readArtifact("DataFeeds");
    const factory = new ContractFactory(abi as [], bytecode, tee.chain.owner);
    const manager = tee.chain.book.contracts.AccessManager.address;
    const deployed = await factory.deploy(manager, tee.registry.target);
    const receipt = await deployed.deploymentTransaction()?.wait();
    const transaction = receipt?.hash ?? "";
    const address = String(deployed.target);
    const place = { address, transaction, block: receipt?.blockNumber ?? 0 };
    const code = await tee.chain.provider.getCode(address);
    tee.chain.book.contracts.DataFeeds = {
      ...place,
      constructorArguments: [manager, String(tee.registry.target)],
      codeHash: keccak256(code),
    };
    const feeds = contractAt({ name: "DataFeeds", address, runner: tee.chain.owner });
    const bed = new FeedBed({ tee, nodes, feeds });
    for (const server of [bed.#source, bed.#peers]) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
    return bed;
  }

  async stop(): Promise<void> {
    for (const { running } of this.nodes) await running.close();
    for (const server of [this.#source, this.#peers]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await this.tee.stop();
  }

  get source() {
    return { url: `http://127.0.0.1:${portOf(this.#source)}/eth`, pointer: POINTER };
  }

  /** URL of what stands for a node's worker. */
  peer(index: number): string {
    return `http://127.0.0.1:${portOf(this.#peers)}/${index}`;
  }

  /** Creates a feed of the source; answers its id. */
  async createFeed(description: string, heartbeat = 3_600): Promise<string> {
    const terms = { description, decimals: DECIMALS, sourceHash: sourceHashOf(this.source) };
    const { decimals, sourceHash } = terms;
    const call = await this.feeds.createFeed.send(description, decimals, sourceHash, {
      ...{ heartbeat, maximumDeviation: 200, minimumObservations: 3 },
    });
    await call.wait();
    return feedIdOf(terms);
  }

  /** Settings of a data node with an account of its own, the first enclave, and the other two as peers. */
  async settings(feedId: string, changes: Settings = {}): Promise<Settings> {
    const queue = newQueue();
    const { address, privateKey } = Wallet.createRandom();
    await this.tee.chain.send("anvil_setBalance", address, BALANCE);
    const { url, pointer } = this.source;
    return {
      HACA_RPC_URL: this.tee.chain.url,
      HACA_CHAIN_ID: "31337",
      HACA_DATA_NODE_KEY: privateKey,
      HACA_ADDRESS_BOOK: this.tee.writeBook(join(queue.HACA_DATA_DIR, "book.json")),
      ...queue,
      HACA_ENCLAVE_URL: this.nodes[0]?.running.operatorUrl ?? "",
      HACA_FEEDS: `${feedId}=${url}#${pointer}`,
      HACA_DATA_PEERS: `${this.peer(1)},${this.peer(2)}`,
      HACA_OBSERVE_SECONDS: "1",
      HACA_TURN_SECONDS: "0",
      ...changes,
    };
  }

  start(settings: Settings): TestWorker {
    return untilTestEnds(startWorker({ settings, roles: ["data-node"] }));
  }

  /** As `start`, in a process of its own. */
  process(settings: Settings): TestWorker {
    return untilTestEnds(new WorkerProcess({ settings, roles: ["data-node"] }));
  }

  /** Waits for a round; blocks go on meanwhile, as on a chain that others use. */
  async round(feedId: string, roundId: number): Promise<{ answer: bigint; updatedAt: bigint }> {
    await waitFor(async () => {
      await this.tee.chain.send("evm_mine");
      return (await this.latestRound(feedId)) >= roundId ? true : undefined;
    });
    const [answer, updatedAt] = await this.feeds.roundOf(feedId, roundId);
    return { answer, updatedAt };
  }

  async latestRound(feedId: string): Promise<number> {
    return Number((await this.feeds.feedOf(feedId)).latestRound);
  }

  /** Waits until the source has been asked some times more: whatever was to come of an observation has come. */
  async observedAgain(times = 3): Promise<void> {
    const goal = this.asked + times;
    await waitFor(async () => {
      await this.tee.chain.send("evm_mine");
      return this.asked >= goal ? true : undefined;
    });
  }

  async #answer(index: number, feedId: string, response: ServerResponse): Promise<void> {
    const mode = this.modes.get(index) ?? "up";
    if (mode === "garbage") return void response.end("<html>");
    if (mode === "huge") return void response.end("0".repeat(100_000));
    if (mode === "elsewhere") {
      return void response.writeHead(302, { location: this.peer(1) }).end();
    }
    const node = this.nodes[index];
    const { url, pointer } = this.source;
    const observation = await fetchObservation({
      url: node?.running.operatorUrl ?? "",
      feed: {
        ...{ chainId: 31337n, feeds: String(this.feeds.target), feedId, decimals: DECIMALS },
        source: { url, pointer },
      },
    }).catch(() => undefined);
    if (mode === "down" || observation === undefined) return void response.writeHead(503).end();
    const value = mode === "forged" ? observation.value + 1n : observation.value;
    response.end(
      JSON.stringify({
        ...{ ...observation, value: String(value), observedAt: String(observation.observedAt) },
      }),
    );
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
