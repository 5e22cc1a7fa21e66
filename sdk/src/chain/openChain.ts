import type { AsOf } from "../line.ts";
import { callRpc, chainError } from "./jsonRpc.ts";

/** A chain at one block, as several endpoints that agree say it is. */
export type Chain = {
  block: { number: bigint; hash: string; time: bigint };
  asOf: AsOf;
  source: string;
  /** What a contract answers there; throws `chain.*` where one endpoint does not answer, or answers something else. */
  call: (to: string, data: string) => Promise<string>;
  /** Events up to that block, from the first one on that is not before a time; throws as `call`. */
  logs: (filter: LogFilter) => Promise<readonly Log[]>;
};

export type LogFilter = {
  address: string;
  /** alternatives for each of an event's topics */
  topics: readonly (readonly string[])[];
  /** unix seconds */
  since: bigint;
};

export type Log = { topics: readonly string[]; data: string };

/** The last block there is, or the last one that the chain's validators have finalised. */
export type Head = "latest" | "finalized";

const HASH = /^0x[0-9a-f]{64}$/;
const BYTES = /^0x(?:[0-9a-f]{2})*$/;
const QUANTITY = /^0x(?:0|[1-9a-f][0-9a-f]*)$/;

/**
 * The latest block that all endpoints have, or have as finalised, by its hash (EIP-1898): with one of them, what it says is
 * trusted.
 * @throws BaseError `chain.*`: without endpoints, of another chain, where one does not answer, or where they disagree
 */
export async function openChain(parameters: {
  rpcs: readonly string[];
  chainId: string;
  head?: Head;
}): Promise<Chain> {
  const { rpcs, chainId, head = "latest" } = parameters;
  if (rpcs.length === 0) throw chainError("none", "no RPC was given");
  const all = async (method: string, params: readonly unknown[]): Promise<unknown[]> =>
    Promise.all(rpcs.map((url) => callRpc({ url, method, params })));

  for (const id of await all("eth_chainId", [])) {
    if (quantity(id) !== BigInt(chainId)) {
      throw chainError("otherChain", `an RPC is of chain ${quantity(id)}, not ${chainId}`);
    }
  }
  const heads =
    head === "latest"
      ? (await all("eth_blockNumber", [])).map(quantity)
      : (await all("eth_getBlockByNumber", [head, false])).map((found) => readBlock(found).number);
  const [number = 0n] = heads.sort((a, b) => (a < b ? -1 : 1));
  const blockAt = async (wanted: bigint): Promise<Chain["block"]> => {
    const blocks = await all("eth_getBlockByNumber", [hexOf(wanted), false]);
    const found = agreed(blocks.map(readBlock), "on a block");
    if (found.number === wanted) return found;
    throw chainError("badAnswer", "an RPC answers with another block");
  };
  const block = await blockAt(number);
  const at = { blockHash: block.hash, requireCanonical: true };
  return {
    block,
    asOf: {
      type: "block",
      ...{ number: String(number), hash: block.hash, time: String(block.time) },
    },
    source: rpcs.length === 1 ? "trusts 1 RPC" : `${rpcs.length} RPCs that agree`,
    async call(to, data) {
      const answers = await all("eth_call", [{ to, data }, at]);
      return agreed(answers.map(readBytes), "on what a contract answers");
    },
    async logs({ address, topics, since }) {
      let [from, to] = [0n, number];
      while (from < to) {
        const middle = (from + to) / 2n;
        if ((await blockAt(middle)).time < since) from = middle + 1n;
        else to = middle;
      }
      const filter = { address, topics, fromBlock: hexOf(from), toBlock: hexOf(number) };
      const answers = (await all("eth_getLogs", [filter])).map(readLogs);
      const [first = []] = answers;
      agreed(
        answers.map((logs) => JSON.stringify(logs)),
        "on what happened",
      );
      return first;
    },
  };
}

const hexOf = (value: bigint): string => `0x${value.toString(16)}`;

function agreed<T extends string | { hash: string; number: bigint; time: bigint }>(
  answers: readonly T[],
  about: string,
): T {
  const [first, ...others] = answers;
  const textOf = (answer: T): string =>
    typeof answer === "string" ? answer : `${answer.hash} ${answer.number} ${answer.time}`;
  if (first !== undefined && others.every((other) => textOf(other) === textOf(first))) return first;
  throw chainError("disagreement", `the RPCs do not agree ${about}`);
}

function quantity(value: unknown): bigint {
  if (typeof value === "string" && QUANTITY.test(value.toLowerCase())) return BigInt(value);
  throw chainError("badAnswer", "an RPC answers no number where one belongs");
}

function readBlock(value: unknown): Chain["block"] {
  const field = (name: string): unknown =>
    typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  const hash = field("hash");
  if (typeof hash !== "string" || !HASH.test(hash.toLowerCase())) {
    throw chainError("badAnswer", "an RPC does not have a block that another has");
  }
  const [number, time] = [quantity(field("number")), quantity(field("timestamp"))];
  return { hash: hash.toLowerCase(), number, time };
}

function readBytes(value: unknown): string {
  if (typeof value === "string" && BYTES.test(value.toLowerCase())) return value.toLowerCase();
  throw chainError("badAnswer", "an RPC answers no bytes where some belong");
}

function readLogs(value: unknown): readonly Log[] {
  if (!Array.isArray(value)) throw chainError("badAnswer", "an RPC answers no list of events");
  return value.map((log) => {
    const field = (name: string): unknown =>
      typeof log === "object" && log !== null ? Reflect.get(log, name) : undefined;
    const topics = field("topics");
    if (!Array.isArray(topics)) throw chainError("badAnswer", "an RPC answers no event");
    return { topics: topics.map(readBytes), data: readBytes(field("data")) };
  });
}
