import { escrowInterface } from "@haca/protocol/escrowCalls";
import { type EscrowTerms, escrowFacilitator, permit2Domain } from "@haca/protocol/inferenceEscrow";
import { UPTO_PERMIT_TYPES } from "@haca/protocol/signedPayments";
import { PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress } from "@x402/evm";
import { Contract, ContractFactory, Wallet } from "ethers";
import { readArtifact } from "../../../testing/artifacts.ts";
import { uptoCodes } from "../../../testing/uptoContracts.ts";
import type { PageContract } from "./pageContract.ts";
import type { TeeChain } from "./teeChain.ts";

export const FEE_BPS = 250n;
/** As `IInferenceEscrow.JobStatus` numbers them. */
export const STATUS = { open: 1n, captured: 2n, refunded: 3n, cancelled: 4n };

/** The escrow beside pages, with Permit2 and the proxy at their addresses, for OPG. */
export async function deployEscrow(tee: TeeChain, pages: PageContract): Promise<Contract> {
  const { chain } = tee;
  for (const [address, code] of Object.entries(uptoCodes())) {
    await chain.send("anvil_setCode", address, code);
  }
  const { abi, bytecode } = readArtifact("InferenceEscrow");
  const factory = new ContractFactory(abi as [], bytecode, chain.owner);
  const authority = chain.book.contracts.AccessManager.address;
  const made = await factory.deploy(authority, pages.contract.target, x402UptoPermit2ProxyAddress);
  const { target } = await made.waitForDeployment();
  const escrow = new Contract(target, abi as [], chain.owner);
  await chain.execute(escrow, "setToken", pages.token.target, true);
  await chain.execute(escrow, "setFee", FEE_BPS, Wallet.createRandom().address);
  return escrow;
}

/** The data of a call that opens a job under terms, by a permit that the payer signs here. */
export async function openingOf(parameters: {
  escrow: string;
  terms: EscrowTerms;
  payer: Wallet;
  nonce: bigint;
  amount: bigint;
  /** last second of the permit, in unix seconds */
  validUntil: bigint;
}): Promise<string> {
  const { amount, escrow, nonce, payer, terms, validUntil } = parameters;
  const domain = permit2Domain({ chainId: 31_337n, permit2: PERMIT2_ADDRESS });
  const signature = await payer.signTypedData(domain, UPTO_PERMIT_TYPES, {
    permitted: { token: terms.token, amount },
    ...{ spender: x402UptoPermit2ProxyAddress, nonce, deadline: validUntil },
    witness: {
      ...{ to: escrow, facilitator: escrowFacilitator({ escrow, terms }) },
      validAfter: 0n,
    },
  });
  const payment = { payer: payer.address, amount, nonce, validAfter: 0n, validUntil, signature };
  return escrowInterface.encodeFunctionData("open", [terms, payment]);
}
