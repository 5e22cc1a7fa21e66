import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { decodeRequestId } from "@haca/protocol/requestId";
import { Interface, type JsonRpcProvider, type TypedDataDomain } from "ethers";
import { RetryableError } from "../errors.ts";

/** One deployment on one chain, as the roles see it. */
export type Chain = {
  provider: JsonRpcProvider;
  chainId: bigint;
  genesisHash: string;
  settlement: string;
  modelRegistry: string;
  /** EIP-712 domain of the settlement contract */
  domain: TypedDataDomain;
};

export const settlementInterface = new Interface(inferenceSettlementAbi);
export const registryInterface = new Interface(modelRegistryAbi);

/**
 * Calls a view and returns its results in order. Errors are those of the provider.
 * @throws RetryableError `rpc.emptyAnswer` where the endpoint answers `0x`: it does not have the contract's state
 */
export async function callView(parameters: {
  chain: Chain;
  contract: "settlement" | "modelRegistry";
  name: string;
  values: readonly unknown[];
  /** number of the block whose state is asked; the latest where absent */
  block?: number;
}): Promise<readonly unknown[]> {
  const { block, chain, contract, name, values } = parameters;
  const abi = contract === "settlement" ? settlementInterface : registryInterface;
  const answer = await chain.provider.call({
    to: chain[contract],
    data: abi.encodeFunctionData(name, values),
    ...(block === undefined ? {} : { blockTag: block }),
  });
  requireAnswer({ answer, name, to: chain[contract] });
  return abi.decodeFunctionResult(name, answer).toArray();
}

/** A contract that is there answers a view with something; `0x` is an endpoint's way to say that it has no such state. */
export function requireAnswer(parameters: { answer: string; name: string; to: string }): void {
  const { answer, name, to } = parameters;
  if (answer !== "0x") return;
  throw new RetryableError({
    code: "rpc.emptyAnswer",
    message: `HACA_RPC_URL: the endpoint answers nothing to ${name} of ${to}: it lacks the state of that block`,
  });
}

/** Whether the chain shows a request as settled, by whatever transaction. */
export async function isSettled(parameters: {
  chain: Chain;
  requestId: string;
  /** number of the block whose state is asked; the latest where absent */
  block?: number;
}): Promise<boolean> {
  const { requestId, ...rest } = parameters;
  const [settled] = await callView({
    ...rest,
    contract: "settlement",
    name: "isSettled",
    values: [requestId],
  });
  return settled === true;
}

const PAGE = 256n;

/** Which requests the chain shows as settled in a block, by whatever transactions: 256 nonces of a node at a question. */
export async function settledAmong(parameters: {
  chain: Chain;
  requestIds: readonly string[];
  block: number;
}): Promise<Set<string>> {
  const { block, chain, requestIds } = parameters;
  const settled = new Set<string>();
  const [only] = requestIds;
  if (only !== undefined && requestIds.length === 1) {
    if (await isSettled({ chain, requestId: only, block })) settled.add(only);
    return settled;
  }
  const pages = new Map<string, bigint>();
  for (const requestId of requestIds) {
    const { node, nonce } = decodeRequestId(requestId);
    const page = nonce / PAGE;
    const key = `${node} ${page}`;
    let bitmap = pages.get(key);
    if (bitmap === undefined) {
      const values = [node, page];
      const name = "settledBitmap";
      [bitmap] = (await callView({ chain, contract: "settlement", name, values, block })) as [
        bigint,
      ];
      pages.set(key, bitmap);
    }
    if (((bitmap >> (nonce % PAGE)) & 1n) === 1n) settled.add(requestId);
  }
  return settled;
}
