import { ACCESS_TABLE, selectorOf } from "@haca/protocol/accessTable";
import { ROLES } from "@haca/protocol/roles";
import type { Plan, PlannedContract } from "../plan/plan.ts";

/**
 * The contracts of the ZKML path. One AccessManager holds every permission; the deployer is its first
 * administrator.
 */
export function coreModule(module: Plan, parameters: { settlementWindow: number }) {
  const accessManager = module.contract("AccessManager", [module.deployer]);
  const modelRegistry = module.contract("ModelRegistry");
  const inferenceSettlement = module.contract("InferenceSettlement", [
    accessManager,
    modelRegistry,
    parameters.settlementWindow,
  ]);
  return { accessManager, modelRegistry, inferenceSettlement };
}
export type CoreContracts = ReturnType<typeof coreModule>;

/** Writes the rules of some contracts from the access table into the AccessManager, one call per contract and role. */
export function accessCalls(parameters: {
  module: Plan;
  accessManager: PlannedContract;
  /** by the names that the table uses */
  contracts: Readonly<Record<string, PlannedContract>>;
}): void {
  const { module, accessManager, contracts } = parameters;
  for (const { contract, role, functions } of ACCESS_TABLE) {
    const target = contracts[contract];
    if (target === undefined) continue;
    module.call(
      accessManager,
      "setTargetFunctionRole",
      [target, functions.map(selectorOf), ROLES[role]],
      { id: `access_${contract}_${role}` },
    );
  }
}
