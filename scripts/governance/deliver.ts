import { writeFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { gasLimitFor } from "@haca/protocol/gasLimit";
import { userPath } from "@haca/protocol/userPath";
import type { TransactionReceipt } from "ethers";
import { reasonOf } from "../lib/explainError.ts";
import { safeBatch } from "../lib/safeBatch.ts";
import type { Sender, SendOptions, Session } from "./session.ts";

/** One transaction that is to be sent. */
export type Outgoing = {
  /** the function that it calls */
  name: string;
  target: string;
  data: string;
};

/**
 * Sends transactions, or writes them for a Safe, or does neither with `--simulate`. Each is tried before anything
 * is signed or written. Errors: `governance.refused`, one line with the contract's own reason, and for a simulation
 * `governance.simulationFailed`. Returns the receipts of what was sent.
 */
export async function deliver(parameters: {
  session: Session;
  options: SendOptions;
  sender: Sender;
  /** name and description of the batch, for a Safe's owners */
  title: string;
  description: string;
  transactions: readonly Outgoing[];
}): Promise<TransactionReceipt[]> {
  const { session, options, sender, title, description, transactions } = parameters;
  const { provider, book } = session;
  for (const { name, target, data } of transactions) {
    await provider.call({ from: sender.address, to: target, data }).catch((cause: unknown) => {
      throw new BaseError({
        code: options.simulate ? "governance.simulationFailed" : "governance.refused",
        message: `${name} as ${sender.address} fails: ${reasonOf(cause)}`,
        cause,
      });
    });
  }
  if (options.simulate) {
    for (const { name } of transactions) console.log(`  ${name} ok as ${sender.address}; not sent`);
    return [];
  }
  if (options.safe !== undefined) {
    const path = userPath(options.safe);
    const { chainId } = book;
    writeFileSync(path, safeBatch({ chainId, name: title, description, calls: transactions }));
    console.log(`written to ${path}, for the Safe ${sender.address}; not sent`);
    return [];
  }
  const receipts: TransactionReceipt[] = [];
  for (const transaction of transactions) receipts.push(await sendOne(sender, transaction));
  return receipts;
}

async function sendOne({ signer }: Sender, transaction: Outgoing): Promise<TransactionReceipt> {
  const { name, target, data } = transaction;
  try {
    if (signer === undefined) throw new Error("nobody signs");
    const call = { to: target, data };
    const gasLimit = gasLimitFor(await signer.estimateGas(call));
    const receipt = await (await signer.sendTransaction({ ...call, gasLimit })).wait();
    if (!receipt) throw new Error("the transaction has no receipt");
    console.log(`  ${name}: transaction ${receipt.hash} in block ${receipt.blockNumber}`);
    return receipt;
  } catch (cause) {
    throw new BaseError({
      code: "governance.refused",
      message: `${name} fails: ${reasonOf(cause)}`,
      cause,
    });
  }
}
