import { BATCH_SETTLEMENT_ADDRESS, ERC3009_COLLECTOR_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement } from "@haca/protocol/channels";
import { ESCROW_KINDS } from "@haca/protocol/inferenceEscrow";
import { BATCH_SETTLEMENT_DOMAIN, voucherTypes } from "@x402/evm";
import { AbiCoder, type Contract, ContractFactory, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import type { DepositPayload } from "./channelClient.ts";
import type { TeeChain } from "./teeChain.ts";

const DAY = 86_400;
/** Longer than an hour, the long road and a day. */
export const DELAY = 6 * DAY;

/** What is in a channel, and what was claimed of it. */
export async function channelAt(
  tee: TeeChain,
  channelId: string,
): Promise<{ balance: bigint; claimed: bigint }> {
  const data = batchSettlement.encodeFunctionData("channels", [channelId]);
  const answer = await tee.chain.provider.call({ to: BATCH_SETTLEMENT_ADDRESS, data });
  const [balance, claimed] = batchSettlement.decodeFunctionResult("channels", answer);
  return { balance, claimed };
}

/** Has an account call x402's contract of channels. */
export async function callBatch(from: Wallet, data: string): Promise<void> {
  const to = BATCH_SETTLEMENT_ADDRESS;
  await (await from.sendTransaction({ to, data, gasLimit: 1_000_000n })).wait();
}

/** Brings a deposit, as somebody who has seen it. */
export async function depositAsStranger(tee: TeeChain, payload: DepositPayload): Promise<void> {
  const { channelConfig, deposit } = payload;
  const signed = deposit.authorization.erc3009Authorization;
  const { salt, signature, validAfter, validBefore } = signed;
  const data = AbiCoder.defaultAbiCoder().encode(
    ["uint256", "uint256", "uint256", "bytes"],
    [validAfter, validBefore, salt, signature],
  );
  const values = [channelConfig, deposit.amount, ERC3009_COLLECTOR_ADDRESS, data];
  const stranger = new Wallet(Wallet.createRandom().privateKey, tee.chain.provider);
  await tee.chain.send("anvil_setBalance", stranger.address, "0x56bc75e2d63100000");
  await callBatch(stranger, batchSettlement.encodeFunctionData("deposit", values));
}

/** What makes gates, beside the escrow. Returns its address. */
export async function deployGates(tee: TeeChain, escrow: Contract): Promise<string> {
  const { abi, bytecode } = readArtifact("ChannelGates");
  const factory = new ContractFactory(abi as [], bytecode, tee.chain.owner);
  const made = await factory.deploy(escrow.target, BATCH_SETTLEMENT_ADDRESS);
  return String((await made.waitForDeployment()).target);
}

/** A gate of a node whose enclave's results count, alone and in pages. */
export async function openGate(parameters: {
  tee: TeeChain;
  escrow: Contract;
  /** of ChannelGates */
  gates: string;
  node: string;
  payee: string;
}): Promise<ContractOf<"ChannelGate">> {
  const { escrow, node, payee, tee } = parameters;
  const runner = tee.chain.owner;
  const gates = contractAt({ name: "ChannelGates", address: parameters.gates, runner });
  const known = contractAt({ name: "InferenceEscrow", address: String(escrow.target), runner });
  const [feeBps, feeReceiver] = await known.fee();
  const kinds = ESCROW_KINDS.tee | ESCROW_KINDS.teePage;
  const terms = { node, payee, feeReceiver, feeBps, kinds };
  await (await gates.open(terms)).wait();
  return contractAt({ name: "ChannelGate", address: await gates.gateOf(terms), runner });
}

/** A voucher for so much of a channel in all, as the payer's side signs it. */
export const signVoucher = (parameters: {
  channelId: string;
  sum: bigint;
  signer: Wallet;
}): Promise<string> => {
  const { channelId, signer, sum } = parameters;
  const domain = { ...BATCH_SETTLEMENT_DOMAIN, chainId: 31_337n };
  return signer.signTypedData(
    { ...domain, verifyingContract: BATCH_SETTLEMENT_ADDRESS },
    { Voucher: [...voucherTypes.Voucher] },
    { channelId, maxClaimableAmount: sum },
  );
};
