import type { Plan } from "../plan/plan.ts";

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
