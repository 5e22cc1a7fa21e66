import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { dataFeedsAbi } from "@haca/protocol/abi";
import { DATA_NODE_TYPE, feedIdOf, hashObservation, sourceHashOf } from "@haca/protocol/dataFeeds";
import {
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  type Hex,
  toHex,
} from "viem";
import { measurementsOf, pcrsOf, type Tee, teeIdOf } from "./accessTee.ts";
import type { Contracts } from "./deployContracts.ts";
import { deployOn } from "./deployOn.ts";
import type { Chain } from "./startChain.ts";
import { addressOf } from "./writeBook.ts";

const IMAGE = measurementsOf("data node");
const SOURCE = { url: "https://prices.example/eth-usd", pointer: "/price" };
export const FEED_PARAMETERS = {
  ...{ heartbeat: 3_600, maximumDeviation: 200, minimumObservations: 3 },
};
const DECIMALS = 8;

/** Deploys the contract of feeds. */
export async function deployFeeds(parameters: { chain: Chain; contracts: Contracts; tee: Tee }) {
  const { chain, contracts, tee } = parameters;
  const { dataFeeds } = await deployOn(chain, (module) => ({
    dataFeeds: module.contract("DataFeeds", [
      addressOf(contracts.deployed.accessManager),
      tee.registry.address,
    ]),
  }));
  return dataFeeds;
}

/** What can happen to feeds. */
export function feedOperations(parameters: { chain: Chain; tee: Tee; feeds: Hex }) {
  const { chain, feeds, tee } = parameters;
  const chainId = BigInt(chain.client.chain.id);
  const sourceHash = sourceHashOf(SOURCE) as Hex;
  const nodes: SimulatedEnclave[] = [];

  const call = <Name extends ContractFunctionName<typeof dataFeedsAbi, "nonpayable">>(
    functionName: Name,
    args: ContractFunctionArgs<typeof dataFeedsAbi, "nonpayable", Name>,
  ) =>
    chain.send({
      to: feeds,
      data: encodeFunctionData({ abi: dataFeedsAbi, functionName, args } as never),
    });

  /** Creates a feed, and answers its id. */
  const create = async (description: string): Promise<Hex> => {
    await call("createFeed", [description, DECIMALS, sourceHash, FEED_PARAMETERS]);
    return feedIdOf({ description, decimals: DECIMALS, sourceHash }) as Hex;
  };

  /** Admits a data node for each of some operators. */
  const admit = async (operators: readonly Hex[]): Promise<void> => {
    await tee.call("approvePCR", [pcrsOf(IMAGE), "v0", DATA_NODE_TYPE]);
    for (const operator of operators) {
      const enclave = await tee.makeEnclave({ measurements: IMAGE, kind: "secp256k1" });
      const registration = await tee.registrationOf({
        ...{ enclave, operator, teeType: DATA_NODE_TYPE, verifierId: 0 },
        endpoint: "https://data.example:443",
      });
      await tee.call("register", [registration], operator);
      nodes.push(enclave);
    }
  };

  /** Posts an observation of each node; where there are more values than nodes, the first nodes observe again. */
  const post = async (feedId: Hex, values: readonly bigint[]) => {
    const { timestamp } = await chain.client.getBlock();
    const observations = values.map((value, index) => {
      const enclave = nodes[index % nodes.length] as SimulatedEnclave;
      const teeId = teeIdOf(enclave);
      const digest = hashObservation({
        ...{ chainId, feeds },
        observation: {
          ...{ feedId, sourceHash, value, decimals: DECIMALS, observedAt: timestamp, teeId },
        },
      });
      return { teeId, value, observedAt: timestamp, signature: toHex(enclave.sign(digest)) };
    });
    return await call("post", [feedId, observations]);
  };

  return { admit, call, create, nodes, post };
}
