import { AbiCoder, keccak256 } from "ethers";

/** `keccak256(abi.encode(owner, slug))`: the id of a model, as `ModelRegistry` computes it. */
export function computeModelId(parameters: { owner: string; slug: string }): string {
  const { owner, slug } = parameters;
  return keccak256(AbiCoder.defaultAbiCoder().encode(["address", "string"], [owner, slug]));
}

/** `keccak256(abi.encode(modelId, major, minor))`: the id of a model version. */
export function computeVersionId(parameters: {
  modelId: string;
  major: number;
  minor: number;
}): string {
  const { modelId, major, minor } = parameters;
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(["bytes32", "uint32", "uint32"], [modelId, major, minor]),
  );
}
