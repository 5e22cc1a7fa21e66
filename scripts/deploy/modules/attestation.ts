import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import { TEE_TYPES } from "@haca/protocol/attestationParameters";
import { ROLES } from "@haca/protocol/roles";
import { hexlify } from "ethers";
import type { AttestationParameters } from "../parameters/readAttestationParameters.ts";
import type { Plan, PlannedContract } from "../plan/plan.ts";
import { accessCalls, type CoreContracts, coreModule } from "./core.ts";

/**
 * The TEE registry, what verifies attestations for it and what reads it, with the node types and the rules
 * of the access table. The types come first: until its rule is written, a function belongs to the administrator,
 * who is the deployer.
 */
export function attestationModule(
  module: Plan,
  parameters: AttestationParameters & Pick<CoreContracts, "accessManager">,
) {
  const { accessManager } = parameters;
  const ecdsaP384 = module.contract("EcdsaP384", [hexlify(p384BaseTable())]);
  const certificateStore = module.contract("CertificateStore", [
    accessManager,
    ecdsaP384,
    hexlify(parameters.rootCertificate),
  ]);
  const verifier = module.contract("NitroAttestationVerifier", [certificateStore, ecdsaP384]);
  const signingKeys = module.contract("SigningKeys");
  const teeRegistry = module.contract("TEERegistry", [
    accessManager,
    signingKeys,
    verifier,
    parameters.heartbeatMaxAge,
    parameters.attestationMaxAge,
  ]);
  const teeRegistryLens = module.contract("TEERegistryLens", [teeRegistry]);
  const legacySettlement = module.contract("LegacySettlement", [teeRegistry]);
  for (const [type, name] of TEE_TYPES.entries()) {
    module.call(teeRegistry, "addTEEType", [type, name], { id: `type_${type}_${name}` });
  }
  accessCalls({
    ...{ module, accessManager },
    contracts: { TEERegistry: teeRegistry, CertificateStore: certificateStore },
  });
  return {
    ...{ ecdsaP384, certificateStore, verifier, signingKeys },
    ...{ teeRegistry, teeRegistryLens, legacySettlement },
  };
}

/** Lets enclaves' results settle. */
export function nameRegistry(parameters: {
  module: Plan;
  inferenceSettlement: PlannedContract;
  teeRegistry: PlannedContract;
}): void {
  const { module, inferenceSettlement, teeRegistry } = parameters;
  module.call(inferenceSettlement, "setTeeRegistry", [teeRegistry], { id: "settlement_registry" });
}

/**
 * The same for `--part tee`, where the deployer stays administrator. On a development chain it may approve images at
 * once besides; the hand-over takes that back.
 */
export function teeModule(
  module: Plan,
  parameters: {
    settlementWindow: number;
    attestation: AttestationParameters;
    isDevelopmentChain: boolean;
  },
) {
  const core = coreModule(module, parameters);
  const { accessManager, inferenceSettlement } = core;
  const contracts = attestationModule(module, { ...parameters.attestation, accessManager });
  nameRegistry({ module, inferenceSettlement, teeRegistry: contracts.teeRegistry });
  if (parameters.isDevelopmentChain) {
    module.call(accessManager, "grantRole", [ROLES.IMAGE_APPROVER, module.deployer, 0], {
      id: "grant_IMAGE_APPROVER_development",
    });
  }
  return { ...core, ...contracts };
}
