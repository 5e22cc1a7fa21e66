import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { modelRegistryAbi } from "@haca/protocol/abi";
import {
  type AddressBook,
  addressBookPath,
  readAddressBook,
  writeAddressBook,
} from "@haca/protocol/addressBook";
import { encodeVerifyingKey } from "@haca/protocol/groth16";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { loadModel } from "@haca/zkml/loadModel";
import { Contract, isError, keccak256, type Signer, ZeroHash } from "ethers";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

/**
 * Registers a compiled model under the signer's account, publishes a version with its verifying key, and
 * adds it to the address book. What is there already is left as it is.
 */
export async function registerModel(parameters: {
  signer: Signer;
  chainId: number;
  /** folder of the compiled model */
  folder: string;
  major: number;
  minor: number;
}): Promise<{ entry: AddressBook["models"][number]; published: boolean }> {
  const { signer, chainId, folder, major, minor } = parameters;
  const path = addressBookPath(chainId);
  const book = readAddressBook(path);
  const { manifest } = await loadModel({ folder });
  const verifyingKey = encodeVerifyingKey(
    JSON.parse(readFileSync(join(folder, manifest.files.verificationKey), "utf8")),
  );

  const owner = await signer.getAddress();
  const registry = new Contract(book.contracts.ModelRegistry.address, modelRegistryAbi, signer);
  const modelId = computeModelId({ owner, slug: manifest.name });
  const versionId = computeVersionId({ modelId, major, minor });

  const call = async (name: string, ...values: unknown[]): Promise<void> => {
    const transaction = await registry.getFunction(name).send(...values);
    await transaction.wait();
  };
  const { owner: knownOwner } = await registry
    .getFunction("getModel")
    .staticCall(modelId)
    .catch(ownerOfUnknownModel);
  if (knownOwner === undefined) await call("registerModel", manifest.name);
  const { status } = await registry.getFunction("settlementData").staticCall(versionId);
  const published = status === 0n;
  if (published) {
    await call("publishVersion", modelId, {
      major,
      minor,
      modelHash: manifest.hashes.model,
      blobId: ZeroHash,
      circuitHash: manifest.hashes.r1cs,
      verifyingKey,
      inputLayout: [manifest.input.layout],
      outputLayout: manifest.outputs.map(({ layout }) => layout),
    });
  }

  const entry = {
    slug: manifest.name,
    owner,
    modelId,
    versionId,
    major,
    minor,
    modelHash: manifest.hashes.model,
    circuitHash: manifest.hashes.r1cs,
    verifyingKeyHash: keccak256(verifyingKey),
    artifacts: relative(PROJECT_ROOT, folder),
  };
  const models = [...book.models.filter((model) => model.versionId !== versionId), entry];
  writeAddressBook({ path, book: { ...book, models } });
  return { entry, published };
}

/** The registry reverts for a model that it does not know; every other failure is one. */
function ownerOfUnknownModel(error: unknown): { owner?: string } {
  const isUnknown =
    isError(error, "CALL_EXCEPTION") && error.revert?.name === "ModelRegistry_ModelUnknown";
  if (!isUnknown) throw error;
  return {};
}
