import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain, type SimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { DATA_NODE_TYPE, type FeedSource, feedIdOf, sourceHashOf } from "@haca/protocol/dataFeeds";
import { type JsonRpcProvider, Wallet } from "ethers";
import type { Report } from "../../lib/progress.ts";
import { teeContracts } from "../../tee/teeContracts.ts";
import { admit } from "../admitEnclaves.ts";
import { CHAIN_ID, developmentKey } from "../localChain.ts";
import { storyContracts } from "../validators/storyContracts.ts";
import { vote } from "../vote.ts";

/** Operators of the data nodes, one each: an operator has one voice. */
const OPERATORS = [14, 15, 16];
const IMAGE = "demo-data";
export const FEED = { description: "ETH / USD", decimals: 8 };
export const HEARTBEAT = 3_600n;
/** 1 % */
const DEVIATION = 100n;

export type DataNodes = {
  feedId: string;
  reader: string;
  source: FeedSource;
  nodes: readonly RunningEnclave[];
  /** of an admission, the dearest */
  gas: bigint;
  close: () => Promise<void>;
};

/** Has governance decide on a feed of a source and on an image of data nodes, and admits three of them. */
export async function seatDataNodes(parameters: {
  provider: JsonRpcProvider;
  source: FeedSource;
  report: Report;
  /** of certificates that are stored already; one of its own if left out */
  chain?: SimulatedChain;
}): Promise<DataNodes> {
  const { provider, report, source } = parameters;
  const [first = 0] = OPERATORS;
  const runner = new Wallet(developmentKey(first), provider);
  const contracts = await teeContracts({ chainId: CHAIN_ID, runner });
  const { feeds } = storyContracts(runner);
  const { registry } = contracts;
  const { decimals, description } = FEED;
  const sourceHash = sourceHashOf(source);
  const terms = [HEARTBEAT, DEVIATION, OPERATORS.length];
  const [pcr0, pcr1, pcr2] = measurementsOf(IMAGE);
  report("governance decides on a feed and an image");
  await vote(provider, {
    description: "A feed, and an image of its data nodes",
    calls: [
      {
        to: registry.target,
        data: registry.interface.encodeFunctionData("approvePCR", [
          ...[{ pcr0, pcr1, pcr2 }, IMAGE, DATA_NODE_TYPE],
        ]),
      },
      {
        to: feeds.target,
        data: feeds.interface.encodeFunctionData("createFeed", [
          ...[description, decimals, sourceHash, terms],
        ]),
      },
    ],
  });

  // The chain's clock is ahead of this machine's by now; enclaves go by what they are told.
  const clock = { now: await timeOf(provider) };
  const chain =
    parameters.chain ?? makeSimulatedChain({ now: clock.now, root: openDevelopmentRoot() });
  const nodes: RunningEnclave[] = [];
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()));
  };
  try {
    let gas = 0n;
    for (const [index, account] of OPERATORS.entries()) {
      report(`data node ${index + 1} of ${OPERATORS.length}`);
      clock.now = await timeOf(provider);
      const measurements = measurementsOf(IMAGE);
      const enclave = new SimulatedEnclave({ chain, measurements, kind: "p256", now: clock.now });
      const running = await startSimulatedEnclave({
        ...{ enclave, port: 0, publicPort: 0 },
        clock: () => clock.now,
      });
      nodes.push(running);
      const operator = new Wallet(developmentKey(account), provider);
      const admitted = await admit({ contracts, operator, running, teeType: DATA_NODE_TYPE });
      if (admitted.gas > gas) gas = admitted.gas;
    }
    clock.now = await timeOf(provider);
    const feedId = feedIdOf({ description, decimals, sourceHash });
    const reader = await feeds.readerOf(feedId, decimals);
    return { feedId, reader, source, nodes, gas, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const timeOf = async (provider: JsonRpcProvider): Promise<bigint> =>
  BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);
