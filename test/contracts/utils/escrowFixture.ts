import { ESCROW_KINDS, type EscrowTerms, permit2Domain } from "@haca/protocol/inferenceEscrow";
import { hashWords, type InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { ROLES } from "@haca/protocol/roles";
import { UPTO_PERMIT_TYPES } from "@haca/protocol/signedPayments";
import { PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress } from "@x402/evm";
import { id, MaxUint256, parseEther, Wallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { uptoCodes } from "../../../testing/uptoContracts.ts";
import { now } from "./attestationFixture.ts";
import { answerAt, deployOptimistic } from "./optimisticFixture.ts";
import { DAY, HOUR, makeResult, sign } from "./pageFixture.ts";
import { prove } from "./settlementFixture.ts";

export const MOST = parseEther("5");
export const PRICE = parseEther("2");
export const FEE_BPS = 250n;
export const FEE = (PRICE * FEE_BPS) / 10_000n;
export const WINDOW = 6n * DAY;
export const ALL_KINDS = Object.values(ESCROW_KINDS).reduce((sum, bit) => sum + bit);
export const REQUEST = id("question");

/** Funds of each payer. */
const FUNDS = parseEther("1000");
/** As `IInferenceEscrow.JobStatus` numbers them. */
export const STATUS = { None: 0n, Open: 1n, Captured: 2n, Refunded: 3n, Cancelled: 4n };
/** Of kinds that settle alone. */
export const KIND = { Vanilla: 0n, ZKML: 1n, TEE: 2n };

/**
 * The escrow beside every kind of settlement, with Permit2 and x402's proxy at their addresses: a payer who lets Permit2 have
 * their tokens, a payee, and a receiver of the fee of 2.5 %.
 */
export async function deployEscrow(connection: NetworkConnection) {
  const base = await deployOptimistic(connection);
  const { ethers, networkHelpers, manager, governance, pages, token } = base;
  for (const [address, code] of Object.entries(uptoCodes())) {
    await networkHelpers.setCode(address, code);
  }
  const escrow = await ethers.deployContract("InferenceEscrow", [
    ...([await manager.getAddress(), await pages.getAddress()] as const),
    x402UptoPermit2ProxyAddress,
  ]);
  const selectors = ["setToken", "setFee"].map((name) => {
    const { selector } = escrow.interface.getFunction(name as "setFee");
    return selector;
  });
  await manager.setTargetFunctionRole(await escrow.getAddress(), selectors, ROLES.GOVERNANCE);
  const feeReceiver = new Wallet(id("receiver of fees"), ethers.provider);
  await escrow.connect(governance).setFee(FEE_BPS, feeReceiver.address);
  await escrow.connect(governance).setToken(await token.getAddress(), true);
  const seller = new Wallet(id("payee of the escrow"), ethers.provider);
  await networkHelpers.setBalance(seller.address, parseEther("10"));
  const payers: Wallet[] = [];
  for (const name of ["payer", "other payer"]) {
    const payer = new Wallet(id(name), ethers.provider);
    await networkHelpers.setBalance(payer.address, parseEther("10"));
    await token.transfer(payer.address, FUNDS);
    await token.connect(payer).approve(PERMIT2_ADDRESS, MaxUint256);
    payers.push(payer);
  }
  const [payer, otherPayer] = payers;
  if (!payer || !otherPayer) throw new Error("no payers");
  return { ...base, escrow, feeReceiver, seller, payer, otherPayer };
}
export type EscrowFixture = Awaited<ReturnType<typeof deployEscrow>>;

/** Terms for the enclave's answer, if not told otherwise. */
export async function termsOf(
  f: EscrowFixture,
  overrides: Partial<EscrowTerms> = {},
): Promise<EscrowTerms> {
  return {
    ...{ node: nodeOfEnclave(f.enclave.teeId), payee: f.seller.address, requestHash: REQUEST },
    ...{ token: await f.token.getAddress(), feeBps: FEE_BPS, kinds: ALL_KINDS },
    ...{ captureWindow: WINDOW, ...overrides },
  };
}

/** What a payer signed, as `open` takes it. */
export type Payment = {
  payer: string;
  amount: bigint;
  nonce: bigint;
  validAfter: bigint;
  validUntil: bigint;
  signature: string;
};

/** A payer's permit for terms; `of` says what the payer signs where it is to differ from what is brought. */
export async function permit(
  f: EscrowFixture,
  terms: EscrowTerms,
  options: {
    payer?: Wallet;
    nonce?: bigint;
    amount?: bigint;
    validAfter?: bigint;
    signed?: { token?: string; to?: string; facilitator?: string };
  } = {},
): Promise<Payment> {
  const { payer = f.payer, nonce = 7n, amount = MOST, validAfter = 0n, signed = {} } = options;
  const validUntil = (await now(f)) + HOUR;
  const domain = permit2Domain({ chainId: f.chainId, permit2: PERMIT2_ADDRESS });
  const signature = await payer.signTypedData(domain, UPTO_PERMIT_TYPES, {
    permitted: { token: signed.token ?? terms.token, amount },
    ...{ spender: x402UptoPermit2ProxyAddress, nonce, deadline: validUntil },
    witness: {
      to: signed.to ?? (await f.escrow.getAddress()),
      facilitator: signed.facilitator ?? (await f.escrow.facilitatorOf(terms)),
      validAfter,
    },
  });
  return { payer: payer.address, amount, nonce, validAfter, validUntil, signature };
}

/** A job, as callers bring it. */
export type Job = {
  terms: EscrowTerms;
  payer: string;
  nonce: bigint;
  amount: bigint;
  deadline: bigint;
  feeReceiver: string;
};

/** Opens a job as somebody who has the permit. */
export async function openJob(
  f: EscrowFixture,
  options: { terms?: Partial<EscrowTerms>; payer?: Wallet; nonce?: bigint; amount?: bigint } = {},
): Promise<Job> {
  const terms = await termsOf(f, options.terms);
  const payment = await permit(f, terms, options);
  await f.escrow.connect(f.attacker).open(terms, payment);
  const { payer, nonce, amount } = payment;
  const [, feeReceiver] = await f.escrow.fee();
  return {
    terms,
    payer,
    nonce,
    amount,
    deadline: (await now(f)) + terms.captureWindow,
    feeReceiver,
  };
}

/** A result of the enclave that would capture the job of `openJob`. */
export async function paidResult(
  f: EscrowFixture,
  index: number,
  overrides: Partial<InferenceResult> = {},
): Promise<InferenceResult> {
  return makeResult(f, index, {
    ...{ inputHash: REQUEST, requester: f.payer.address, price: PRICE },
    ...overrides,
  });
}

/** Settles a result of the enclave alone. */
export async function settleAlone(f: EscrowFixture, result: InferenceResult): Promise<void> {
  await f.settlement.connect(f.attacker).settleTee(result, sign(f, result));
}

/** A result of the node without an enclave, settled with its proof; its words are its request. */
export async function settleProved(f: EscrowFixture, nonce: bigint, price = PRICE) {
  const { result, words } = await answerAt(f, Number(nonce), {
    ...{ requester: f.payer.address, price },
    requestId: encodeRequestId({ node: f.node.address, nonce }),
  });
  const proof = prove({ ...f, result, words });
  await f.settlement.connect(f.node).settleZkml(result, [...words], proof, "0x");
  return result;
}

/** The request hash of the node's answer at a place. */
export async function requestOfNode(f: EscrowFixture, index: number): Promise<string> {
  const { words } = await answerAt(f, index);
  return hashWords(words.slice(0, 2));
}

/** What everybody has whom the escrow may pay, and the escrow. */
export async function balances(
  f: EscrowFixture,
  token: { balanceOf: (account: string) => Promise<bigint> } = f.token,
) {
  const of = (account: string) => token.balanceOf(account);
  return {
    ...{ payer: await of(f.payer.address), payee: await of(f.seller.address) },
    ...{ fees: await of(f.feeReceiver.address), held: await of(await f.escrow.getAddress()) },
  };
}
