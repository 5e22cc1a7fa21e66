import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { writeAddressBook } from "@haca/protocol/addressBook";
import {
  type Abi,
  type AbiEvent,
  concat,
  encodeAbiParameters,
  encodeEventTopics,
  getAbiItem,
  type Hex,
} from "viem";
import { addressBookOf, addressOf } from "./addressBookOf.ts";
import { relayCode } from "./relayCode.ts";
import type { Chain } from "./startChain.ts";

/**
 * Deploys an event relay in place of each contract and writes their address book to `path`.
 * `emit` sends one event as one transaction and returns its receipt.
 */
export async function deployRelays(parameters: { chain: Chain; path: string }) {
  const { chain, path } = parameters;
  const registry = await chain.send({ data: relayCode(3) });
  const settlement = await chain.send({ data: relayCode(4) });
  const book = await addressBookOf({
    chain,
    creations: {
      AccessManager: registry,
      ModelRegistry: registry,
      InferenceSettlement: settlement,
    },
  });
  writeAddressBook({ path, book });

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
