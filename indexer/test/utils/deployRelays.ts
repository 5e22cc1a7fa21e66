import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import {
  type Abi,
  type AbiEvent,
  concat,
  encodeAbiParameters,
  encodeEventTopics,
  getAbiItem,
  type Hex,
} from "viem";
import type { Deployed } from "../../../testing/deployPlan.ts";
import { relayCode } from "./relayCode.ts";
import type { Chain } from "./startChain.ts";
import { addressOf, writeBook } from "./writeBook.ts";

/**
 * Deploys an event relay in place of each contract and writes their address book to `path`.
 * `emit` sends one event as one transaction and returns its receipt.
 */
export async function deployRelays(parameters: { chain: Chain; path: string }) {
  const { chain, path } = parameters;
  const relay = async (name: string, topics: number): Promise<Deployed> => {
    const receipt = await chain.send({ data: relayCode(topics) });
    const { transactionHash: transaction, blockNumber, contractAddress } = receipt;
    return { name, address: contractAddress ?? "", transaction, block: Number(blockNumber) };
  };
  const registry = await relay("ModelRegistry", 3);
  const settlement = await relay("InferenceSettlement", 4);
  const accessManager = { ...registry, name: "AccessManager" };
  await writeBook({ chain, path, contracts: { accessManager, registry, settlement } });

  const emit = (contract: "registry" | "settlement", eventName: string, args: object) =>
    contract === "registry"
      ? chain.send({
          to: addressOf(registry),
          data: encodeEvent({ abi: modelRegistryAbi, eventName, args }),
        })
      : chain.send({
          to: addressOf(settlement),
          data: encodeEvent({ abi: inferenceSettlementAbi, eventName, args }),
        });
  return { emit };
}

/** Topics and data of an event, one after the other. */
function encodeEvent(parameters: { abi: Abi; eventName: string; args: object }): Hex {
  const { abi, eventName, args } = parameters;
  const event = getAbiItem({ abi, name: eventName }) as AbiEvent;
  const argument = ({ name }: AbiEvent["inputs"][number]) => Reflect.get(args, name ?? "");
  const topics = encodeEventTopics({ abi: [event], args }) as Hex[];
  const plain = event.inputs.filter(({ indexed }) => indexed !== true);
  return concat([...topics, encodeAbiParameters(plain, plain.map(argument))]);
}
