import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@haca/model-runtime/loadModel";
import type { AddressBook } from "@haca/protocol/addressBook";
import { encodeVerifyingKey, type VerifyingKeyJson } from "@haca/protocol/groth16";
import { registeredInputMode, registeredModeOf } from "@haca/protocol/registeredInputMode";
import { keccak256 } from "ethers";
import { type Chain, callView } from "../chain/chain.ts";
import { describeError, StartError } from "../errors.ts";
import type { ServedModel } from "./servedModel.ts";
import { readVersionStatus } from "./versionStatus.ts";

/**
 * Loads compiled models and checks that each is what the address book and the chain say it is: the same
 * ONNX file, the same circuit, the same verifying key. An answer of any other model could never settle.
 * @throws StartError naming the folder and what differs; the provider's error where it cannot tell
 */
export async function loadServedModels(parameters: {
  folders: readonly string[];
  addressBook: AddressBook;
  chain: Chain;
}): Promise<ServedModel[]> {
  const { folders, addressBook, chain } = parameters;
  const models: ServedModel[] = [];
  for (const folder of folders) {
    const model = await loadFolder({ folder, addressBook });
    const { versionId } = model;
    const status = await readVersionStatus({ chain, versionId });
    if (status === "unknown") {
      throw mismatch(folder, `the chain has no version ${versionId} (${model.slug})`);
    }
    const key = encodeVerifyingKey(model.verifyingKey);
    const [published] = await callView({
      chain,
      contract: "modelRegistry",
      name: "getVerifyingKey",
      values: [versionId],
    });
    requireEqual(
      folder,
      "verifying key on the chain",
      keccak256(published as string),
      keccak256(key),
    );
    const [view] = await callView({
      chain,
      contract: "modelRegistry",
      name: "getVersion",
      values: [versionId],
    });
    const { inputMode, modelHash } = view as { inputMode: bigint; modelHash: string };
    requireEqual(folder, "model hash on the chain", modelHash, model.manifest.hashes.model);
    const mode = registeredInputMode(Number(inputMode));
    requireEqual(folder, "input mode on the chain", mode, registeredModeOf(model.manifest));
    models.push({ ...model, status });
  }
  return models;
}

async function loadFolder(parameters: {
  folder: string;
  addressBook: AddressBook;
}): Promise<Omit<ServedModel, "status">> {
  const { folder, addressBook } = parameters;
  const loaded = await loadModel({ folder }).catch((cause: unknown) => {
    throw new StartError({
      code: "model.unusable",
      message: `HACA_MODELS: ${folder}: ${describeError(cause)}`,
      cause,
    });
  });
  const { hashes, files, name } = loaded.manifest;
  const verifyingKey: VerifyingKeyJson = JSON.parse(
    readFileSync(join(folder, files.verificationKey), "utf8"),
  );
  const entries = addressBook.models.filter(({ slug }) => slug === name);
  // The newest version that was made from this very circuit; the checks below name what is wrong with it.
  const entry =
    entries.findLast(({ circuitHash }) => circuitHash === hashes.r1cs) ?? entries.at(-1);
  if (entry === undefined) {
    throw mismatch(folder, `the address book has no model ${name}: register it first`);
  }
  requireEqual(folder, "circuit hash in the address book", entry.circuitHash, hashes.r1cs);
  requireEqual(folder, "model hash in the address book", entry.modelHash, hashes.model);
  const keyHash = keccak256(encodeVerifyingKey(verifyingKey));
  requireEqual(folder, "verifying key hash in the address book", entry.verifyingKeyHash, keyHash);
  const { circuitHash, major, minor, modelHash, verifyingKeyHash, versionId } = entry;
  const same = { circuitHash, modelHash, verifyingKeyHash };
  const provable = entries.filter((other) =>
    Object.entries(same).every(([field, value]) => other[field as keyof typeof same] === value),
  );
  return {
    ...loaded,
    slug: name,
    major,
    minor,
    version: `${major}.${minor}`,
    versionId,
    provable: provable.map((one) => one.versionId),
    verifyingKey,
  };
}

function requireEqual(folder: string, what: string, expected: string, actual: string): void {
  if (expected === actual) return;
  throw mismatch(folder, `${what} is ${expected}, the folder has ${actual}`);
}

function mismatch(folder: string, reason: string): StartError {
  return new StartError({ code: "model.mismatch", message: `HACA_MODELS: ${folder}: ${reason}` });
}
