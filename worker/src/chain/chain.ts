import {
  dataFeedsAbi,
  inferenceSettlementAbi,
  modelRegistryAbi,
  pageSettlementAbi,
  validatorStakingAbi,
} from "@haca/protocol/abi";
import { placeInLedger } from "@haca/protocol/requestId";
import { Interface, type JsonRpcProvider, type TypedDataDomain, ZeroAddress } from "ethers";
import { RetryableError } from "../errors.ts";

/** One deployment on one chain, as the roles see it. */
export type Chain = {
  provider: JsonRpcProvider;
  chainId: bigint;
  genesisHash: string;
  settlement: string;
  modelRegistry: string;
  /** absent where the deployment has none */
  pageSettlement?: string;
  /** InferenceEscrow; absent where the deployment has none */
  escrow?: string;
  /** address of CommerceOperators; absent where the address book has none */
  commerceOperators?: string;
  /** address of ChannelGates; absent where the address book has none */
  channelGates?: string;
  /** EIP-712 domain of the settlement contract */
  domain: TypedDataDomain;
};

export const settlementInterface = new Interface(inferenceSettlementAbi);
export const registryInterface = new Interface(modelRegistryAbi);
export const pageInterface = new Interface(pageSettlementAbi);
export const stakingInterface = new Interface(validatorStakingAbi);
export const feedsInterface = new Interface(dataFeedsAbi);

const INTERFACES = {
  settlement: settlementInterface,
  modelRegistry: registryInterface,
  pageSettlement: pageInterface,
} as const;

/**
 * Calls a view and returns its results in order. Errors are those of the provider.
 * @throws RetryableError `rpc.emptyAnswer` where the endpoint answers `0x`: it does not have the contract's state
 */
export async function callView(parameters: {
  chain: Chain;
  contract: keyof typeof INTERFACES;
  name: string;
  values: readonly unknown[];
  /** number of the block whose state is asked; the latest where absent */
  block?: number;
}): Promise<readonly unknown[]> {
  const { block, chain, contract, name, values } = parameters;
  const abi = INTERFACES[contract];
  const to = chain[contract] ?? ZeroAddress;
  const answer = await chain.provider.call({
    to,
    data: abi.encodeFunctionData(name, values),
    ...(block === undefined ? {} : { blockTag: block }),
  });
  requireAnswer({ answer, name, to });
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

/**
 * Which requests the chain shows as settled in a block, by whatever transactions. Of several, those that are taken at all
 * are found by a question for each 256 nonces of a node, and asked for one by one only then.
 */
export async function settledAmong(parameters: {
  chain: Chain;
  requestIds: readonly string[];
  block: number;
}): Promise<Set<string>> {
  const { block, chain, requestIds } = parameters;
  const settled = new Set<string>();
  const pages = new Map<bigint, bigint>();
  for (const requestId of requestIds) {
    const { page, bit } = placeInLedger(requestId);
    if (requestIds.length > 1) {
      let taken = pages.get(page);
      if (taken === undefined) {
        const view = { chain, contract: "settlement", name: "occupied", values: [page] } as const;
        [taken] = (await callView({ ...view, block })) as [bigint];
        pages.set(page, taken);
      }
      if ((taken & bit) === 0n) continue;
    }
    if (await isSettled({ chain, requestId, block })) settled.add(requestId);
  }
  return settled;
}
