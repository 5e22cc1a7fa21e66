import { commerceOperatorAbi, commerceOperatorsAbi } from "@haca/protocol/abi";
import { COMMERCE_DEPLOYMENTS, type CommerceDeployment } from "@haca/protocol/commerceEscrows";
import {
  type CommerceJob,
  commerceHash,
  commerceNonce,
  commerceSalt,
} from "@haca/protocol/commercePayments";
import { ESCROW_KINDS } from "@haca/protocol/inferenceEscrow";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { RECEIVE_TYPES } from "@haca/protocol/signedPayments";
import { id } from "ethers";
import { concat, encodeFunctionData, type Hex, zeroAddress } from "viem";
import { REFUSING_ESCROW } from "../../../scripts/deploy/chain/refusingEscrow.ts";
import { deployOn } from "./deployOn.ts";
import type { Token } from "./deployToken.ts";
import { type EscrowOperations, FEE_BPS, MOST } from "./escrowOperations.ts";
import type { Chain } from "./startChain.ts";
import type { TeeNode } from "./teeOperations.ts";

const HOUR = 3_600n;
const TEE = 2;
const [PUBLISHED] = COMMERCE_DEPLOYMENTS as readonly [CommerceDeployment];
const COLLECTORS = [PUBLISHED.erc3009Collector, PUBLISHED.permit2Collector] as const;
/** Code that reverts when its first argument is an account, and answers 1 to everything else. */
const refusing = (account: Hex): Hex =>
  concat(["0x60043573", account, "0x1460245760015f5260205ff35b5f5ffd"]);

/** Deploys what makes operators, over code in the place of the public escrow that `prepare` of the escrow replaces. */
export async function deployOperators(parameters: { chain: Chain; escrow: Hex }) {
  const { chain, escrow } = parameters;
  const set = (address: string, bytecode: string) =>
    chain.client.setCode({ address: address as Hex, bytecode: bytecode as Hex });
  await set(PUBLISHED.escrow, REFUSING_ESCROW);
  for (const collector of COLLECTORS) await set(collector, "0x00");
  const { commerceOperators } = await deployOn(chain, (module) => ({
    commerceOperators: module.contract("CommerceOperators", [
      ...[escrow, PUBLISHED.escrow, ...COLLECTORS],
    ]),
  }));
  return commerceOperators;
}

/** What can happen to payments in the public escrow, once the escrow is prepared. */
export function commerceOperations(parameters: {
  chain: Chain;
  token: Token;
  escrow: EscrowOperations;
  operators: Hex;
}) {
  const { chain, escrow, operators } = parameters;
  const token = parameters.token.opg.address;
  const chainId = BigInt(chain.client.chain.id);
  const domain = { chainId, escrow: PUBLISHED.escrow };

  /** Makes an operator of a node in OPG, with the escrow's fee; returns its address. */
  const create = async (node: TeeNode): Promise<Hex> => {
    const terms = {
      ...{ node: nodeOfEnclave(node.enclave.teeId) as Hex, payee: escrow.payee, token },
      ...{ feeReceiver: escrow.feeReceiver, feeBps: FEE_BPS, kinds: Number(ESCROW_KINDS.tee) },
    };
    const on = { abi: commerceOperatorsAbi, args: [terms] } as const;
    await chain.send({
      to: operators,
      data: encodeFunctionData({ ...on, functionName: "create" }),
    });
    return chain.client.readContract({ ...on, address: operators, functionName: "operatorOf" });
  };

  const call = (operator: string, functionName: string, args: readonly unknown[], from?: Hex) =>
    chain.send({
      to: operator as Hex,
      data: encodeFunctionData({ abi: commerceOperatorAbi, functionName, args } as never),
      ...(from === undefined ? {} : { from }),
    });

  /** Opens a job of the payer's for a request that the nonce names. */
  const open = async (operator: Hex, nonce: bigint): Promise<CommerceJob> => {
    const { timestamp } = await chain.client.getBlock();
    const requestHash = id(`commerce question ${nonce}`);
    const job: CommerceJob = {
      payment: {
        ...{ operator, payer: escrow.payer.address, receiver: operator, token, maxAmount: MOST },
        ...{ preApprovalExpiry: timestamp + HOUR, authorizationExpiry: timestamp + 2n * HOUR },
        ...{ refundExpiry: timestamp + 3n * HOUR, minFeeBps: 0n, maxFeeBps: 5n },
        ...{ feeReceiver: zeroAddress, salt: commerceSalt({ requestHash, saltNonce: nonce }) },
      },
      ...{ requestHash, saltNonce: nonce },
    };
    const { payer, preApprovalExpiry } = job.payment;
    const signature = await escrow.payer.signTypedData(
      { name: "OPG", version: "1", chainId, verifyingContract: token },
      RECEIVE_TYPES,
      {
        ...{ from: payer, to: PUBLISHED.erc3009Collector, value: MOST, validAfter: 0n },
        ...{ validBefore: preApprovalExpiry, nonce: commerceNonce(domain, job.payment) },
      },
    );
    await call(operator, "open", [job, PUBLISHED.erc3009Collector, signature]);
    return job;
  };

  /** Settles the result that a job waits for and captures it; meanwhile OPG refuses to go to an account. */
  const capture = async (node: TeeNode, job: CommerceJob, refused?: Hex): Promise<Hex> => {
    const { payment, requestHash, saltNonce } = job;
    const result = await escrow.settle({
      ...{ node, nonce: 9_200_000n + saltNonce, requester: payment.payer, requestHash },
    });
    const code = await chain.client.getCode({ address: token });
    if (refused !== undefined) {
      await chain.client.setCode({ address: token, bytecode: refusing(refused) });
    }
    await call(payment.operator, "capture", [job, result, TEE]);
    await chain.client.setCode({ address: token, bytecode: code ?? "0x" });
    return result.requestId as Hex;
  };

  const hashOf = ({ payment }: CommerceJob): Hex => commerceHash(domain, payment) as Hex;

  return { call, capture, create, hashOf, open, token };
}
