import { readCommercePayload } from "@haca/protocol/commercePayload";
import {
  COMMERCE_DEPLOYMENTS,
  type CommerceDeployment,
  type CommerceJob,
  type CommerceOffer,
  paymentForOffer,
  requestOfEnds,
} from "@haca/protocol/commercePayments";
import { ESCROW_KINDS } from "@haca/protocol/inferenceEscrow";
import { decodePaymentSignatureHeader } from "@x402/core/http";
import { type Contract, ContractFactory, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import type { TeeChain } from "./teeChain.ts";

const ETHER = "0x56bc75e2d63100000";
/** As `ICommerceOperator.Status` numbers them. */
export const OPERATOR_STATUS = { none: 0n, open: 1n, captured: 2n, returned: 3n };

/** The public escrow that operators are over here: the one that stock clients take where they are told of none. */
export const [DEPLOYMENT] = COMMERCE_DEPLOYMENTS as readonly [CommerceDeployment];

/** What makes operators, beside the escrow. Returns its address. */
export async function deployOperators(tee: TeeChain, escrow: Contract): Promise<string> {
  const { abi, bytecode } = readArtifact("CommerceOperators");
  const factory = new ContractFactory(abi as [], bytecode, tee.chain.owner);
  const { escrow: commerce, erc3009Collector, permit2Collector } = DEPLOYMENT;
  const made = await factory.deploy(escrow.target, commerce, erc3009Collector, permit2Collector);
  return String((await made.waitForDeployment()).target);
}

/** An operator of a node whose enclave's results count, alone and in pages. */
export async function createOperator(parameters: {
  tee: TeeChain;
  escrow: Contract;
  /** of CommerceOperators */
  operators: string;
  node: string;
  payee: string;
  token: string;
}): Promise<ContractOf<"CommerceOperator">> {
  const { escrow, node, payee, tee, token } = parameters;
  const runner = tee.chain.owner;
  const operators = contractAt({ name: "CommerceOperators", address: parameters.operators, runner });
  const known = contractAt({ name: "InferenceEscrow", address: String(escrow.target), runner });
  const [feeBps, feeReceiver] = await known.fee();
  const kinds = ESCROW_KINDS.tee | ESCROW_KINDS.teePage;
  const terms = { node, payee, token, feeReceiver, feeBps, kinds };
  await (await operators.create(terms)).wait();
  const address = await operators.operatorOf(terms);
  return contractAt({ name: "CommerceOperator", address, runner });
}

type Paid = { job: CommerceJob; collector: string; signature: string };

/** The job of a payment, and what opens it. */
export function paidBy(accepted: object, payload: unknown): Paid {
  const offer = accepted as CommerceOffer & {
    extra: { receiverAuthorizer: string; policy: string };
  };
  const read = readCommercePayload(payload);
  const requestHash = requestOfEnds(offer.extra);
  if (read === undefined || requestHash === undefined) throw new Error("no payment of the scheme");
  const { collector, saltNonce, signature } = read;
  return { job: { payment: paymentForOffer({ offer, ...read }), requestHash, saltNonce }, collector, signature };
}

/** The same of a header. */
export function paidByHeader(header: string): Paid {
  const { accepted, payload } = decodePaymentSignatureHeader(header);
  return paidBy(accepted, payload);
}

/** Opens the job of a payment, as somebody who has seen its header. Returns the transaction. */
export async function openAsStranger(tee: TeeChain, header: string): Promise<string> {
  const { collector, job, signature } = paidByHeader(header);
  const stranger = new Wallet(Wallet.createRandom().privateKey, tee.chain.provider);
  await tee.chain.send("anvil_setBalance", stranger.address, ETHER);
  const address = job.payment.operator;
  const operator = contractAt({ name: "CommerceOperator", address, runner: stranger });
  const sent = await operator.open(job, collector, signature);
  await sent.wait();
  return sent.hash;
}
