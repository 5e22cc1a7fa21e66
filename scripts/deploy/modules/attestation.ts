import { p384BaseTable } from "@haca/attestation/p384Base";
import { TEE_TYPES } from "@haca/protocol/attestationParameters";
import { ROLES } from "@haca/protocol/roles";
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { hexlify } from "ethers";
import type { AttestationParameters } from "../readAttestationParameters.ts";
import { accessCalls } from "./accessCalls.ts";
import { coreModule } from "./core.ts";

/**
 * The TEE registry and what verifies attestations for it, with the node types of the public network and the rules
 * of the access table. The types come first: until its rule is written, a function belongs to the administrator,
 * who is the deployer.
 */
export const attestationModule = (parameters: AttestationParameters) =>
  buildModule("Attestation", (module) => {
    const { accessManager } = module.useModule(coreModule);
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
    // Calls of one batch are sent in the order of their ids, so that the registry lists the types in theirs.
    const types = TEE_TYPES.map((name, type) =>
      module.call(teeRegistry, "addTEEType", [type, name], { id: `type_${type}_${name}` }),
    );
    accessCalls({
      ...{ module, accessManager, after: types },
      contracts: { TEERegistry: teeRegistry, CertificateStore: certificateStore },
    });
    return { ecdsaP384, certificateStore, verifier, signingKeys, teeRegistry };
  });

/**
 * The same for `--part tee`, where the deployer stays administrator. On a development chain it may approve images at
 * once besides; the hand-over takes that back.
 */
export const teeModule = (parameters: {
  attestation: AttestationParameters;
  isDevelopmentChain: boolean;
}) => {
  const attestation = attestationModule(parameters.attestation);
  const name = parameters.isDevelopmentChain ? "DevelopmentTee" : "Tee";
  return buildModule(name, (module) => {
    const core = module.useModule(coreModule);
    const contracts = module.useModule(attestation);
    if (parameters.isDevelopmentChain) {
      const grant = [ROLES.IMAGE_APPROVER, module.getAccount(0), 0];
      module.call(core.accessManager, "grantRole", grant, { id: "grant_IMAGE_APPROVER" });
    }
    return { ...core, ...contracts };
  });
};
