import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import {
  channelGateAbi,
  inferenceSettlementAbi,
  modelRegistryAbi,
  pageSettlementAbi,
  teeRegistryAbi,
} from "@haca/protocol/abi";
import { batchSettlement } from "@haca/protocol/channels";
import { Interface } from "ethers";

/** A chain's answers by function, as ethers encodes them by the contracts' ABIs; arguments are what ethers decodes. */
export type Contracts = Readonly<Record<string, (...args: unknown[]) => readonly unknown[]>>;

/** `AggregatorV3Interface`, as far as it is read here. */
const ROUND =
  "(uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)";
const FEED_READER = [
  "function decimals() view returns (uint8)",
  `function latestRoundData() view returns ${ROUND}`,
  `function getRoundData(uint80 roundId) view returns ${ROUND}`,
];

const INTERFACES = [
  ...[inferenceSettlementAbi, modelRegistryAbi, pageSettlementAbi, teeRegistryAbi].map(
    (abi) => new Interface(abi),
  ),
  ...[new Interface(FEED_READER), new Interface(channelGateAbi), batchSettlement],
];

/** Of the nodes and chains here. */
export const SETTLEMENT = `0x${"5e".repeat(20)}`;

export type FakeChain = {
  chainId?: bigint;
  number?: bigint;
  hash?: string;
  time: bigint;
  contracts: Contracts;
  /** the last block that is finalised; the latest if left out */
  finalized?: () => bigint;
  /** what contracts answer in a block, in place of `contracts` */
  at?: (number: bigint) => Contracts;
  /** in place of an answer, by method */
  overrides?: Readonly<Record<string, unknown>>;
};

export type Endpoint = { url: string; calls: string[]; server: Server; close: () => void };

/** An endpoint that answers as the chain says. */
export const serveChain = (chain: FakeChain): Promise<Endpoint> => {
  const calls: string[] = [];
  return serve(calls, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, params } = JSON.parse(body);
    calls.push(method === "eth_call" ? JSON.stringify(params[1]) : method);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, ...answer(chain, method, params) }));
  });
};

/** An endpoint that answers however it likes. @param tls by https, with this certificate and key */
export async function serve(
  calls: string[],
  listener: RequestListener,
  tls?: ServerOptions,
): Promise<Endpoint> {
  const server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  const scheme = tls === undefined ? "http" : "https";
  return { url: `${scheme}://127.0.0.1:${port}`, calls, server, close };
}

const quantity = (value: bigint): string => `0x${value.toString(16)}`;

function answer(chain: FakeChain, method: string, params: { data: string }[]): object {
  const { chainId = 31_337n, number = 100n, hash = `0x${"ab".repeat(32)}`, time } = chain;
  const { overrides = {}, finalized = () => number } = chain;
  /** The latest block's is the chain's, of others their number. */
  const hashAt = (asked: bigint): string =>
    asked === number || chain.at === undefined ? hash : `0x${asked.toString(16).padStart(64, "0")}`;
  if (method in overrides) return { result: overrides[method] };
  if (method === "eth_chainId") return { result: quantity(chainId) };
  if (method === "eth_blockNumber") return { result: quantity(number) };
  if (method === "eth_getBlockByNumber") {
    const [tag] = params as unknown[];
    const asked = tag === "finalized" ? finalized() : BigInt(String(tag));
    return { result: { hash: hashAt(asked), number: quantity(asked), timestamp: quantity(time) } };
  }
  const [{ data = "0x" } = {}, block] = params as [{ data?: string }, { blockHash: string }];
  const contracts =
    chain.at === undefined
      ? chain.contracts
      : chain.at(block.blockHash === hash ? number : BigInt(block.blockHash));
  for (const contract of INTERFACES) {
    const call = contract.parseTransaction({ data });
    if (call === null) continue;
    const say = contracts[call.name];
    if (say === undefined)
      return { error: { code: 3, message: `execution reverted: no ${call.name}` } };
    return { result: contract.encodeFunctionResult(call.fragment, say(...call.args)) };
  }
  return { error: { code: 3, message: "execution reverted" } };
}
