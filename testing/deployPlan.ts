import { type Payload, PlanEncoder } from "../scripts/deploy/plan/encodePlan.ts";
import { CreatedContract, Plan, type PlannedContract } from "../scripts/deploy/plan/plan.ts";
import { readArtifact } from "./artifacts.ts";

/** A mined transaction, and the contract that it created, if it did. */
export type Mined = { transaction: string; block: number; created: string | undefined };

/** A contract of a plan on a test's chain. `transaction` and `block` are those that made it. */
export type Deployed = { name: string; address: string; transaction: string; block: number };

/**
 * Carries out what the project's own deployment consists of, or a part of it, on a chain of a test, so that constructor
 * arguments, rules and order stand in `scripts/deploy/modules` alone. Nothing is kept, nothing is resumed.
 */
export async function deployPlan<Name extends string>(parameters: {
  deployer: string;
  /** sends a transaction of the deployer and returns once it is mined; fails if it reverts */
  send: (payload: Payload) => Promise<Mined>;
  call: (payload: Required<Payload>) => Promise<string>;
  build: (module: Plan) => Record<Name, PlannedContract>;
}): Promise<Record<Name, Deployed>> {
  const { deployer, send, call, build } = parameters;
  const plan = new Plan({ deployer });
  const contracts = build(plan);
  const encoder = new PlanEncoder({ readArtifact: async (name) => readArtifact(name), call });
  const creations = new Map<string, Mined>();
  for (const step of plan.steps) {
    const mined = await send(await encoder.encode(step));
    if (step.kind !== "creation") continue;
    if (mined.created === undefined) throw new Error(`${step.id} created nothing`);
    encoder.setAddress(step.id, mined.created);
    creations.set(step.id, mined);
  }
  const deployed = Object.entries<PlannedContract>(contracts).map(async ([name, contract]) => {
    const origin = creations.get(creatorOf(contract).id);
    if (origin === undefined) throw new Error(`${contract.name} is not in the plan`);
    const { transaction, block } = origin;
    const address = await encoder.addressOf(contract);
    return [name, { name: contract.name, address, transaction, block }] as const;
  });
  return Object.fromEntries(await Promise.all(deployed)) as Record<Name, Deployed>;
}

/** The contract of the plan that made it, by itself or through another. */
function creatorOf(contract: PlannedContract): CreatedContract {
  return contract instanceof CreatedContract ? contract : creatorOf(contract.address.contract);
}
