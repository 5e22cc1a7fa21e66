import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/**
 * The contracts of the ZKML path. One AccessManager holds every permission; the deployer is its first
 * administrator.
 */
export const coreModule = buildModule("Core", (module) => {
  const administrator = module.getAccount(0);
  const settlementWindow = module.getParameter<bigint>("settlementWindow");

  const accessManager = module.contract("AccessManager", [administrator]);
  const modelRegistry = module.contract("ModelRegistry");
  const inferenceSettlement = module.contract("InferenceSettlement", [
    accessManager,
    modelRegistry,
    settlementWindow,
  ]);
  return { accessManager, modelRegistry, inferenceSettlement };
});
