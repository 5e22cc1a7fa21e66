import type { DeployOptions } from "../deploy.ts";
import type { Deployment } from "../openDeployment.ts";
import { probeChain } from "./probeChain.ts";

const CORE = ["AccessManager", "ModelRegistry", "InferenceSettlement"];
const ATTESTATION = [
  ...["EcdsaP384", "CertificateStore", "NitroAttestationVerifier", "SigningKeys", "TEERegistry"],
  "TEERegistryLens",
];
const GOVERNANCE = [
  ...["TimelockController", "GenesisDistribution", "OPG", "VestingFactory", "VestingVault"],
  ...["MerkleAirdrop", "HacaGovernor", "NodeBonds"],
];

/** What of a part of the deployment does not work on a chain; errors as of `probeChain`. */
export async function probeFor(parameters: {
  deployment: Pick<Deployment, "hre" | "provider">;
  part: DeployOptions["part"];
}): Promise<string[]> {
  const { deployment, part } = parameters;
  const names = [
    ...CORE,
    ...(part === "core" ? [] : ATTESTATION),
    ...(part === undefined ? GOVERNANCE : []),
  ];
  const artifacts = await Promise.all(
    names.map((name) => deployment.hre.artifacts.readArtifact(name)),
  );
  const { provider } = deployment;
  return probeChain({ provider, artifacts, hasAttestation: part !== "core" });
}
