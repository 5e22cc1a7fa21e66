import { Contract, getCreateAddress, type Interface, type Signer } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { requireDeployer } from "../../lib/connect.ts";
import { Account } from "./account.ts";
import { PlanEncoder } from "./encodePlan.ts";
import { Journal, type Mined } from "./journal.ts";
import { Plan, type PlannedContract } from "./plan.ts";
import { runPlan } from "./runPlan.ts";

/** Where a contract comes from. */
export type Creation = { transaction: string; block: number };

export type Deployed<Name extends string = string> = {
  /** for the deployer */
  contracts: Readonly<Record<Name, Contract>>;
  /** by address; contracts that a transaction of the deployment created by itself */
  creations: ReadonlyMap<string, Creation>;
  /** in the order in which they are sent, by step */
  transactions: ReadonlyMap<string, Mined>;
};

/** Describes a deployment and carries it out, or goes on with it; errors as of `runPlan`. */
export async function runModule<Name extends string>(parameters: {
  connection: NetworkConnection;
  build: (module: Plan) => Record<Name, PlannedContract>;
  /** without one, nothing is kept: for a chain in memory */
  journal?: Journal;
  adoptFrom?: number | undefined;
  report?: (line: string) => void;
}): Promise<Deployed<Name>> {
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

  const creations = new Map<string, Creation>();
  for (const step of plan.steps) {
    const mined = transactions.get(step.id);
    if (step.kind !== "creation" || mined === undefined) continue;
    const address = getCreateAddress({ from: deployer, nonce: mined.nonce });
    creations.set(address, { transaction: mined.hash, block: mined.block });
  }
  const contracts = {} as Record<Name, Contract>;
  for (const name of Object.keys(planned) as Name[]) {
    const contractInterface: Interface = await encoder.interfaceOf(planned[name]);
    const address = await encoder.addressOf(planned[name]);
    contracts[name] = new Contract(address, contractInterface, signer as unknown as Signer);
  }
  return { contracts, creations, transactions };
}
