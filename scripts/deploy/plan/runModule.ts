import { Contract, type Interface, type Signer } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { requireDeployer } from "../../lib/connect.ts";
import { Account } from "./account.ts";
import { PlanEncoder } from "./encodePlan.ts";
import { Journal, type Mined } from "./journal.ts";
import { FoundContract, Plan, type PlannedContract } from "./plan.ts";
import { runPlan } from "./runPlan.ts";

/** A contract of a plan, as it came to be there. */
export type MadeContract = {
  name: string;
  address: string;
  /** each as a decimal or as hex, or all of them encoded */
  constructorArguments: string[];
  /** transaction of the deployment that created it, itself or through another contract, and its block */
  transaction: string;
  block: number;
};

export type Deployed<Contracts> = {
  /** for the deployer */
  contracts: { readonly [Name in keyof Contracts]: Contract };
  /** tells of every contract of the plan */
  describe: () => Promise<MadeContract[]>;
  /** in the order in which they are sent, by step */
  transactions: ReadonlyMap<string, Mined>;
};

/** Describes a deployment and carries it out, or goes on with it; errors as of `runPlan`. */
export async function runModule<
  Contracts extends Readonly<Record<string, PlannedContract>>,
>(parameters: {
  connection: NetworkConnection;
  build: (module: Plan) => Contracts;
  /** without one, nothing is kept: for a chain in memory */
  journal?: Journal;
  adoptFrom?: number | undefined;
  report?: (line: string) => void;
}): Promise<Deployed<Contracts>> {
  const { connection, build, adoptFrom, journal = Journal.inMemory() } = parameters;
  const { default: hre } = await import("hardhat");
  const deployer = await requireDeployer(connection);
  const [signer] = await connection.ethers.getSigners();
  const account = new Account({ address: deployer, connection });
  const plan = new Plan({ deployer });
  const planned = build(plan);
  const encoder = new PlanEncoder({
    readArtifact: (name) => hre.artifacts.readArtifact(name),
    call: (payload) => account.request("eth_call", [payload, "latest"]),
  });
  const transactions = await runPlan({
    ...{ account, plan, encoder, journal, adoptFrom },
    report: parameters.report ?? (() => undefined),
  });

  const made: Record<string, Contract> = {};
  for (const [name, contract] of Object.entries(planned)) {
    const contractInterface: Interface = await encoder.interfaceOf(contract);
    const address = await encoder.addressOf(contract);
    made[name] = new Contract(address, contractInterface, signer as unknown as Signer);
  }
  const contracts = made as Deployed<Contracts>["contracts"];
  const describe = (): Promise<MadeContract[]> =>
    Promise.all(plan.contracts.map((contract) => describeOne({ contract, encoder, transactions })));
  return { contracts, describe, transactions };
}

async function describeOne(parameters: {
  contract: PlannedContract;
  encoder: PlanEncoder;
  transactions: ReadonlyMap<string, Mined>;
}): Promise<MadeContract> {
  const { contract, encoder, transactions } = parameters;
  let creator: PlannedContract = contract;
  while (creator instanceof FoundContract) creator = creator.address.contract;
  const mined = transactions.get(creator.id);
  if (mined === undefined) throw new Error(`no transaction of the deployment made ${creator.id}`);
  return {
    name: contract.name,
    address: await encoder.addressOf(contract),
    constructorArguments: await encoder.constructorArguments(contract),
    ...{ transaction: mined.hash, block: mined.block },
  };
}
