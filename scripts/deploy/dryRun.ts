import type { ChainType, NetworkConnection } from "hardhat/types/network";
import { governanceModule } from "./modules/governance.ts";
import type { GovernanceParameters } from "./parameters/readParameters.ts";
import type { Plan, PlannedContract } from "./plan/plan.ts";
import { runModule } from "./plan/runModule.ts";

export type Rehearsal = {
  gas: bigint;
  /** gas of the largest transaction */
  largest: bigint;
  transactions: number;
  /** by step, in their order */
  gasOf: ReadonlyMap<string, bigint>;
};

/**
 * Gas and number of a deployment's transactions, and the gas of the largest of them, measured by doing it on a chain
 * in memory with the same parameters. On an OP-stack chain the fee for the data on the chain below comes on top; it is
 * small beside this.
 */
export async function rehearse(parameters: {
  build: (module: Plan) => Record<string, PlannedContract>;
  chainType: ChainType;
}): Promise<Rehearsal> {
  const { default: hre } = await import("hardhat");
  // The kind of chain matters to the run, not to the type of its connection.
  const connection = (await hre.network.create({
    network: "default",
    chainType: parameters.chainType,
  })) as NetworkConnection;
  try {
    const { transactions } = await runModule({ connection, build: parameters.build });
    const gasOf = new Map<string, bigint>();
    for (const [step, { hash }] of transactions) {
      const receipt = await connection.ethers.provider.getTransactionReceipt(hash);
      gasOf.set(step, receipt?.gasUsed ?? 0n);
    }
    return { ...sumUp([...gasOf.values()]), gasOf };
  } finally {
    await connection.close();
  }
}

/** What some transactions take together. */
export function sumUp(gas: readonly bigint[]): Omit<Rehearsal, "gasOf"> {
  let [sum, largest] = [0n, 0n];
  for (const used of gas) {
    sum += used;
    if (used > largest) largest = used;
  }
  return { gas: sum, largest, transactions: gas.length };
}

/** The rehearsal of everything. */
export const dryRun = (parameters: {
  settlementWindow: number;
  governance: GovernanceParameters;
  chainType: ChainType;
}): Promise<Rehearsal> =>
  rehearse({ ...parameters, build: (module) => governanceModule(module, parameters) });
