import { type KnownVendor, VENDORS } from "@haca/attestation/vendors";
import { NODE_STATUSES, type NodeStatus } from "@haca/protocol/attestationParameters";
import { BaseError } from "@haca/protocol/baseError";
import { printable } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { ActionContext } from "./action.ts";

export const TEE_REGISTRY = "TEERegistry";
const MAXIMUM_TYPE = 255n;

type Chain = Pick<ActionContext, "book" | "provider">;

export const refuse = (message: string): BaseError =>
  new BaseError({ code: "governance.badArgument", message });

/** Names of the node types that the registry knows, by number. */
export async function nodeTypes(context: Chain): Promise<Map<number, string>> {
  const [ids, infos] = await deployed(context, TEE_REGISTRY).getTEETypes();
  return new Map(
    ids.map((type, index) => [Number(type), printable(infos[index]?.name ?? "")] as const),
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
  Number(context.values.integer("number", { minimum: 0n, maximum: MAXIMUM_TYPE }));

/** Of the usage of what concerns one vendor's evidence. */
export const VENDOR_USAGE = "[<vendor>]";
const [FIRST_VENDOR] = VENDORS;

/** The vendor that the next value names; the first one where it names none. */
export function readVendor({ values }: Pick<ActionContext, "values">): KnownVendor {
  const name = values.oneOf(VENDORS.map((vendor) => vendor.name));
  const vendor = name === undefined ? FIRST_VENDOR : VENDORS.find((known) => known.name === name);
  if (vendor === undefined) throw refuse("there is no vendor of evidence");
  return vendor;
}

/** Address of the verifier that the registry uses for a vendor's evidence now; zero if none. */
export const currentVerifier = (
  context: Chain,
  { verifierId }: Pick<KnownVendor, "verifierId">,
): Promise<string> => deployed(context, TEE_REGISTRY).verifier(verifierId);

/** An image as a vendor's verifier measures it; generation 0 if it never was approved. */
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
  context: Chain & { measurement: string; type: number; verifierId: number },
): Promise<Image> {
  const place = [context.measurement, context.type, context.verifierId] as const;
  const image = await deployed(context, "TEERegistryLens").getImage(...place);
  return {
    isApproved: await deployed(context, TEE_REGISTRY).isImageApproved(...place),
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
): Promise<{ state: NodeStatus; operator: string; endpoint: string }> {
  const registry = deployed(context, TEE_REGISTRY);
  try {
    const { status } = await registry.nodeOf(context.teeId);
    const { owner, endpoint } = await registry.getTEE(context.teeId);
    return {
      state: NODE_STATUSES[Number(status)] ?? "unknown",
      operator: owner,
      endpoint: printable(endpoint),
    };
  } catch (error) {
    if (!(await isRevert(error, "TEERegistry_NodeUnknown"))) throw error;
    throw refuse(`the registry knows no node ${context.teeId}`);
  }
}

/** Whether what a call met is that error of a contract, and not an endpoint's. */
export async function isRevert(error: unknown, name: string): Promise<boolean> {
  // Loaded when it is used: the list of actions is there without a build.
  const { explainRevert, revertData } = await import("@haca/protocol/explainRevert");
  return explainRevert(revertData(error)).name === name;
}
