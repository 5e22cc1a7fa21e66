import { BaseError } from "@haca/protocol/baseError";
import {
  activeNodeAt,
  nodeCountOf,
  nodeTypesOf,
  type RegisteredNode,
} from "../../chain/registeredNodes.ts";
import type { AsOf } from "../../line.ts";
import { isPinnedImage } from "../../pins.ts";
import { askNode } from "../askNode.ts";
import { refuseOblivious } from "../chat/channelOptions.ts";
import { sendFor } from "../chat/openChannel.ts";
import type { Client } from "../client.ts";
import { readNodeAddress } from "../nodeAddress.ts";
import { byParts, latest, openNodeRegistry, refuseNode } from "./registryNodes.ts";

/** An active node; its image is approved, or it would not be. */
export type ShownNode = RegisteredNode & {
  typeName: string;
  /** null where no image is pinned */
  isPinned: boolean | null;
  /** why this client would not ask it; null where it would */
  refusal: string | null;
  /** milliseconds to the answer of `/health`, or why there was none; null where it was not asked */
  latency: { ms: number } | { error: string } | null;
};

export type ListedNodes = {
  source: string;
  asOf: AsOf;
  /** nodes that were ever admitted, and how many of these were looked at: the latest */
  total: number;
  lookedAt: number;
  nodes: readonly ShownNode[];
};

const PING_MS = 5_000;

/**
 * The registry's active nodes, in the order of their admission.
 * @param options.nodeType of this type alone; all if left out
 * @param options.isPinged asks each node that the client would ask how fast it answers
 * @throws BaseError `option.wrong`, `chain.*`
 */
export async function listNodes(
  client: Client,
  options: { nodeType?: number | undefined; isPinged?: boolean; signal?: AbortSignal } = {},
): Promise<ListedNodes> {
  const { isPinged = false, nodeType, signal } = options;
  if (isPinged) refuseOblivious(client, "a look at how fast nodes are");
  const at = await openNodeRegistry(client);
  const types = await nodeTypesOf(at.chain, at.registry);
  const nodes: ShownNode[] = [];
  let [total, lookedAt] = [0, 0];
  for (const [teeType, typeName] of types) {
    if (nodeType !== undefined && nodeType !== teeType) continue;
    const count = await nodeCountOf(at.chain, at.registry, teeType);
    const indices = latest(count);
    total += count;
    lookedAt += indices.length;
    await byParts(indices, async (index) => {
      const node = await activeNodeAt(at.chain, at.registry, { teeType, index });
      return node === null ? undefined : { ...shown(node, client), typeName };
    }).then((found) => nodes.push(...found.filter((node) => node !== undefined)));
    signal?.throwIfAborted();
  }
  const { asOf, source } = at.chain;
  const pinged = isPinged
    ? await byParts(nodes, async (node) => ({ ...node, latency: await ping(client, node, signal) }))
    : nodes;
  return { source, asOf, total, lookedAt, nodes: pinged };
}

const shown = (node: RegisteredNode, client: Client): Omit<ShownNode, "typeName"> => ({
  ...node,
  isPinned: client.pins.images === undefined ? null : isPinnedImage(client.pins, node.image),
  refusal: refuseNode(node, client, client.policy) ?? null,
  latency: null,
});

/** Over an attested channel where the client wants one, whose making does not count. */
async function ping(
  client: Client,
  { endpoint, refusal }: ShownNode,
  signal: AbortSignal | undefined,
): Promise<ShownNode["latency"]> {
  if (refusal !== null) return null;
  try {
    const node = readNodeAddress(endpoint);
    const send = await sendFor({ client, node, signal });
    const before = performance.now();
    const limits = { bytes: 64 * 1024, ms: PING_MS };
    await askNode({ node, path: "/health", limits, signal, send });
    return { ms: Math.round(performance.now() - before) };
  } catch (error) {
    if (error instanceof BaseError) return { error: error.code };
    throw error;
  }
}
