import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { WHEELS_HOME } from "./wheels.ts";

/** Where NVIDIA's own installers put the toolkit. */
const USUAL_HOME = "/usr/local/cuda";

/**
 * The CUDA compiler: below CUDA_HOME, on the PATH, where it usually is, or as Python packages if these were fetched.
 * @returns its path, if there is one
 */
export function findNvcc(
  parameters: { environment?: NodeJS.ProcessEnv; usualHome?: string; wheelsHome?: string } = {},
): string | undefined {
  const {
    environment = process.env,
    usualHome = USUAL_HOME,
    wheelsHome = WHEELS_HOME,
  } = parameters;
  const homes = [environment.CUDA_HOME].filter((home) => home !== undefined && home !== "");
  const folders = [
    ...homes.map((home) => join(home ?? "", "bin")),
    ...(environment.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
    join(usualHome, "bin"),
    join(wheelsHome, "bin"),
  ];
  return folders.map((folder) => join(folder, "nvcc")).find((path) => existsSync(path));
}
