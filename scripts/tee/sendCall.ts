import { createInterface } from "node:readline/promises";
import { BaseError } from "@haca/protocol/baseError";
import { explainTeeRevert } from "@haca/protocol/explainTeeRevert";
import {
  type Contract,
  type ContractTransactionReceipt,
  formatEther,
  formatUnits,
  type Signer,
} from "ethers";
import { revertData } from "../lib/explainError.ts";

/** EIP-7825: most gas of one transaction. */
export const TRANSACTION_GAS_LIMIT = 16_777_216n;

const GAS_MARGIN = { numerator: 11n, denominator: 10n };

/**
 * Simulates a call, shows what it costs, asks, sends one transaction and waits for it.
 * Returns undefined where the answer was no.
 * Errors: `tee.refused` with the contract's reason in words, `tee.tooMuchGas`, `tee.rpc`.
 */
export async function sendCall(parameters: {
  contract: Contract;
  signer: Signer;
  name: string;
  values: readonly unknown[];
  /** asked before sending; nothing is asked where it is left out */
  question?: string;
  report: (line: string) => void;
}): Promise<ContractTransactionReceipt | undefined> {
  const { contract, signer, name, values, question, report } = parameters;
  const callable = contract.connect(signer).getFunction(name);
  try {
    const gas: bigint = await callable.estimateGas(...values, { gasLimit: TRANSACTION_GAS_LIMIT });
    const { maxFeePerGas, gasPrice } = (await signer.provider?.getFeeData()) ?? {};
    const price = maxFeePerGas ?? gasPrice ?? 0n;
    report(
      `gas          about ${gas.toLocaleString("en")} of ${TRANSACTION_GAS_LIMIT.toLocaleString("en")}, ` +
        `at most ${formatEther(gas * price)} at ${formatUnits(price, "gwei")} gwei`,
    );
    if (question !== undefined && !(await confirm(question))) {
      report("nothing sent");
      return undefined;
    }
    const transaction = await callable.send(...values, { gasLimit: gasLimitFor(gas) });
    const receipt = await transaction.wait();
    return receipt as ContractTransactionReceipt;
  } catch (error) {
    throw explain(error);
  }
}

/** Some room above the estimate, within what one transaction may use. */
export function gasLimitFor(gas: bigint): bigint {
  const withMargin = (gas * GAS_MARGIN.numerator) / GAS_MARGIN.denominator;
  return withMargin < TRANSACTION_GAS_LIMIT ? withMargin : TRANSACTION_GAS_LIMIT;
}

/** Whatever a call or transaction met, in one line. */
export function explain(error: unknown): BaseError {
  if (error instanceof BaseError) return error;
  const data = revertData(error);
  if (data !== undefined) {
    const { name, message } = explainTeeRevert(data);
    return new BaseError({
      code: "tee.refused",
      message: `the registry refuses: ${message}`,
      details: { name },
      cause: error,
    });
  }
  const text = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  if (/out of gas|gas required exceeds|exceeds .*gas (cap|limit)/i.test(text)) {
    return new BaseError({
      code: "tee.tooMuchGas",
      message:
        `this does not fit the ${TRANSACTION_GAS_LIMIT.toLocaleString("en")} gas of one transaction: store the ` +
        "document's certificates first (npm run tee -- store), then try again",
      cause: error,
    });
  }
  return new BaseError({ code: "tee.rpc", message: text.slice(0, 300), cause: error });
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Where nobody is there to answer, the input ends: that is a no, not a silent end of the process.
  const ended = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
  terminal.close();
  return answer.trim().toLowerCase() === "y";
}
