import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { replaceFile } from "@haca/protocol/replaceFile";
import { type Hex, isHex, type WalletClient } from "viem";
import { z } from "zod";
import {
  checkReceipt,
  type Question,
  type Receipt,
  receiptSchema,
  type Trusted,
} from "./receipt.ts";

const answerSchema = z.object({ receipt: z.unknown() });
const statusSchema = z.object({ state: z.string(), proof: z.custom<Hex>(isHex).nullable() });

/** `IInferenceSettlement.Verification.ZKML`: of the kinds, the one that trusts nobody. */
const ZKML = 1;

/** Asks a node, keeps what it signed, and checks it: the outputs, and the receipt to settle with. */
export async function askNode(parameters: {
  /** the node's address, such as https://node.example */
  url: string;
  /** the model's slug */
  model: string;
  question: Omit<Question, "askedAt">;
  trusted: Trusted;
  /** where the receipt is kept, before anything is done with the answer */
  receiptFile: string;
}): Promise<{ outputs: number[][]; receipt: Receipt; askedAtBlock: bigint }> {
  const { url, model, question, trusted, receiptFile } = parameters;
  const askedAt = BigInt(Math.floor(Date.now() / 1000));
  const askedAtBlock = await trusted.client.getBlockNumber();
  const response = await fetch(new URL("/v1/inferences", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, input: question.input, requester: question.requester }),
  });
  // A refusal names its code and field; 503 may be tried again, the others not as they are.
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const { receipt: kept } = answerSchema.parse(await response.json());
  replaceFile({ path: receiptFile, text: JSON.stringify(kept) });
  const receipt = receiptSchema.parse(kept);
  const outputs = await checkReceipt({ receipt, question: { ...question, askedAt }, trusted });
  return { outputs, receipt, askedAtBlock };
}

/**
 * The block and kind of the settlement of a receipt; `undefined` while there is none that deep.
 * @throws Error where the request was settled with another result, which makes the receipt evidence against its node
 */
export async function findSettlement(parameters: {
  receipt: Receipt;
  trusted: Trusted;
  askedAtBlock: bigint;
  /** blocks after which no reorganisation is feared */
  confirmations: bigint;
}): Promise<{ block: bigint; verification: number } | undefined> {
  const { receipt, trusted, askedAtBlock, confirmations } = parameters;
  const { message } = receipt;
  const toBlock = (await trusted.client.getBlockNumber({ cacheTime: 0 })) - confirmations + 1n;
  if (toBlock < askedAtBlock) return undefined;
  const [event] = await trusted.client.getContractEvents({
    address: trusted.settlement,
    abi: inferenceSettlementAbi,
    eventName: "InferenceSettled",
    args: { requestId: message.requestId },
    fromBlock: askedAtBlock,
    toBlock,
    strict: true,
  });
  if (event === undefined) return undefined;
  const { args, blockNumber } = event;
  const isSame =
    args.modelVersion === message.modelVersion &&
    args.inputHash === message.inputHash &&
    args.outputHash === message.outputHash &&
    args.requester.toLowerCase() === message.requester.toLowerCase() &&
    args.price === message.price &&
    args.timestamp === message.timestamp &&
    args.teeId === message.teeId;
  if (!isSame) throw new Error(`${message.requestId} was settled with another result`);
  return { block: blockNumber, verification: args.verification };
}

/** Whether a settlement shows that the model gave the answer, and not only that the node said so. */
export function isProven(settlement: { verification: number }): boolean {
  return settlement.verification === ZKML;
}

/**
 * Settles a receipt in the node's place, if the node has made the proof and not sent it.
 * @returns the transaction's hash; `undefined` while there is no proof
 */
export async function settleReceipt(parameters: {
  url: string;
  receipt: Receipt;
  trusted: Trusted;
  wallet: WalletClient;
}): Promise<Hex | undefined> {
  const { url, receipt, trusted, wallet } = parameters;
  const { message, inputWords, outputWords, signature } = receipt;
  const response = await fetch(new URL(`/v1/inferences/${message.requestId}`, url));
  const { proof } = statusSchema.parse(await response.json());
  if (proof === null) return undefined;
  const { account, chain } = wallet;
  if (account === undefined) throw new Error("the wallet has no account");
  // The simulation refuses what the contract would, before anything is paid for.
  const { request } = await trusted.client.simulateContract({
    account,
    chain,
    address: trusted.settlement,
    abi: inferenceSettlementAbi,
    functionName: "settleZkml",
    args: [message, [...inputWords, ...outputWords], proof, signature],
  });
  return await wallet.writeContract(request);
}
