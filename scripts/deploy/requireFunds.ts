import { BaseError } from "@haca/protocol/baseError";
import { formatEther, formatUnits } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";

/** Prints what the deployment would cost; error `deploy.noFunds` if the deployer cannot pay it. */
export async function requireFunds(parameters: {
  connection: NetworkConnection;
  deployer: string;
  gas: bigint;
  /** gas of the largest transaction */
  largest: bigint;
  transactions: number;
}): Promise<void> {
  const { connection, deployer, gas, largest, transactions } = parameters;
  const { provider } = connection.ethers;
  const { maxFeePerGas, gasPrice } = await provider.getFeeData();
  const price = maxFeePerGas ?? gasPrice ?? 0n;
  const balance = await provider.getBalance(deployer);
  console.log(
    `  ${transactions} transactions, ${gas.toLocaleString("en")} gas (the largest ${largest.toLocaleString("en")}), at most ${formatEther(gas * price)} ETH ` +
      `at ${formatUnits(price, "gwei")} gwei; ${deployer} has ${formatEther(balance)} ETH`,
  );
  if (balance < gas * price) {
    throw new BaseError({
      code: "deploy.noFunds",
      message: `${deployer} has ${formatEther(balance)} ETH, the deployment needs ${formatEther(gas * price)} ETH`,
    });
  }
}
