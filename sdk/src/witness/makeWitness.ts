import { BaseError } from "@haca/protocol/baseError";
import { keccak, wordOf } from "../bytes.ts";
import { callRpc, chainError } from "../chain/jsonRpc.ts";
import type { Chain } from "../chain/openChain.ts";
import { hex, list } from "../receipt/readers.ts";
import { LIMITS, type ReceiptCore, type WitnessEvidence } from "../receipt/receipt.ts";
import { encodeHeader } from "./encodeHeader.ts";
import { readWitnessed } from "./readWitnessed.ts";
import { type State, stateUnder } from "./state.ts";
import type { StorageLayout } from "./storageLayout.ts";
import { WitnessParts } from "./witnessParts.ts";

const readNodes = list(hex(1, LIMITS.node), 0, 64);
const readCode = hex(0, LIMITS.code);

/**
 * What a block's state shows of a receipt, by an endpoint's `eth_getProof`: of a block that is not among the last ones no endpoint
 * has it. The endpoint is not believed: it is the header's hash that has to be the block's.
 * @throws BaseError `chain.*`, `witness.layout`
 */
export async function makeWitness(asked: Asked): Promise<WitnessEvidence> {
  try {
    return await readWitness(asked);
  } catch (cause) {
    if (cause instanceof BaseError && cause.code !== "format.malformed") throw cause;
    const words = cause instanceof Error ? cause.message : "something else";
    throw chainError("badAnswer", `an RPC shows no proofs that can be read: ${words}`, cause);
  }
}

type Asked = {
  rpc: string;
  block: Chain["block"];
  core: ReceiptCore;
  /** of the settlement, and of its TEE registry */
  layout: StorageLayout;
};

/** Its readers throw plain errors for what is not as a chain writes it. */
async function readWitness({ block, core, layout, rpc }: Asked): Promise<WitnessEvidence> {
  const ask = (method: string, ...params: readonly unknown[]): Promise<unknown> =>
    callRpc({ url: rpc, method, params });
  const header = encodeHeader(await ask("eth_getBlockByHash", block.hash, false));
  if (keccak(header) !== block.hash) {
    throw chainError("unknownHeader", "the chain's blocks have headers that are not known here");
  }
  const parts = new WitnessParts();
  const known = stateUnder(header, parts);
  const at = `0x${block.number.toString(16)}`;
  const fetch = async (contract: string, places: readonly bigint[]): Promise<void> => {
    const proof = fieldsOf(await ask("eth_getProof", contract, places.map(wordOf), at));
    const proofs = [proof.accountProof, ...entriesOf(proof.storageProof).map(proofIn)];
    for (const nodes of proofs) {
      for (const node of readNodes(lower(nodes), "eth_getProof")) parts.add("nodes", node);
    }
  };
  const state: State = {
    block: known.block,
    async slot(contract, place) {
      await fetch(contract, [place]);
      return await known.slot(contract, place);
    },
    async code(contract) {
      await fetch(contract, []);
      parts.add("codes", readCode(lower(await ask("eth_getCode", contract, at)), "eth_getCode"));
      return await known.code(contract);
    },
  };
  await readWitnessed(state, { core, layout });
  return { type: "witness", header, nodes: parts.used("nodes"), codes: parts.used("codes") };
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw chainError("badAnswer", "an RPC answers no proof where one belongs");
};

const entriesOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const proofIn = (entry: unknown): unknown => fieldsOf(entry).proof;

/** As nodes write hex, in either case: a text, or those in a list. What is deeper in lists is refused as it is. */
const lower = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(lowerText) : lowerText(value);
const lowerText = (value: unknown): unknown =>
  typeof value === "string" ? value.toLowerCase() : value;
