import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type SigningKeyKind, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  DATA_NODE_TYPE,
  feedIdOf,
  hashObservation,
  type Observation,
  type SignedObservation,
  sourceHashOf,
} from "@haca/protocol/dataFeeds";
import { hexlify, id, parseEther, Wallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { approve, deployRegistry, makeRegistration, now, wire } from "./attestationFixture.ts";
import { GAS } from "./transactionGas.ts";

export const SOURCE = { url: "https://prices.example/eth-usd", pointer: "/price" };
export const FEED = { description: "ETH / USD", decimals: 8, sourceHash: sourceHashOf(SOURCE) };
export const FEED_ID = feedIdOf(FEED);
export const HEARTBEAT = 3_600n;
/** 2 % */
export const DEVIATION = 200n;
export const FEED_PARAMETERS = {
  heartbeat: HEARTBEAT,
  maximumDeviation: DEVIATION,
  minimumObservations: 3n,
};
/** 2,500.00000000 */
export const PRICE = 2_500n * 10n ** 8n;
const KINDS: readonly SigningKeyKind[] = ["p256", "secp256k1", "rsa"];

/** A data node: its enclave, and who operates it. */
export type DataNode = { enclave: SimulatedEnclave; operator: Wallet; teeId: string };

/** The registry, feeds beside it with one feed, and data nodes of an operator each, with keys of every kind. */
export async function deployFeeds(
  connection: NetworkConnection,
  options: { nodes?: number; kinds?: readonly SigningKeyKind[] } = {},
) {
  const { nodes: count = 6, kinds = KINDS } = options;
  const fixture = await deployRegistry(connection);
  const { ethers, governance, manager, registry } = fixture;
  const image = measurementsOf("data node");
  await approve(fixture, image, DATA_NODE_TYPE);
  const feeds = await ethers.deployContract("DataFeeds", [
    ...([await manager.getAddress(), await registry.getAddress()] as const),
  ]);
  await wire(manager, "DataFeeds", feeds);
  const { description, decimals, sourceHash } = FEED;
  await feeds.connect(governance).createFeed(description, decimals, sourceHash, FEED_PARAMETERS);
  // The image's approval took longer than its certificates are valid.
  const dataChain = makeSimulatedChain({
    ...{ now: await now(fixture), root: fixture.chain.rootAuthority },
  });
  const f = { ...fixture, feeds, dataImage: image, dataChain };
  const nodes: DataNode[] = [];
  for (let i = 0; i < count; i++) {
    const kind = kinds[i % kinds.length];
    nodes.push(await admitDataNode(f, { operator: `operator ${i}`, ...(kind ? { kind } : {}) }));
  }
  // Old enough for observations of half an hour ago.
  await fixture.networkHelpers.time.increase(2n * HEARTBEAT + 600n);
  return { ...f, nodes };
}
export type FeedFixture = Awaited<ReturnType<typeof deployFeeds>>;

/** A data node of an operator, by a name of theirs; under a chain of certificates that all of them share. */
export async function admitDataNode(
  f: Omit<FeedFixture, "nodes">,
  options: { operator: string; kind?: SigningKeyKind },
): Promise<DataNode> {
  const operator = new Wallet(id(options.operator), f.ethers.provider);
  await f.networkHelpers.setBalance(operator.address, parseEther("10"));
  const enclave = new SimulatedEnclave({
    ...{ chain: f.dataChain, measurements: f.dataImage, kind: options.kind ?? "p256" },
    now: await now(f),
  });
  const registration = await makeRegistration(f, enclave, { operator, teeType: DATA_NODE_TYPE });
  await f.registry.connect(operator).register(registration, GAS);
  return { enclave, operator, teeId: enclave.teeId };
}

/** An observation of a node's as it would be signed: of the feed, now, if not told otherwise. */
export async function makeObservation(
  f: FeedFixture,
  { teeId }: Pick<DataNode, "teeId">,
  overrides: Partial<Observation> = {},
): Promise<Observation> {
  return {
    ...{ feedId: FEED_ID, sourceHash: FEED.sourceHash, decimals: FEED.decimals, teeId },
    ...{ value: PRICE, observedAt: await now(f) },
    ...overrides,
  };
}

/** Its digest on this chain and for this contract, if not told otherwise. */
export const digestOf = async (
  f: FeedFixture,
  observation: Observation,
  place: { chainId?: bigint; feeds?: string } = {},
): Promise<string> =>
  hashObservation({
    ...{ chainId: f.chainId, feeds: await f.feeds.getAddress(), observation },
    ...place,
  });

/** An observation that a node has signed, as `post` takes it. */
export async function observe(
  f: FeedFixture,
  node: DataNode,
  overrides: Partial<Observation> = {},
  place?: { chainId?: bigint; feeds?: string },
): Promise<SignedObservation> {
  const observation = await makeObservation(f, node, overrides);
  const { teeId, value, observedAt } = observation;
  const signature = hexlify(node.enclave.sign(await digestOf(f, observation, place)));
  return { teeId, value, observedAt, signature };
}

/** Observations of the first nodes, one for each of the values. */
export const observeAll = (
  f: FeedFixture,
  values: readonly bigint[],
  overrides: Partial<Observation> = {},
): Promise<SignedObservation[]> =>
  Promise.all(values.map((value, i) => observe(f, nodeAt(f, i), { ...overrides, value })));

export function nodeAt(f: Pick<FeedFixture, "nodes">, index: number): DataNode {
  const node = f.nodes[index];
  if (node === undefined) throw new RangeError(`there is no data node ${index}`);
  return node;
}
