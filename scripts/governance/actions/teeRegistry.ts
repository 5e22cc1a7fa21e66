import { createRequire } from "node:module";
import { VERIFIER_IDS } from "@haca/protocol/attestationVendors";
import { BaseError } from "@haca/protocol/baseError";
import { TextInterface } from "@haca/protocol/chainText";
import { Contract } from "ethers";
import { printable } from "../../lib/printable.ts";
import { addressOf } from "../call.ts";
import type { ActionContext } from "./action.ts";

/** States of a node, as the registry numbers them. */
const NODE_STATES = ["unknown", "enabled", "disabled", "retired", "banned", "expelled"] as const;
export type NodeState = (typeof NODE_STATES)[number];

export const TEE_REGISTRY = "TEERegistry";
const MAXIMUM_TYPE = 255n;

type Chain = Pick<ActionContext, "book" | "provider">;

/** Loaded when they are used: the list of actions is there without a build. */
function abis(): typeof import("@haca/protocol/abi") {
  const load = createRequire(import.meta.url);
  return load("@haca/protocol/abi");
}

const registryInterface = () => new TextInterface(abis().teeRegistryAbi);

export const teeRegistryOf = ({ book, provider }: Chain): Contract =>
  new Contract(addressOf(book, TEE_REGISTRY), registryInterface(), provider);

const lensOf = ({ book, provider }: Chain): Contract =>
  new Contract(
    addressOf(book, "TEERegistryLens"),
    new TextInterface(abis().teeRegistryLensAbi),
    provider,
  );

export const refuse = (message: string): BaseError =>
  new BaseError({ code: "governance.badArgument", message });

/** Names of the node types that the registry knows, by number. */
export async function nodeTypes(context: Chain): Promise<Map<number, string>> {
  const [ids, infos] = await teeRegistryOf(context).getFunction("getTEETypes")();
  return new Map(
    [...ids].map((type: bigint, index) => [Number(type), printable(infos[index].name)] as const),
  );
}

/** The next value as a node type: its number or its name. Error: `governance.badArgument`. */
export async function readNodeType(
  context: ActionContext,
): Promise<{ type: number; label: string }> {
  const text = context.values.text("node type");
  const types = await nodeTypes(context);
  for (const [type, name] of types) {
    if (text === String(type) || text === name) return { type, label: `${name} (${type})` };
  }
  const known = [...types].map(([type, name]) => `${type} ${name}`).join(", ");
  throw refuse(`node type ${text} does not exist; there are ${known}`);
}

/** The next value as the number of a type that may not exist yet. */
export const readTypeNumber = (context: ActionContext): number =>
  Number(context.values.whole("number", { minimum: 0n, maximum: MAXIMUM_TYPE }));

/** An image as the Nitro verifier measures it; generation 0 if it never was approved. */
export type Image = {
  isApproved: boolean;
  generation: number;
  /** what an approval has to name, 16 bytes */
  lastRevocation: string;
  version: string;
  source: string;
};

const ZERO_COMMIT = /^0x0{64}$/;

/** An image's latest approval and revocation. */
export async function readImage(
  context: Chain & { pcrHash: string; type: number },
): Promise<Image> {
  const { pcrHash, type } = context;
  const { nitro } = VERIFIER_IDS;
  const image = await lensOf(context).getFunction("getImage")(pcrHash, type, nitro);
  return {
    isApproved: await teeRegistryOf(context).getFunction("isImageApproved")(pcrHash, type, nitro),
    generation: Number(image.generation),
    lastRevocation: image.lastRevocation,
    version: printable(image.version),
    source: describeSource({ commit: image.commit, repository: image.repository }),
  };
}

/** A source in words. `commit` is 32 bytes; a shorter hash of a commit stands at their beginning. */
export function describeSource(source: { commit: string; repository: string }): string {
  if (ZERO_COMMIT.test(source.commit) && source.repository === "") return "no source given";
  const commit = source.commit.slice(2).replace(/0{24}$/, "");
  return `commit ${commit} of ${printable(source.repository)}`;
}

/** State of a node and its operator. Error: `governance.badArgument` if there is no such node. */
export async function readNode(
  context: Chain & { teeId: string },
): Promise<{ state: NodeState; operator: string; endpoint: string }> {
  const registry = teeRegistryOf(context);
  try {
    const { status } = await registry.getFunction("nodeOf")(context.teeId);
    const { owner, endpoint } = await registry.getFunction("getTEE")(context.teeId);
    return {
      state: NODE_STATES[Number(status)] ?? "unknown",
      operator: owner,
      endpoint: printable(endpoint),
    };
  } catch (error) {
    if (!isRevert(error, "TEERegistry_NodeUnknown")) throw error;
    throw refuse(`the registry knows no node ${context.teeId}`);
  }
}

/** Whether a call was refused with that error: the data is the same whoever reports it. */
function isRevert(error: unknown, name: string): boolean {
  const selector = registryInterface().getError(name)?.selector ?? "";
  const { data } = error as { data?: unknown };
  return typeof data === "string" && selector !== "" && data.startsWith(selector);
}
