import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { hashFile, loadModel, MANIFEST_FILE } from "@haca/model-runtime/loadModel";
import {
  type AddressBook,
  addressBookPath,
  readAddressBook,
  writeAddressBook,
} from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { explainRevert, revertData } from "@haca/protocol/explainRevert";
import { encodeVerifyingKey } from "@haca/protocol/groth16";
import type { Manifest } from "@haca/protocol/manifest";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { REGISTERED_INPUT_MODES, registeredModeOf } from "@haca/protocol/registeredInputMode";
import { keccak256, type Signer } from "ethers";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

/** What `zkml compile` wrote, as the registry wants it. */
export type CompiledModel = {
  folder: string;
  manifest: Manifest;
  /** SHA-256 of `manifest.json`, under which a folder server has it */
  manifestHash: string;
  /** as `IModelRegistry.VersionParams.verifyingKey` */
  verifyingKey: string;
};

/** Errors: those of `loadModel`, `model.invalid` for a key that is none. */
export async function loadCompiledModel(folder: string): Promise<CompiledModel> {
  const { manifest } = await loadModel({ folder });
  const path = join(folder, manifest.files.verificationKey);
  try {
    const verifyingKey = encodeVerifyingKey(JSON.parse(readFileSync(path, "utf8")));
    const manifestHash = await hashFile({ path: join(folder, MANIFEST_FILE), algorithm: "sha256" });
    return { folder, manifest, manifestHash, verifyingKey };
  } catch (cause) {
    throw new BaseError({ code: "model.invalid", message: `${path} is no verifying key`, cause });
  }
}

/**
 * Registers a compiled model under the signer's account, publishes a version with its verifying key and what names the key's
 * making, and adds it to the address book. What is there already is left as it is.
 */
export async function registerModel(parameters: {
  signer: Signer;
  chainId: number;
  model: CompiledModel;
  major: number;
  minor: number;
  /** where the files are stored; default: where a folder server has the manifest */
  blobId?: string;
}): Promise<{ entry: AddressBook["models"][number]; published: boolean }> {
  const { signer, chainId, model, major, minor } = parameters;
  const { folder, manifest, manifestHash, verifyingKey } = model;
  const csHash = `0x${manifest.setup.csHash}`;
  const transcriptHash = manifest.setup.transcript;
  const path = addressBookPath(chainId);
  const book = readAddressBook(path, chainId);

  const owner = await signer.getAddress();
  const { address } = book.contracts.ModelRegistry;
  const registry = contractAt({ name: "ModelRegistry", address, runner: signer });
  const modelId = computeModelId({ owner, slug: manifest.name });
  const versionId = computeVersionId({ modelId, major, minor });

  if (!(await isRegistered({ registry, modelId }))) {
    await (await registry.registerModel(manifest.name)).wait();
  }
  const { status } = await registry.settlementData(versionId);
  const published = status === 0n;
  if (published) {
    const sent = await registry.publishVersion(modelId, {
      major,
      minor,
      modelHash: manifest.hashes.model,
      blobId: parameters.blobId ?? manifestHash,
      circuitHash: manifest.hashes.r1cs,
      csHash,
      transcriptHash,
      verifyingKey,
      inputMode: REGISTERED_INPUT_MODES.indexOf(registeredModeOf(manifest)),
      inputLayout: [manifest.input.layout],
      outputLayout: manifest.outputs.map(({ layout }) => layout),
    });
    await sent.wait();
  }

  // a version that was published before may name another manifest or transcript, or none
  const there = await registry.getVersion(versionId);
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
    ...(there.blobId === manifestHash ? { manifestHash } : {}),
    ...(there.transcriptHash === transcriptHash && there.csHash === csHash
      ? { csHash, transcriptHash }
      : {}),
    artifacts: relative(PROJECT_ROOT, folder),
  };
  const models = [...book.models.filter((known) => known.versionId !== versionId), entry];
  writeAddressBook({ path, book: { ...book, models } });
  return { entry, published };
}

/** The registry reverts for a model that it does not know; every other failure is one. */
export async function isRegistered(parameters: {
  registry: ContractOf<"ModelRegistry">;
  modelId: string;
}): Promise<boolean> {
  const { registry, modelId } = parameters;
  try {
    await registry.getModel(modelId);
    return true;
  } catch (error) {
    if (explainRevert(revertData(error)).name === "ModelRegistry_ModelUnknown") return false;
    throw error;
  }
}
