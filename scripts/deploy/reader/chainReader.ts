import { BaseError } from "@haca/protocol/baseError";
import { getAddress, Interface, type Result } from "ethers";
import { type Request, RpcError } from "./rpc.ts";

export type Block = { number: number; timestamp: number };
export type Transaction = {
  hash: string;
  from: string;
  to: string | null;
  nonce: number;
  input: string;
  block: number;
};
export type Log = {
  address: string;
  topics: readonly string[];
  data: string;
  block: number;
  index: number;
  transaction: string;
};

type RawTransaction = {
  hash: string;
  from: string;
  to: string | null;
  nonce: string;
  input: string;
  blockNumber: string;
};
type RawLog = {
  address: string;
  topics: string[];
  data: string;
  blockNumber: string;
  logIndex: string;
  transactionHash: string;
};

/** Wordings of geth, Erigon, Nethermind, Besu, Reth and gateways for "that state is no longer here". */
const PRUNED =
  /missing trie node|state .*(not|un)available|pruned|historical state|header not found|archive|world state|old data not available|no state available/i;

/** Reads of one chain. It has no account and can send nothing. */
export class ChainReader {
  readonly #request: Request;
  readonly chainId: number;
  readonly #codes = new Map<string, Promise<string>>();

  constructor(parameters: { request: Request; chainId: number }) {
    this.#request = parameters.request;
    this.chainId = parameters.chainId;
  }

  async send(method: string, ...params: unknown[]): Promise<unknown> {
    return await this.#request(method, params);
  }

  /** The run-time code now; `0x` where there is none. */
  code(address: string): Promise<string> {
    const known = this.#codes.get(address);
    if (known !== undefined) return known;
    const code = this.send("eth_getCode", address, "latest") as Promise<string>;
    this.#codes.set(address, code);
    return code;
  }

  /** Whether an account had code at a block. Error `chain.prunedState` where the endpoint no longer knows. */
  async hadCode(address: string, block: number): Promise<boolean> {
    try {
      return (await this.send("eth_getCode", address, hex(block))) !== "0x";
    } catch (cause) {
      if (!(cause instanceof RpcError) || !PRUNED.test(cause.message)) throw cause;
      throw new BaseError({
        code: "chain.prunedState",
        message: `the endpoint no longer has the state of block ${block}`,
        cause,
      });
    }
  }

  /** Calls a view by its human-readable fragment, such as `function root() view returns (bytes32)`. */
  async view(address: string, fragment: string, ...values: unknown[]): Promise<Result> {
    const contract = new Interface([fragment]);
    const name = /(?<=^function )\w+/.exec(fragment)?.[0] ?? "";
    const data = contract.encodeFunctionData(name, values);
    const answer = (await this.send("eth_call", { to: address, data }, "latest")) as string;
    try {
      return contract.decodeFunctionResult(name, answer);
    } catch (cause) {
      throw new BaseError({
        code: "chain.notThatContract",
        message: `${address} does not answer ${name}() as the contract that it should be`,
        cause,
      });
    }
  }

  async block(tag: number | "latest"): Promise<Block> {
    const block = (await this.send(
      "eth_getBlockByNumber",
      tag === "latest" ? tag : hex(tag),
      false,
    )) as { number: string; timestamp: string } | null;
    if (block === null) {
      throw new BaseError({ code: "chain.noBlock", message: `the endpoint has no block ${tag}` });
    }
    return { number: Number(block.number), timestamp: Number(block.timestamp) };
  }

  async transactionsOf(block: number): Promise<Transaction[]> {
    const found = (await this.send("eth_getBlockByNumber", hex(block), true)) as {
      transactions: RawTransaction[];
    } | null;
    return (found?.transactions ?? []).map(toTransaction);
  }

  async transaction(hash: string): Promise<Transaction | undefined> {
    const raw = (await this.send("eth_getTransactionByHash", hash)) as RawTransaction | null;
    return raw === null || raw.blockNumber === null ? undefined : toTransaction(raw);
  }

  /** The contract that a transaction created itself, not through another contract. */
  async createdBy(hash: string): Promise<string | undefined> {
    const receipt = (await this.send("eth_getTransactionReceipt", hash)) as {
      contractAddress?: string | null;
    } | null;
    return receipt?.contractAddress ? getAddress(receipt.contractAddress) : undefined;
  }

  async logs(filter: {
    address: string | readonly string[];
    topics?: readonly (string | readonly string[] | null)[];
    from: number;
    to: number;
  }): Promise<Log[]> {
    const { address, topics = [], from, to } = filter;
    const logs = (await this.send("eth_getLogs", {
      ...{ address, topics },
      ...{ fromBlock: hex(from), toBlock: hex(to) },
    })) as RawLog[];
    return logs.map((log) => ({
      address: getAddress(log.address),
      topics: log.topics,
      data: log.data,
      block: Number(log.blockNumber),
      index: Number(log.logIndex),
      transaction: log.transactionHash,
    }));
  }
}

const hex = (value: number): string => `0x${value.toString(16)}`;

const toTransaction = (raw: RawTransaction): Transaction => ({
  hash: raw.hash,
  from: getAddress(raw.from),
  to: raw.to ? getAddress(raw.to) : null,
  nonce: Number(raw.nonce),
  input: raw.input,
  block: Number(raw.blockNumber),
});
