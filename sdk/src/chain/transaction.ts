import { BaseError } from "@haca/protocol/baseError";
import { concatHex, keccak } from "../bytes.ts";
import { pause } from "../pause.ts";
import { keyOf } from "../pay/keySigner.ts";
import { rlpBytes, rlpList, rlpQuantity } from "../witness/encodeRlp.ts";
import { callRpc, chainError } from "./jsonRpc.ts";

/** A transaction of EIP-1559 that calls a contract and brings no ether. */
export type Transaction = {
  chainId: string;
  nonce: bigint;
  /** wei for a unit of gas, at most; of it to who makes the block */
  maxFee: bigint;
  tip: bigint;
  gas: bigint;
  to: string;
  data: string;
};

type Call = { rpc: string; chainId: string; from: string; to: string; data: string };

const TYPE = "0x02";
/** So much gas more than an endpoint says that it takes, in percent: what it touches may have changed by then. */
const GAS_MARGIN = 20n;
/** What a call here takes at most: beyond it an endpoint lies, or it is another contract. */
const MOST_GAS = 1_000_000n;
/** How often the base fee may have doubled until the transaction is in a block. */
const MOST_GROWTH = 2n;
const POLL_MS = 1_000;
const QUANTITY = /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/i;

/**
 * What an endpoint says that a call takes and costs now.
 * @throws BaseError `chain.refused` in the endpoint's words where the contract would refuse it; `chain.pending` where another
 *   transaction of the account is not in a block yet: it may be this very one; `chain.*`
 */
export async function prepareTransaction(call: Call): Promise<Transaction> {
  const { chainId, data, from, rpc: url, to } = call;
  const ask = async (method: string, ...params: readonly unknown[]): Promise<bigint> =>
    quantity(await callRpc({ url, method, params }), method);
  // The call first: whether it would be refused is what is worth being told.
  const estimate = await ask("eth_estimateGas", { from, to, data });
  const [nonce, pending, tip, baseFee] = await Promise.all([
    ask("eth_getTransactionCount", from, "latest"),
    ask("eth_getTransactionCount", from, "pending"),
    ask("eth_maxPriorityFeePerGas"),
    baseFeeAt(url),
  ]);
  if (nonce !== pending) {
    throw chainError(
      "pending",
      `a transaction of ${from} is on its way: wait until it is in a block`,
    );
  }
  const gas = (estimate * (100n + GAS_MARGIN)) / 100n;
  if (gas > MOST_GAS) throw chainError("badAnswer", `an RPC says that the call takes ${gas} gas`);
  return { chainId, nonce, tip, maxFee: MOST_GROWTH * baseFee + tip, gas, to, data };
}

async function baseFeeAt(url: string): Promise<bigint> {
  const block = await callRpc({ url, method: "eth_getBlockByNumber", params: ["latest", false] });
  const fee: unknown =
    typeof block === "object" && block !== null ? Reflect.get(block, "baseFeePerGas") : undefined;
  return quantity(fee, "eth_getBlockByNumber");
}

function quantity(value: unknown, method: string): bigint {
  if (typeof value === "string" && QUANTITY.test(value)) return BigInt(value);
  throw chainError("badAnswer", `an RPC answers no number to ${method}`);
}

/** The bytes that bring it, and its hash. @throws BaseError `option.wrong` */
export function signTransaction(
  transaction: Transaction,
  privateKey: string,
): { bytes: string; hash: string } {
  const { chainId, data, gas, maxFee, nonce, tip, to } = transaction;
  const fields = [
    ...[BigInt(chainId), nonce, tip, maxFee, gas].map(numberIn),
    ...[rlpBytes(to.toLowerCase()), numberIn(0n), rlpBytes(data), rlpList()],
  ];
  const { compact, recovery } = keyOf(privateKey).sign(keccak(TYPE, rlpList(...fields)));
  const [r, s] = [compact.slice(0, 64), compact.slice(64)].map((part) => rlpQuantity(`0x${part}`));
  const bytes = concatHex(
    TYPE,
    rlpList(...fields, numberIn(BigInt(recovery)), r as string, s as string),
  );
  return { bytes, hash: keccak(bytes) };
}

const numberIn = (value: bigint): string => rlpQuantity(`0x${value.toString(16)}`);

/**
 * Sends it, and waits until it is in a block; returns that block's number. An endpoint that is away in the meantime is asked again.
 * @param parameters.onSending told before it leaves: from then on it may be on its way, whatever comes
 * @throws BaseError `chain.reverted` where it is in a block and has done nothing; `chain.uncertain` where it may have been sent, and
 *   nobody says so; the reason of `signal`
 */
export async function sendTransaction(parameters: {
  rpc: string;
  signed: { bytes: string; hash: string };
  onSending: (hash: string) => void;
  signal: AbortSignal | undefined;
}): Promise<bigint> {
  const { onSending, rpc: url, signal, signed } = parameters;
  const { bytes, hash } = signed;
  const uncertain = (cause: unknown): BaseError => {
    const words = cause instanceof BaseError ? cause.message : String(cause);
    return chainError("uncertain", `${hash} may have been sent: ${words}`, cause);
  };
  onSending(hash);
  await callRpc({ url, method: "eth_sendRawTransaction", params: [bytes] }).catch((cause) => {
    throw uncertain(cause);
  });
  for (;;) {
    let receipt: unknown;
    try {
      receipt = await callRpc({ url, method: "eth_getTransactionReceipt", params: [hash] });
    } catch (error) {
      if (!isAway(error)) throw uncertain(error);
    }
    if (typeof receipt === "object" && receipt !== null) {
      const { block, status } = outcomeIn(receipt, uncertain);
      if (status === 1n) return block;
      throw chainError("reverted", `the transaction ${hash} is in block ${block}, and was refused`);
    }
    await pause(POLL_MS, signal);
  }
}

const isAway = (error: unknown): boolean =>
  error instanceof BaseError && ["chain.unreachable", "chain.refused"].includes(error.code);

function outcomeIn(
  receipt: object,
  uncertain: (cause: unknown) => BaseError,
): { block: bigint; status: bigint } {
  const read = (name: string): bigint =>
    quantity(Reflect.get(receipt, name), "eth_getTransactionReceipt");
  try {
    return { block: read("blockNumber"), status: read("status") };
  } catch (cause) {
    throw uncertain(cause);
  }
}
