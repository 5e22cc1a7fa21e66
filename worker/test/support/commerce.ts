import {
  COMMERCE_DEPLOYMENTS,
  COMMERCE_SCHEME,
  type CommerceDeployment,
} from "@haca/protocol/commerceEscrows";
import { readCommercePayload } from "@haca/protocol/commercePayload";
import {
  type CommerceJob,
  type CommerceOffer,
  endsOfRequest,
  paymentForOffer,
  requestOfEnds,
} from "@haca/protocol/commercePayments";
import { ESCROW_KINDS } from "@haca/protocol/inferenceEscrow";
import { decodePaymentSignatureHeader } from "@x402/core/http";
import type { PaymentRequirements } from "@x402/core/types";
import { PERMIT2_ADDRESS } from "@x402/evm";
import { AbiCoder, type Contract, ContractFactory, concat, Wallet, ZeroAddress } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { compileGenuineCommerce } from "../../../test/contracts/utils/genuineCommerce.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import { type PaidScheme, schemeClient } from "./schemeClient.ts";
import type { TeeChain } from "./teeChain.ts";

const ETHER = "0x56bc75e2d63100000";
/** As `ICommerceOperator.Status` numbers them. */
export const OPERATOR_STATUS = { none: 0n, open: 1n, captured: 2n, returned: 3n };

/** The genuine contracts are of version 1.0, at hand where this is set; else a stand-in of 1.1, which stock clients take first. */
const isGenuine = Boolean(process.env.HACA_COMMERCE_PAYMENTS);
const [LATEST, FIRST] = COMMERCE_DEPLOYMENTS as readonly [CommerceDeployment, CommerceDeployment];
/** The public escrow that operators are over here. */
export const DEPLOYMENT = isGenuine ? FIRST : LATEST;
/** One that they are not over. */
export const OTHER_DEPLOYMENT = isGenuine ? LATEST : FIRST;

/** Puts the genuine contracts where they are published: each is made there, by what is put there before. */
async function placeGenuine({ chain }: TeeChain): Promise<void> {
  const codes = compileGenuineCommerce();
  const place = async (address: string, name: keyof typeof codes, ...values: string[]) => {
    const types = values.map(() => "address");
    const given = AbiCoder.defaultAbiCoder().encode(types, values);
    await chain.send("anvil_setCode", address, concat([codes[name].bytecode, given]));
    const code = await chain.provider.call({ to: address });
    // What the constructor makes stays.
    const made = await chain.owner.sendTransaction({ to: address, gasLimit: 5_000_000n });
    await made.wait();
    await chain.send("anvil_setCode", address, code);
  };
  const { erc3009Collector, escrow, permit2Collector } = DEPLOYMENT;
  await place(escrow, "AuthCaptureEscrow");
  await place(erc3009Collector, "ERC3009PaymentCollector", escrow, ZeroAddress);
  await place(permit2Collector, "Permit2PaymentCollector", escrow, PERMIT2_ADDRESS, ZeroAddress);
}

/** What makes operators, beside the escrow. Returns its address. */
export async function deployOperators(tee: TeeChain, escrow: Contract): Promise<string> {
  if (isGenuine) await placeGenuine(tee);
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
  const operators = contractAt({
    name: "CommerceOperators",
    address: parameters.operators,
    runner,
  });
  const known = contractAt({ name: "InferenceEscrow", address: String(escrow.target), runner });
  const [feeBps, feeReceiver] = await known.fee();
  const kinds = ESCROW_KINDS.tee | ESCROW_KINDS.teePage;
  const terms = { node, payee, token, feeReceiver, feeBps, kinds };
  await (await operators.create(terms)).wait();
  const address = await operators.operatorOf(terms);
  return contractAt({ name: "CommerceOperator", address, runner });
}

/** Something that answers as an operator does, at an address that is not made of its terms. */
export async function copyOf(tee: TeeChain, operator: string): Promise<string> {
  const copy = Wallet.createRandom().address;
  const { chain } = tee;
  await chain.send("anvil_setCode", copy, await chain.provider.getCode(operator));
  return copy;
}

type Paid = { job: CommerceJob; collector: string; signature: string };

/** An offer as a gateway makes it, for whatever request; and otherwise, where a test says so. */
export function offerOf(
  of: {
    operator: string;
    token: string;
    amount: bigint;
    requestHash: string;
    /** unix seconds */
    captureDeadline: bigint;
  },
  changes: Partial<PaymentRequirements> = {},
  extra: object = {},
): PaymentRequirements {
  const captureDeadline = Number(of.captureDeadline);
  return {
    ...{ scheme: COMMERCE_SCHEME, network: "eip155:31337", asset: of.token, payTo: of.operator },
    ...{ amount: String(of.amount), maxTimeoutSeconds: 300, ...changes },
    extra: {
      ...{ name: "OPG", version: "1", authCaptureEscrow: DEPLOYMENT.escrow },
      ...{ captureAuthorizer: of.operator, paymentFlow: "escrow" },
      ...{ ...endsOfRequest(of.requestHash), feeRecipient: ZeroAddress },
      ...{ captureDeadline, refundDeadline: captureDeadline, minFeeBps: 0, maxFeeBps: 0 },
      ...extra,
    },
  };
}

/** What the stock client signs for an offer. */
export async function signOffer(
  payer: Wallet,
  made: PaymentRequirements,
  scheme: PaidScheme = COMMERCE_SCHEME,
): Promise<Record<string, unknown>> {
  const { payload } = await schemeClient(payer, scheme).createPaymentPayload(2, made as never);
  return payload as Record<string, unknown>;
}

/** The job of a payment, and what opens it. */
export function paidBy(accepted: object, payload: unknown): Paid {
  const offer = accepted as CommerceOffer & {
    extra: { receiverAuthorizer: string; policy: string };
  };
  const read = readCommercePayload(payload);
  const requestHash = requestOfEnds(offer.extra);
  if (read === undefined || requestHash === undefined) throw new Error("no payment of the scheme");
  const { collector, saltNonce, signature } = read;
  return {
    job: { payment: paymentForOffer({ offer, ...read }), requestHash, saltNonce },
    collector,
    signature,
  };
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
