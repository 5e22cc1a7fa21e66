import { dirname, join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROVER_FOLDER } from "../runCargo.ts";
import { runTool } from "./runTool.ts";

/** Folders of the sources that the CUDA library is compiled with. */
export type Headers = { sppark: string; blst: string };

/**
 * Has cargo fetch the crates that carry the headers, as Cargo.lock pins them.
 * @throws BaseError `cuda.tool`, `cuda.headers`
 */
export async function findHeaders(): Promise<Headers> {
  const manifest = join(PROVER_FOLDER, "crates", "cuda", "Cargo.toml");
  const parameters = ["metadata", "--locked", "--format-version", "1", "--features", "headers"];
  const output = await runTool({
    program: "cargo",
    parameters: [...parameters, "--manifest-path", manifest],
  });
  const { packages } = JSON.parse(output) as {
    packages: { name: string; manifest_path: string }[];
  };
  const folderOf = (name: string): string => {
    const found = packages.find((candidate) => candidate.name === name);
    if (found !== undefined) return dirname(found.manifest_path);
    throw new BaseError({ code: "cuda.headers", message: `cargo knows no package ${name}` });
  };
  return { sppark: folderOf("risc0-sppark"), blst: join(folderOf("blst"), "blst") };
}
