import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import type { SignedObservation } from "@haca/protocol/dataFeeds";
import { fetchObservation } from "@haca/worker/roles/heartbeat/enclaveClient";
import { formatUnits, isCallException, type JsonRpcProvider, Wallet } from "ethers";
import type { Report } from "../../lib/progress.ts";
import { CHAIN_ID, developmentKey, withChain } from "../localChain.ts";
import { pass, storyContracts } from "../validators/storyContracts.ts";
import { gas, tell } from "../validators/tellTeePages.ts";
import { deployConsumer } from "./deployConsumer.ts";
import { type DataNodes, FEED, HEARTBEAT, seatDataNodes } from "./seatDataNodes.ts";
import { startSource } from "./startSource.ts";

/** Who posts, and whose contract reads: anybody. */
const ANYBODY = 17;
const MAXIMUM_AGE = 2n * HEARTBEAT;

/** Three data nodes observe a source, somebody posts what they signed, and a contract that knows price feeds alone reads it. */
export async function tellOfFeeds(parameters: {
  rpcUrl: string;
  /** admitted before: its certificates are stored */
  enclave: SimulatedEnclave;
  report: Report;
}): Promise<void> {
  const { enclave, report, rpcUrl } = parameters;
  const { chain } = enclave;
  await withChain(rpcUrl, async (provider) => {
    const source = await startSource();
    try {
      const at = { url: source.url, pointer: "/price" };
      const seated = await seatDataNodes({ provider, source: at, report, chain });
      try {
        await tellRound({ provider, seated });
      } finally {
        await seated.close();
      }
    } finally {
      await source.close();
    }
  });
}

/** What the nodes see now, each by itself. */
export async function observe(provider: JsonRpcProvider, seated: DataNodes) {
  const { feeds } = storyContracts(new Wallet(developmentKey(ANYBODY), provider));
  const { feedId, nodes, source } = seated;
  const { decimals } = FEED;
  const feed = { chainId: BigInt(CHAIN_ID), feeds: feeds.target, feedId, source, decimals };
  const observations: SignedObservation[] = [];
  for (const { operatorUrl: url } of nodes)
    observations.push(await fetchObservation({ url, feed }));
  return observations;
}

async function tellRound({ provider, seated }: { provider: JsonRpcProvider; seated: DataNodes }) {
  const owner = new Wallet(developmentKey(ANYBODY), provider);
  const { feeds } = storyContracts(owner);
  const { feedId, nodes, reader } = seated;
  const words = (value: bigint): string => formatUnits(value, FEED.decimals);
  tell(`governance decides on a feed, ${FEED.description}, and its data nodes' image`);
  tell(`${nodes.length} operators have an enclave admitted, each for ${gas(seated.gas)} at most`);
  const observations = await observe(provider, seated);
  const values = observations.map(({ value }) => words(value)).join(", ");
  tell(`each asks the source and signs what it sees: ${values}`);
  const posted = await (await feeds.post(feedId, observations)).wait();
  const { answer } = await feeds.roundOf(feedId, 1n);
  tell(
    `anybody posts them; round 1 is their median, ${words(answer)}: ${gas(posted?.gasUsed ?? 0n)}`,
  );
  const { price } = await deployConsumer({ owner, reader, maximumAge: MAXIMUM_AGE });
  tell(
    `a contract reads it by AggregatorV3Interface: ${words(await price())}, ${gas(await price.estimateGas())}`,
  );
  await pass(provider, MAXIMUM_AGE + 60n);
  const refusal = await price().then(
    () => "still takes it",
    (error: unknown) => {
      const name = isCallException(error) ? error.revert?.name : undefined;
      if (name === undefined) throw error;
      return `refuses it (${name.replace(/^.*_/, "")})`;
    },
  );
  tell(`two heartbeats later nobody has posted, and the contract ${refusal}`);
}
