import { inferenceEscrowAbi, inferenceSettlementAbi, opgAbi } from "@haca/protocol/abi";
import type { EscrowJob } from "@haca/protocol/escrowCalls";
import {
  ESCROW_KINDS,
  type EscrowTerms,
  escrowFacilitator,
  escrowJobId,
  permit2Domain,
} from "@haca/protocol/inferenceEscrow";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import {
  PERMIT2_ADDRESS,
  UPTO_PERMIT_TYPES,
  UPTO_PROXY_ADDRESS,
} from "@haca/protocol/signedPayments";
import { id, Wallet } from "ethers";
import {
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  type Hex,
  maxUint256,
  toHex,
} from "viem";
import { uptoCodes } from "../../../testing/uptoContracts.ts";
import type { Contracts } from "./deployContracts.ts";
import { deployOn, deployOne } from "./deployOn.ts";
import type { Token } from "./deployToken.ts";
import type { Chain } from "./startChain.ts";
import type { TeeNode } from "./teeOperations.ts";
import { addressOf } from "./writeBook.ts";

const HOUR = 3_600n;
const WEALTH = 10n ** 24n;
const TEE = 2;
export const FEE_BPS = 250;
/** All that is permitted of a job, and the price of its result. */
export const MOST = 5_000n;
export const PRICE = 2_000n;

/** Deploys the escrow, over code in the place of x402's proxy that the first job replaces. */
export async function deployEscrow(parameters: { chain: Chain; contracts: Contracts; pages: Hex }) {
  const { chain, contracts, pages } = parameters;
  await chain.client.setCode({ address: UPTO_PROXY_ADDRESS, bytecode: "0x00" });
  const manager = addressOf(contracts.deployed.accessManager);
  const { inferenceEscrow } = await deployOn(chain, (module) => ({
    inferenceEscrow: module.contract("InferenceEscrow", [manager, pages, UPTO_PROXY_ADDRESS]),
  }));
  return inferenceEscrow;
}

/** What can happen to payments. The first account allows tokens and sets the fee. */
export function escrowOperations(parameters: {
  chain: Chain;
  contracts: Contracts;
  token: Token;
  escrow: Hex;
}) {
  const { chain, contracts, escrow, token } = parameters;
  const chainId = BigInt(chain.client.chain.id);
  const payer = new Wallet(id("payer of the escrow"));
  const [owner, , payee, feeReceiver] = chain.accounts as [Hex, Hex, Hex, Hex];

  const call = <Name extends ContractFunctionName<typeof inferenceEscrowAbi, "nonpayable">>(
    functionName: Name,
    args: ContractFunctionArgs<typeof inferenceEscrowAbi, "nonpayable", Name>,
    from?: Hex,
  ) =>
    chain.send({
      to: escrow,
      data: encodeFunctionData({ abi: inferenceEscrowAbi, functionName, args } as never),
      ...(from === undefined ? {} : { from }),
    });

  const read = <Name extends ContractFunctionName<typeof inferenceEscrowAbi, "view" | "pure">>(
    functionName: Name,
    args: ContractFunctionArgs<typeof inferenceEscrowAbi, "view" | "pure", Name>,
  ) =>
    chain.client.readContract({
      ...{ abi: inferenceEscrowAbi, address: escrow, functionName, args },
    } as never) as Promise<unknown>;

  const onToken = (to: Hex, from: Hex, functionName: string, args: readonly unknown[]) =>
    token.call({ to, abi: opgAbi, functionName, args, from });

  /** Has a token taken, of which the payer has some that Permit2 may move. */
  const allow = async (address: Hex, holder: Hex) => {
    await call("setToken", [address, true]);
    await onToken(address, holder, "transfer", [payer.address, WEALTH]);
    const account = payer.address as Hex;
    await chain.client.impersonateAccount({ address: account });
    await chain.client.setBalance({ address: account, value: 10n ** 18n });
    await onToken(address, account, "approve", [PERMIT2_ADDRESS, maxUint256]);
  };

  /** Permit2, the proxy, a fee, OPG, and a second token, whose address it returns. */
  const prepare = async (): Promise<Hex> => {
    for (const [address, bytecode] of Object.entries(uptoCodes())) {
      await chain.client.setCode({ address: address as Hex, bytecode: bytecode as Hex });
    }
    await call("setFee", [FEE_BPS, feeReceiver]);
    await allow(token.opg.address, token.liquidity);
    const other = await deployOne({ chain, name: "OPG", arguments: [owner, owner] });
    await allow(other, owner);
    return other;
  };

  /** Opens a job for a TEE result of a node, with a permit of the payer. */
  const open = async (options: { node: TeeNode; nonce: bigint; token?: Hex }) => {
    const { node, nonce } = options;
    const { timestamp } = await chain.client.getBlock();
    const terms: EscrowTerms = {
      ...{ node: nodeOfEnclave(node.enclave.teeId), payee, requestHash: id(`question ${nonce}`) },
      ...{ token: options.token ?? token.opg.address, feeBps: BigInt(FEE_BPS) },
      ...{ kinds: ESCROW_KINDS.tee, captureWindow: HOUR },
    };
    const domain = permit2Domain({ chainId, permit2: PERMIT2_ADDRESS });
    const facilitator = escrowFacilitator({ escrow, terms });
    const times = { validAfter: 0n, validUntil: timestamp + HOUR };
    const signature = await payer.signTypedData(domain, UPTO_PERMIT_TYPES, {
      permitted: { token: terms.token, amount: MOST },
      ...{ spender: UPTO_PROXY_ADDRESS, nonce, deadline: times.validUntil },
      witness: { to: escrow, facilitator, validAfter: times.validAfter },
    });
    const paid = { payer: payer.address, amount: MOST, nonce };
    const receipt = await call("open", [terms, { ...paid, ...times, signature }] as never);
    const { timestamp: openedAt } = await chain.client.getBlock({ blockHash: receipt.blockHash });
    const job: EscrowJob = { terms, ...paid, deadline: openedAt + HOUR, feeReceiver };
    return { job, jobId: escrowJobId(job) as Hex, receipt };
  };

  /** Settles a result of a node alone. */
  const settle = async (options: {
    node: TeeNode;
    nonce: bigint;
    requester: string;
    requestHash: string;
  }): Promise<InferenceResult> => {
    const { node, nonce, requester, requestHash: inputHash } = options;
    const { timestamp } = await chain.client.getBlock();
    const result = {
      requestId: encodeRequestId({ node: nodeOfEnclave(node.enclave.teeId), nonce }),
      ...{ modelVersion: contracts.versionId(1, 0), inputHash, requester, price: PRICE },
      ...{ outputHash: id(`answer ${nonce}`), timestamp, teeId: node.enclave.teeId },
    };
    const digest = hashResult({ domain: contracts.domain, result });
    const signature = toHex(node.enclave.sign(digest as Hex));
    await chain.send({
      to: addressOf(contracts.deployed.inferenceSettlement),
      data: encodeFunctionData({
        ...{ abi: inferenceSettlementAbi, functionName: "settleTee" },
        args: [result, signature] as never,
      }),
    });
    return result;
  };

  /** Settles the result that a job waits for, and captures it; returns the request's id. */
  const capture = async (options: { node: TeeNode; job: EscrowJob }): Promise<Hex> => {
    const { job, node } = options;
    const result = await settle({
      ...{ node, nonce: 9_000_000n + job.nonce, requester: job.payer },
      requestHash: job.terms.requestHash,
    });
    await call("capture", [job, result, TEE] as never);
    return result.requestId as Hex;
  };

  /** Does something while a token fails every transfer. */
  const whileBroken = async <Result>(broken: Hex, work: () => Promise<Result>): Promise<Result> => {
    const code = await chain.client.getCode({ address: broken });
    await chain.client.setCode({ address: broken, bytecode: "0x" });
    const result = await work();
    await chain.client.setCode({ address: broken, bytecode: code ?? "0x" });
    return result;
  };

  return { call, capture, feeReceiver, open, payee, payer, prepare, read, settle, whileBroken };
}
export type EscrowOperations = ReturnType<typeof escrowOperations>;
