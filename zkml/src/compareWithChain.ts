import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hashFile, loadModel, MANIFEST_FILE } from "@haca/model-runtime/loadModel";
import { encodeVerifyingKey } from "@haca/protocol/groth16";
import type { TensorLayout } from "@haca/protocol/packedWords";
import { registeredModeOf } from "@haca/protocol/registeredInputMode";
import { type RegisteredVersion, readRegisteredVersion } from "@haca/protocol/registeredVersion";

const ZERO = `0x${"0".repeat(64)}`;

/**
 * Compares a compiled model with a version of a chain's registry: model, circuit, layouts, what the input words are, the
 * verifying key with the delta at which its transcript ends, and the transcript from the circuit's hash on.
 *
 * @returns a line for everything that is equal and for every difference; `notes` are neither
 */
export async function compareWithChain(parameters: {
  /** of the compiled model */
  folder: string;
  /** URL of a JSON-RPC endpoint */
  rpc: string;
  registry?: string;
  versionId?: string;
}): Promise<{ equal: string[]; differences: string[]; notes: string[] }> {
  const { folder, ...chain } = parameters;
  const { manifest } = await loadModel({ folder });
  const version = await readRegisteredVersion({ ...chain, slug: manifest.name });
  const result = { equal: [] as string[], differences: [] as string[], notes: noteOn(version) };
  const compare = (name: string, found: string, expected: string): void => {
    if (found === expected) result.equal.push(`${name} on chain ${version.chainId}`);
    else result.differences.push(`${name}: the chain says ${found}, the folder ${expected}`);
  };
  compare("SHA-256 of the model", version.modelHash, manifest.hashes.model);
  compare("SHA-256 of the circuit", version.circuitHash, manifest.hashes.r1cs);
  const layouts = (list: readonly TensorLayout[]) =>
    list
      .map(
        (l) => `${l.count} of ${l.bits} bits${l.isSigned ? " signed" : ""}, 2^${l.scaleExponent}`,
      )
      .join("; ");
  compare("input mode", version.inputMode, registeredModeOf(manifest));
  compare("layout of the input", layouts(version.inputLayout), layouts([manifest.input.layout]));
  const outputs = manifest.outputs.map(({ layout }) => layout);
  compare("layout of the outputs", layouts(version.outputLayout), layouts(outputs));
  const key = JSON.parse(readFileSync(join(folder, manifest.files.verificationKey), "utf8"));
  if (version.verifyingKey === encodeVerifyingKey(key)) {
    result.equal.push(`verifying key on chain ${version.chainId}`);
  } else {
    result.differences.push(
      `verifying key: the chain has another than ${manifest.files.verificationKey}`,
    );
  }
  if (version.transcriptHash === ZERO) {
    result.notes.push("the chain names no transcript: it has the key, and not how it was made");
  } else {
    compare("csHash", version.csHash, `0x${manifest.setup.csHash}`);
    compare("SHA-256 of the transcript", version.transcriptHash, manifest.setup.transcript);
  }
  const path = join(folder, MANIFEST_FILE);
  const hash = await hashFile({ path, algorithm: "sha256" });
  // another blob id may be another store's of the very same file
  if (version.blobId === hash) compare("SHA-256 of the manifest", version.blobId, hash);
  else result.notes.push(`the chain's blob id ${version.blobId} is not the manifest's SHA-256`);
  return result;
}

const noteOn = ({ versionId, status, chainId }: RegisteredVersion): string[] => [
  `version ${versionId} of chain ${chainId} is ${status}`,
];
