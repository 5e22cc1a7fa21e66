import { readClient } from "../client/client.ts";
import { type ListedNodes, listNodes, type ShownNode } from "../client/nodes/listNodes.ts";
import { interruptible } from "./interrupt.ts";
import { type ClientArguments, clientOptions } from "./openClient.ts";
import { asOfText, printable, timeText, toJson, wrapped } from "./print.ts";
import { progressOn } from "./progress.ts";
import { UsageError } from "./readInput.ts";

export type NodesArguments = Omit<ClientArguments, "node"> & { ping?: boolean; json?: boolean };

/** `haca nodes`: the registry's active nodes, as they are printed. `isFound`: there is one at least. */
export async function showNodes(
  options: NodesArguments,
): Promise<{ isFound: boolean; text: string }> {
  if ((options.rpc ?? []).length === 0) {
    throw new UsageError("--rpc: the registry has to be asked; name an endpoint");
  }
  const client = readClient(await clientOptions(options));
  const progress = progressOn(process.stderr);
  try {
    progress.say("asking the registry for its nodes");
    const found = await interruptible("stopped", (signal) =>
      listNodes(client, {
        ...{ signal, isPinged: options.ping === true },
        nodeType: options.type === undefined ? undefined : client.nodeType,
      }),
    );
    const text = options.json ? toJson(found) : printNodes(found);
    return { isFound: found.nodes.length > 0, text };
  } finally {
    progress.end();
  }
}

function printNodes({ asOf, lookedAt, nodes, source, total }: ListedNodes): string {
  const behind = lookedAt < total ? `; of ${total} the latest ${lookedAt} were looked at` : "";
  const lines = [
    ...nodes.flatMap(printNode),
    ...wrapped(`${nodes.length} active (${source}${asOfText(asOf)})${behind}`, ""),
  ];
  return `${lines.join("\n")}\n`;
}

function printNode(node: ShownNode): string[] {
  const { endpoint, image, isPinned, lastHeartbeatAt, operator, teeId, teeType, typeName } = node;
  const pinned = { true: "pinned", false: "not pinned", null: "no image is pinned here" };
  const fields = [
    `type ${teeType} ${typeName}`,
    `operator ${operator}`,
    `endpoint ${endpoint === "" ? "none" : endpoint}`,
    `image ${image}`,
    `image approved; ${pinned[`${isPinned}`]}`,
    `heartbeat ${timeText(String(lastHeartbeatAt))}`,
    ...(node.refusal === null ? [] : [`would not be asked: ${node.refusal}`]),
    ...latencyOf(node),
  ];
  return [`node ${teeId}`, ...fields.flatMap((field) => wrapped(printable(field)))];
}

function latencyOf({ latency }: ShownNode): string[] {
  if (latency === null) return [];
  return ["ms" in latency ? `latency ${latency.ms} ms` : `no answer (${latency.error})`];
}
