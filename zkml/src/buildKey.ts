import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildRequest } from "./buildRequest.ts";

/** Files whose content decides what comes out of a build, besides the model itself. */
const COMPILER_FOLDERS = [
  fileURLToPath(new URL(".", import.meta.url)),
  fileURLToPath(new URL("../../model-runtime/src", import.meta.url)),
];
const COMPILER_FILES = [
  ...["inputCommitment", "inputMode", "packedWords", "poseidon"].map((name) =>
    fileURLToPath(new URL(`../../protocol/src/${name}.ts`, import.meta.url)),
  ),
  fileURLToPath(new URL("../package.json", import.meta.url)),
  fileURLToPath(new URL("../../model-runtime/package.json", import.meta.url)),
];

/** SHA-256 over everything a build depends on; equal keys mean equal models, up to the setup's randomness. */
export function buildKey(parameters: {
  onnx: Uint8Array;
  /** files of weights that it names */
  external: ReadonlyMap<string, Uint8Array>;
  request: BuildRequest;
}): string {
  const hash = createHash("sha256");
  const add = (content: Uint8Array | string): void => {
    // each part is hashed on its own, so that no two sequences of parts run together
    hash.update(createHash("sha256").update(content).digest());
  };
  add(parameters.onnx);
  for (const [location, weights] of parameters.external) {
    add(location);
    add(weights);
  }
  add(JSON.stringify(parameters.request));
  for (const file of [...COMPILER_FOLDERS.flatMap(listFiles), ...COMPILER_FILES]) {
    add(readFileSync(file));
  }
  return `0x${hash.digest("hex")}`;
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
