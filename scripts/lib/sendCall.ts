import { createInterface } from "node:readline/promises";
import { BaseError } from "@haca/protocol/baseError";
import type { Contract, ContractTransactionReceipt, JsonRpcSigner } from "ethers";
import { formatEther, formatUnits } from "ethers";
import { explainError } from "./explainError.ts";

/** What a command does before it sends: ask on chains that are not for development, unless told not to. */
export type Confirmation = { isDevelopment: boolean; yes: boolean };

/**
 * Says what will change, simulates the call, asks, sends one transaction and waits for it. Undefined where the answer
 * was no. Nothing is sent unless the simulation passes.
 * Errors: those of `explainError`, `chain.noTerminal`.
 */
export async function sendCall(parameters: {
  contract: Contract;
  signer: JsonRpcSigner;
  name: string;
  values: readonly unknown[];
  /** what the chain will be like afterwards, in words */
  changes: string;
  confirmation: Confirmation;
}): Promise<ContractTransactionReceipt | undefined> {
  const { contract, signer, name, values, changes, confirmation } = parameters;
  const callable = contract.connect(signer).getFunction(name);
  try {
    const gas: bigint = await callable.estimateGas(...values);
    console.log(changes);
    if (!confirmation.isDevelopment) {
      const { maxFeePerGas, gasPrice } = await signer.provider.getFeeData();
      const price = maxFeePerGas ?? gasPrice ?? 0n;
      console.log(
        `about ${gas.toLocaleString("en")} gas from ${signer.address}, ` +
          `at most ${formatEther(gas * price)} at ${formatUnits(price, "gwei")} gwei`,
      );
      if (!(await confirmed({ question: "Send?", yes: confirmation.yes }))) {
        console.log("nothing sent");
        return undefined;
      }
    }
    const transaction = await callable.send(...values);
    const receipt = (await transaction.wait()) as ContractTransactionReceipt;
    console.log(`transaction ${receipt.hash} in block ${receipt.blockNumber}`);
    return receipt;
  } catch (error) {
    throw await explainError({ error, action: name });
  }
}

/** Asks, unless the answer was given beforehand. Error: `chain.noTerminal`. */
export async function confirmed(parameters: { question: string; yes: boolean }): Promise<boolean> {
  const { question, yes } = parameters;
  if (yes) return true;
  if (!process.stdin.isTTY) {
    throw new BaseError({
      code: "chain.noTerminal",
      message: "there is no terminal to ask on; --yes sends without asking",
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return answer.trim().toLowerCase() === "y";
}
