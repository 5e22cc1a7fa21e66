import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import {
  type CommerceJob,
  type CommercePayment,
  commerceNonce,
  commerceSalt,
  type OperatorTerms,
} from "@haca/protocol/commercePayments";
import { permit2Domain } from "@haca/protocol/inferenceEscrow";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { PERMIT_TYPES, PERMIT2_ADDRESS, RECEIVE_TYPES } from "@haca/protocol/signedPayments";
import { Interface, id, MaxUint256, type Wallet, ZeroAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { standInCodes } from "../../../testing/uptoContracts.ts";
import { now } from "./attestationFixture.ts";
import { deployMock } from "./deployMock.ts";
import { ALL_KINDS, deployEscrow, type EscrowFixture, MOST, REQUEST } from "./escrowFixture.ts";
import { compileGenuineCommerce, whyNoGenuineCommerce } from "./genuineCommerce.ts";
import { DAY, HOUR } from "./pageFixture.ts";

/** Stand-ins of both versions of the public escrow, and the genuine one, where its sources are at hand. */
export const VARIANTS = ["1.1", "1.0", "genuine"] as const;
export type Variant = (typeof VARIANTS)[number];

/** Skips a suite of a variant that cannot be tested here, and says why. */
export function skipWhereMissing(suite: { skip: () => void }, variant: Variant): void {
  if (variant !== "genuine" || whyNoGenuineCommerce === undefined) return;
  console.log(`      skipped: ${whyNoGenuineCommerce}`);
  suite.skip();
}

/** As `ICommerceOperator.Status` counts. */
export const OPERATOR_STATUS = { None: 0n, Open: 1n, Captured: 2n, Returned: 3n };
export const WINDOW = 6n * DAY;

/** What the public escrow has besides what operators call of it. */
export const COMMERCE_BESIDES = new Interface([
  "function reclaim((address operator,address payer,address receiver,address token,uint120 maxAmount,uint48 preApprovalExpiry,uint48 authorizationExpiry,uint48 refundExpiry,uint16 minFeeBps,uint16 maxFeeBps,address feeReceiver,uint256 salt))",
  "error PaymentAlreadyCollected(bytes32 paymentInfoHash)",
  "error AfterPreApprovalExpiry(uint48 timestamp, uint48 expiry)",
]);

type Addresses = { escrow: string; erc3009Collector: string; permit2Collector: string };

/** The public escrow with its collectors, what makes operators over it, and one for the enclave's node in OPG. */
export async function deployCommerce(connection: NetworkConnection, variant: Variant) {
  const base = await deployEscrow(connection);
  const addresses = await publicEscrow(base, variant);
  const { escrow: at, erc3009Collector, permit2Collector } = addresses;
  const operators = await base.ethers.deployContract("CommerceOperators", [
    ...([await base.escrow.getAddress(), at, erc3009Collector, permit2Collector] as const),
  ]);
  const terms = await operatorTerms(base);
  await operators.create(terms);
  const commerceOperator = await base.ethers.getContractAt(
    "CommerceOperator",
    await operators.operatorOf(terms),
  );
  const commerce = await base.ethers.getContractAt("ICommerceEscrow", at, base.attacker);
  return { ...base, commerce, addresses, operators, commerceOperator, operatorTerms: terms };
}
export type CommerceFixture = Awaited<ReturnType<typeof deployCommerce>>;

async function publicEscrow(f: EscrowFixture, variant: Variant): Promise<Addresses> {
  if (variant !== "genuine") {
    const found = COMMERCE_DEPLOYMENTS.find(({ version }) => version === variant);
    if (found === undefined) throw new Error(`no version ${variant}`);
    const { escrow, erc3009Collector, permit2Collector } = found;
    for (const address of [escrow, erc3009Collector, permit2Collector]) {
      await f.networkHelpers.setCode(address, standInCodes()[address] ?? "0x");
    }
    return { escrow, erc3009Collector, permit2Collector };
  }
  const codes = compileGenuineCommerce();
  const deploy = async (name: keyof typeof codes, values: unknown[]) => {
    const { abi, bytecode } = codes[name];
    const factory = new f.ethers.ContractFactory(abi as never, bytecode, f.attacker);
    return (await factory.deploy(...values)).getAddress();
  };
  const escrow = await deploy("AuthCaptureEscrow", []);
  // No payer's signature here makes it call anybody.
  const multicall = ZeroAddress;
  return {
    escrow,
    erc3009Collector: await deploy("ERC3009PaymentCollector", [escrow, multicall]),
    permit2Collector: await deploy("Permit2PaymentCollector", [escrow, PERMIT2_ADDRESS, multicall]),
  };
}

/** Terms of an operator of the enclave's node. */
export async function operatorTerms(
  f: EscrowFixture,
  overrides: Partial<OperatorTerms> = {},
): Promise<OperatorTerms> {
  const [feeBps, feeReceiver] = await f.escrow.fee();
  return {
    ...{ node: nodeOfEnclave(f.enclave.teeId), payee: f.seller.address, feeReceiver, feeBps },
    ...{ token: await f.token.getAddress(), kinds: ALL_KINDS, ...overrides },
  };
}

/** Makes another operator. */
export async function makeOperator(f: CommerceFixture, overrides: Partial<OperatorTerms>) {
  const terms = await operatorTerms(f, overrides);
  await f.operators.create(terms);
  return f.commerceOperator.attach(
    await f.operators.operatorOf(terms),
  ) as CommerceFixture["commerceOperator"];
}

export type JobOptions = {
  payer?: Wallet;
  operator?: CommerceFixture["commerceOperator"];
  requestHash?: string;
  saltNonce?: bigint;
  payment?: Partial<CommercePayment>;
};

/** A job of the payer's for the enclave's answer, as a stock client would make its payment. */
export async function commerceJob(
  f: CommerceFixture,
  options: JobOptions = {},
): Promise<CommerceJob> {
  const { payer = f.payer, operator = f.commerceOperator, requestHash = REQUEST } = options;
  const { saltNonce = BigInt(id("salt")), payment } = options;
  const time = await now(f);
  const address = await operator.getAddress();
  return {
    payment: {
      ...{ operator: address, payer: payer.address, receiver: address },
      ...{ token: (await operator.terms()).token, maxAmount: MOST },
      ...{ preApprovalExpiry: time + HOUR, authorizationExpiry: time + WINDOW },
      ...{ refundExpiry: time + WINDOW, minFeeBps: 0n, maxFeeBps: 0n, feeReceiver: ZeroAddress },
      ...{ salt: commerceSalt({ requestHash, saltNonce }), ...payment },
    },
    requestHash,
    saltNonce,
  };
}

const domainOf = (f: CommerceFixture) => ({
  chainId: f.chainId,
  escrow: f.addresses.escrow,
});

/** The payer's EIP-3009 authorisation of a payment. */
export async function authorise(
  f: CommerceFixture,
  { payment }: CommerceJob,
  signer: Wallet = f.payer,
): Promise<string> {
  const domain = {
    ...{ name: "OPG", version: "1", chainId: f.chainId },
    verifyingContract: payment.token,
  };
  return signer.signTypedData(domain, RECEIVE_TYPES, {
    ...{ from: payment.payer, to: f.addresses.erc3009Collector, value: payment.maxAmount },
    ...{ validAfter: 0n, validBefore: payment.preApprovalExpiry },
    nonce: commerceNonce(domainOf(f), payment),
  });
}

/** The payer's permit of Permit2 for a payment. */
export async function permitPayment(
  f: CommerceFixture,
  { payment }: CommerceJob,
  signer: Wallet = f.payer,
): Promise<string> {
  const domain = permit2Domain({ chainId: f.chainId, permit2: PERMIT2_ADDRESS });
  return signer.signTypedData(domain, PERMIT_TYPES, {
    permitted: { token: payment.token, amount: payment.maxAmount },
    ...{ spender: f.addresses.permit2Collector, deadline: payment.preApprovalExpiry },
    nonce: BigInt(commerceNonce(domainOf(f), payment)),
  });
}

/** Opens a job as somebody who has the payer's signature. */
export async function openCommerce(
  f: CommerceFixture,
  options: JobOptions = {},
): Promise<CommerceJob> {
  const { operator = f.commerceOperator, payer = f.payer } = options;
  const job = await commerceJob(f, options);
  const signature = await authorise(f, job, payer);
  await operator.connect(f.attacker).open(job, f.addresses.erc3009Collector, signature);
  return job;
}

/** A job in a token that does what its test wants, by Permit2; the payer has ten times as much. */
export async function openHostile(f: CommerceFixture) {
  const token = await deployMock(f.ethers, "HostileToken");
  await token.transfer(f.payer.address, 10n * MOST);
  const held = await f.ethers.getContractAt("OPG", token.target);
  await held.connect(f.payer).approve(PERMIT2_ADDRESS, MaxUint256);
  const operator = await makeOperator(f, { token: token.target });
  const job = await commerceJob(f, { operator });
  const signature = await permitPayment(f, job);
  await operator.connect(f.attacker).open(job, f.addresses.permit2Collector, signature);
  return { token, operator, job };
}

/** What everybody has whom an operator may pay, and what the public escrow holds for a job. */
export async function commerceBalances(
  f: CommerceFixture,
  job: CommerceJob,
  token: { balanceOf: (account: string) => Promise<bigint> } = f.token,
) {
  const hash = await f.commerce.getHash(job.payment);
  const { capturableAmount } = await f.commerce.paymentState(hash);
  return {
    payer: await token.balanceOf(f.payer.address),
    payee: await token.balanceOf(f.seller.address),
    fees: await token.balanceOf(f.feeReceiver.address),
    operator: await token.balanceOf(job.payment.operator),
    held: capturableAmount,
  };
}
