import type { ContractName } from "@haca/protocol/contracts";
import { gasLimitFor, TRANSACTION_GAS_LIMIT } from "@haca/protocol/gasLimit";
import {
  type Contract,
  type ContractTransactionReceipt,
  formatEther,
  formatUnits,
  type Signer,
} from "ethers";
import { confirm } from "./confirm.ts";
import type { ArgumentsOf, ChangeName, ContractOf } from "./contracts.ts";
import { explainError } from "./explainError.ts";
import { grouped } from "./words.ts";

/**
 * Simulates a call, shows what it costs, asks, sends one transaction and waits for it. Undefined where the answer was
 * no. Nothing is sent unless the simulation passes.
 * Errors: those of `explainError` and of `confirm`.
 */
export async function sendCall<
  Name extends ContractName,
  Function extends ChangeName<Name>,
>(parameters: {
  contract: ContractOf<Name>;
  signer: Signer;
  name: Function;
  values: ArgumentsOf<Name, Function>;
  /** asked before sending; nothing is asked where it is left out */
  question?: string | undefined;
}): Promise<ContractTransactionReceipt | undefined> {
  const { signer, name, values, question } = parameters;
  const contract = parameters.contract as unknown as Contract;
  const call = (contract.connect(signer) as Contract).getFunction(name);
  try {
    const gas: bigint = await call.estimateGas(...values, { gasLimit: TRANSACTION_GAS_LIMIT });
    const { maxFeePerGas, gasPrice } = (await signer.provider?.getFeeData()) ?? {};
    const price = maxFeePerGas ?? gasPrice ?? 0n;
    console.log(
      `gas          about ${grouped(gas)} of ${grouped(TRANSACTION_GAS_LIMIT)}, ` +
        `at most ${formatEther(gas * price)} at ${formatUnits(price, "gwei")} gwei, ` +
        `from ${await signer.getAddress()}`,
    );
    if (question !== undefined && !(await confirm({ question, yes: false }))) {
      console.log("nothing sent");
      return undefined;
    }
    const sent = await call.send(...values, { gasLimit: gasLimitFor(gas) });
    const receipt = (await sent.wait()) as ContractTransactionReceipt;
    console.log(
      `transaction  ${receipt.hash}, gas ${grouped(receipt.gasUsed)}, block ${receipt.blockNumber}`,
    );
    return receipt;
  } catch (error) {
    throw explainError({ error, action: name });
  }
}
