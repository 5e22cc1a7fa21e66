import type { Policy } from "../../isVerified.ts";
import type { Client } from "../client.ts";
import { readNodeAddress } from "../nodeAddress.ts";
import { optionError } from "../optionError.ts";
import { shuffled } from "./chance.ts";
import { drawRegistryNodes } from "./registryNodes.ts";

/** What nodes are chosen for. */
export type Wanted = {
  /** addresses that the call names */
  nodes: readonly string[] | undefined;
  answers: "infer" | "chat";
  policy: Policy;
  /** what an answer may cost at most, in wei-scale OPG; any, for who pays in something else */
  maxPrice: bigint | undefined;
};

/** A node, and its enclave where it was the registry that named it. */
export type ChosenNode = { url: URL; teeId?: string };

/**
 * The nodes to ask, in an order of chance; those that were slow or away a moment ago last. The call's, else the client's, else the
 * deployment file's, else, of enclaves, the registry's.
 * @throws BaseError `option.wrong` where there is none to choose among; `node.badAddress`, `node.none`, `chain.*`
 */
export async function chooseNodes(client: Client, wanted: Wanted): Promise<readonly ChosenNode[]> {
  const chosen = shuffled(await eligible(client, wanted));
  const isLast = ({ url }: ChosenNode): boolean => client.memory.isDemoted(url);
  const ordered = [...chosen.filter((node) => !isLast(node)), ...chosen.filter(isLast)];
  return ordered.slice(0, client.limits.nodes);
}

async function eligible(client: Client, wanted: Wanted): Promise<readonly ChosenNode[]> {
  if (wanted.nodes !== undefined) return named(wanted.nodes.map(readNodeAddress));
  if (client.nodes.length > 0) return named(client.nodes);
  const listed = listedNodes(client, wanted);
  if (listed !== undefined) return named(listed);
  const canAsk = client.rpcs.length > 0 && (client.pins.settlements ?? []).length > 0;
  if (wanted.answers === "chat" && canAsk) return await drawRegistryNodes(client, wanted.policy);
  return named([]);
}

function named(nodes: readonly URL[]): readonly ChosenNode[] {
  if (nodes.length > 0) return nodes.map((url) => ({ url }));
  throw optionError("nodes", "no node was given");
}

/** Of the deployment's nodes that answer this, one of each operator; undefined where it names none. */
function listedNodes({ deployment }: Client, wanted: Wanted): readonly URL[] | undefined {
  const nodes = deployment?.nodes.filter(({ answers }) => answers === wanted.answers) ?? [];
  if (nodes.length === 0) return undefined;
  const { maxPrice } = wanted;
  const affordable = nodes.filter(
    ({ price }) => price === undefined || maxPrice === undefined || price <= maxPrice,
  );
  if (affordable.length === 0) {
    throw optionError("maxPrice", "the deployment's nodes all ask for more");
  }
  const ofOperators = new Map<string, URL>();
  for (const { operator, url } of shuffled(affordable)) {
    ofOperators.set(operator ?? url.origin, url);
  }
  return [...ofOperators.values()];
}
