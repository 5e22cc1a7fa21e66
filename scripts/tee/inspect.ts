import { NODE_STATUSES } from "@haca/protocol/attestationParameters";
import { formatTable } from "../lib/table.ts";
import { isoTime, printable } from "../lib/words.ts";
import { nodeConditions } from "./nodeConditions.ts";
import { type ChainOptions, integerOption, teeIdArgument } from "./options.ts";
import type { TeeContracts } from "./teeContracts.ts";
import { teeTypeOf, teeTypes, withNetwork } from "./withNetwork.ts";

const PAGE_SIZE = 20;
const MAXIMUM_PAGE = 1_000_000;

/** Prints a node, and every condition of its being active. Exit status 1 if it is not. */
export async function status(argument: string, options: ChainOptions): Promise<void> {
  const teeId = teeIdArgument(argument);
  await withNetwork(options, async ({ contracts, signer }) => {
    const node = await nodeConditions({ contracts, runner: signer, teeId });
    const types = await teeTypes(contracts);
    console.log(
      [
        `node         ${teeId}`,
        `type         ${types.find(({ id }) => id === node.teeType)?.name ?? node.teeType}`,
        `operator     ${node.owner}`,
        `payment      ${node.paymentAddress}`,
        `endpoint     ${printable(node.endpoint)}`,
        `image        ${node.pcrHash}`,
        `attested     ${isoTime(node.attestedAt)}`,
        `heartbeat    ${isoTime(node.lastHeartbeatAt)}`,
        "",
        ...node.conditions.map(({ holds, text }) => `  ${holds ? "ok " : "NO "} ${text}`),
        "",
        node.isActive ? "active" : "not active",
      ].join("\n"),
    );
    if (!node.isActive) process.exitCode = 1;
  });
}

/** Prints a page of nodes. */
export async function list(
  options: ChainOptions & { type?: string; all: boolean; page: string },
): Promise<void> {
  const page = integerOption({
    ...{ name: "page", text: options.page, minimum: 1, maximum: MAXIMUM_PAGE },
  });
  await withNetwork(options, async ({ contracts }) => {
    const { type } = options;
    const wanted = type === undefined ? undefined : await teeTypeOf(contracts, type);
    const types = (await teeTypes(contracts)).filter(
      ({ id }) => wanted === undefined || id === wanted,
    );
    for (const { id, name } of types) {
      const count = Number(await contracts.registry.nodeCount(id));
      if (count === 0 && wanted === undefined) continue;
      const offset = (page - 1) * PAGE_SIZE;
      const rows = await rowsOf({ contracts, type: id, offset, isAll: options.all });
      const range = `nodes ${Math.min(offset + 1, count)} to ${Math.min(offset + PAGE_SIZE, count)} of ${count}`;
      console.log(`${name}: ${range}, ${rows.length} ${options.all ? "shown" : "of them active"}`);
      if (rows.length > 0) {
        const columns = ["node", "state", "image", "last heartbeat", "endpoint"];
        console.log(`${formatTable({ columns, rows })}\n`);
      }
    }
  });
}

async function rowsOf(parameters: {
  contracts: TeeContracts;
  type: number;
  offset: number;
  isAll: boolean;
}): Promise<string[][]> {
  const { type, offset, isAll } = parameters;
  const { registry, lens } = parameters.contracts;
  const ids = isAll
    ? await lens.listNodes(type, offset, PAGE_SIZE)
    : await lens.listActiveNodes(type, offset, PAGE_SIZE);
  return await Promise.all(
    ids.map(async (teeId) => {
      const [node, info] = await Promise.all([lens.getNode(teeId), registry.getTEE(teeId)]);
      const state = NODE_STATUSES[Number(node.status)] ?? "unknown";
      return [
        teeId,
        node.isActive ? "active" : state === "enabled" ? "not active" : state,
        `${String(info.pcrHash).slice(0, 10)}…`,
        isoTime(info.lastHeartbeatAt),
        printable(info.endpoint),
      ];
    }),
  );
}
