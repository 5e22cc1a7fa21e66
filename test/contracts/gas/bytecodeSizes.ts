import { artifacts } from "hardhat";

/** Contracts that are deployed, or will be. Libraries are inlined into them. */
const DEPLOYED = [
  "InferenceSettlement",
  "ModelRegistry",
  "OPG",
  "VestingVault",
  "VestingFactory",
  "MerkleAirdrop",
  "GenesisDistribution",
  "HacaGovernor",
  "TimelockController",
  "EcdsaP384",
  "CertificateStore",
  "NitroAttestationVerifier",
  "SigningKeys",
  "TEERegistry",
  "LegacyAnswers",
  "TEERegistryLens",
  "LegacySettlement",
  "NodeBonds",
  "PageSettlement",
  "ValidatorStaking",
  "RewardRouter",
  "DataFeeds",
  "FeedReader",
  "InferenceEscrow",
  "JobFacilitator",
  "ChannelGates",
  "ChannelGate",
  "CommerceOperators",
  "CommerceOperator",
] as const;

/** Bytes of run-time code (EIP-170 allows 24,576). */
export async function bytecodeSizes(): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const name of DEPLOYED) {
    const { deployedBytecode } = await artifacts.readArtifact(name);
    sizes[name] = (deployedBytecode.length - 2) / 2;
  }
  return sizes;
}
