import hre from "hardhat";
import type { ChainType, NetworkConnection } from "hardhat/types/network";
import type { GovernanceParameters } from "./readParameters.ts";
import { runGovernanceModule } from "./runGovernanceModule.ts";

/**
 * Gas and number of transactions of the whole deployment, and the gas of the largest of them, measured by doing it on
 * a chain in memory with the same parameters. On an OP-stack chain the fee for the data on the chain below comes on top; it is small beside this.
 */
export async function dryRun(parameters: {
  settlementWindow: number;
  governance: GovernanceParameters;
  chainType: ChainType;
}): Promise<{ gas: bigint; largest: bigint; transactions: number }> {
  // The kind of chain matters to the run, not to the type of its connection.
  const connection = (await hre.network.create({
    network: "default",
    chainType: parameters.chainType,
  })) as NetworkConnection;
  try {
    await runGovernanceModule({ ...parameters, connection });
    const { provider } = connection.ethers;
    const last = await provider.getBlockNumber();
    let gas = 0n;
    let largest = 0n;
    let transactions = 0;
    for (let number = 1; number <= last; number += 1) {
      const block = await provider.getBlock(number);
      for (const hash of block?.transactions ?? []) {
        const used = (await provider.getTransactionReceipt(hash))?.gasUsed ?? 0n;
        gas += used;
        largest = used > largest ? used : largest;
        transactions += 1;
      }
    }
    return { gas, largest, transactions };
  } finally {
    await connection.close();
  }
}
