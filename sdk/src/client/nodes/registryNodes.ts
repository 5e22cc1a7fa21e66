import { BaseError } from "@haca/protocol/baseError";
import { teeRegistryOf } from "../../chain/contractReads.ts";
import { type Chain, openChain } from "../../chain/openChain.ts";
import { activeNodeAt, nodeCountOf, type RegisteredNode } from "../../chain/registeredNodes.ts";
import type { Policy } from "../../isVerified.ts";
import { isPinnedImage } from "../../pins.ts";
import type { Client } from "../client.ts";
import { isLoopbackName, readNodeAddress } from "../nodeAddress.ts";
import { nodeError } from "../nodeError.ts";
import { pinnedSettlement } from "../pinnedSettlement.ts";
import { drawNumbers } from "./chance.ts";

/** Nodes that are looked at for one draw, how many of a type where all are asked for, and how many of them at once. */
const MAXIMUM_DRAWN = 256;
const MAXIMUM_LOOKED_AT = 1_000;
const AT_ONCE = 8;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** A chain with its registry of enclaves. */
export type NodeRegistry = { chain: Chain; registry: string };

/** A node as it was drawn, and its enclave: others may say that they are at the same address. */
export type DrawnNode = { url: URL; teeId: string };

/** The registry that the pinned settlement names, at RPCs that agree. @throws BaseError `chain.*`, `option.wrong` */
export async function openNodeRegistry({ chainId, pins, rpcs }: Client): Promise<NodeRegistry> {
  const { settlement } = pinnedSettlement(pins);
  const chain = await openChain({ rpcs, chainId });
  return { chain, registry: await teeRegistryOf(chain, settlement) };
}

/**
 * Some nodes of the registry, drawn among all that can be asked: active at the block, of the client's type, of a pinned image where
 * the policy demands one, with an endpoint that a stranger may name; one of an operator at most, and as many as are asked.
 * @throws BaseError `node.none`, which counts why the others are not; `chain.*`, `option.wrong`
 */
export async function drawRegistryNodes(
  client: Client,
  policy: Policy,
): Promise<readonly DrawnNode[]> {
  const at = await openNodeRegistry(client);
  const { nodeType: teeType } = client;
  const count = await nodeCountOf(at.chain, at.registry, teeType);
  const drawn = drawNumbers(count, MAXIMUM_DRAWN);
  const found = new Map<string, DrawnNode>();
  const refused = new Map<string, number>();
  for (let from = 0; from < drawn.length && found.size < client.limits.nodes; from += AT_ONCE) {
    const indices = drawn.slice(from, from + AT_ONCE);
    const looked = await Promise.all(
      indices.map((index) => activeNodeAt(at.chain, at.registry, { teeType, index })),
    );
    for (const node of looked) {
      const reason = node === null ? "not active" : refuseNode(node, client, policy);
      if (node === null || reason !== undefined) {
        refused.set(reason ?? "", (refused.get(reason ?? "") ?? 0) + 1);
      } else if (!found.has(node.operator)) {
        found.set(node.operator, { url: readNodeAddress(node.endpoint), teeId: node.teeId });
      }
    }
  }
  if (found.size > 0) return [...found.values()].slice(0, client.limits.nodes);
  const reasons = [...refused].map(([reason, number]) => `${number} ${reason}`).join(", ");
  throw new BaseError({
    ...{ code: "node.none", details: Object.fromEntries(refused) },
    message: `of the registry's ${count} nodes of type ${teeType} none can be asked${reasons === "" ? "" : `: ${reasons}`}`,
  });
}

/**
 * The enclaves that the registry has at a node's address, as strangers say it: active at the block, of the client's type, the latest
 * first. Of a type whose nodes are more than `MAXIMUM_LOOKED_AT`, among the latest.
 * @throws BaseError `node.notActive`; `chain.*`
 */
export async function enclavesAt(
  { chain, registry }: NodeRegistry,
  { client, node, policy }: { client: Client; node: URL; policy: Policy },
): Promise<readonly string[]> {
  const { nodeType: teeType } = client;
  const indices = latest(await nodeCountOf(chain, registry, teeType)).reverse();
  const looked = await byParts(indices, (index) =>
    activeNodeAt(chain, registry, { teeType, index }),
  );
  const teeIds = looked.flatMap((known) => {
    const isThere = known !== null && addressIn(known.endpoint)?.href === node.href;
    const may = { ...client, allowLocalNodes: true };
    return isThere && refuseNode(known, may, policy) === undefined ? [known.teeId] : [];
  });
  if (teeIds.length > 0) return teeIds;
  throw notActive(node);
}

export const notActive = (node: URL): BaseError =>
  nodeError("notActive", `the registry has no active enclave at ${node.host}`);

/** The numbers of the latest of so many nodes, in the order of their admission. */
export function latest(count: number): number[] {
  const first = Math.max(0, count - MAXIMUM_LOOKED_AT);
  return Array.from({ length: count - first }, (_, index) => first + index);
}

/** So many at once, in their order. */
export async function byParts<T, R>(
  list: readonly T[],
  each: (entry: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < list.length; from += AT_ONCE) {
    results.push(...(await Promise.all(list.slice(from, from + AT_ONCE).map(each))));
  }
  return results;
}

/** Why a node that is active is not asked; nothing where it may be. */
export function refuseNode(
  { endpoint, image }: RegisteredNode,
  { allowLocalNodes, pins }: Pick<Client, "allowLocalNodes" | "pins">,
  policy: Policy,
): string | undefined {
  if (policy.attestation !== "registry" && !isPinnedImage(pins, image)) {
    return "of an image that is not pinned";
  }
  const url = addressIn(endpoint);
  if (url === undefined) return "with an endpoint that is no address of a node";
  const isHere = isLoopbackName(url.hostname);
  return isHere && !allowLocalNodes ? "on this machine, by their own word" : undefined;
}

function addressIn(endpoint: string): URL | undefined {
  try {
    return PRINTABLE.test(endpoint) ? readNodeAddress(endpoint) : undefined;
  } catch {
    return undefined;
  }
}
