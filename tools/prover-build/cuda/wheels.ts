import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/lib/projectRoot.ts";
import { runTool } from "./runTool.ts";

/** NVIDIA's compiler as Python packages: compiler, its headers and back end, run-time library, C++ library. */
const WHEELS = [
  "nvidia-cuda-nvcc==13.0.88",
  "nvidia-cuda-crt==13.0.88",
  "nvidia-nvvm==13.0.88",
  "nvidia-cuda-runtime==13.0.96",
  "nvidia-cuda-cccl==13.0.85",
] as const;

const FOLDER = join(PROJECT_ROOT, "data", "cuda-toolchain");

/** Where the packages' compiler lies once it was fetched. */
export const WHEELS_HOME = join(FOLDER, "nvidia", "cu13");

/**
 * The compiler from the packages, which are fetched (about 100 MB) the first time. Their licence is NVIDIA's: they stay
 * in the folder that git ignores.
 * @returns path of nvcc
 * @throws BaseError `cuda.tool` where there is no pip, no network or no such version
 */
export async function nvccFromWheels(): Promise<string> {
  const nvcc = join(WHEELS_HOME, "bin", "nvcc");
  const complete = [
    nvcc,
    join(WHEELS_HOME, "nvvm"),
    join(WHEELS_HOME, "include"),
    join(WHEELS_HOME, "lib"),
  ];
  if (!complete.every((path) => existsSync(path))) {
    console.log(`fetching ${WHEELS.join(", ")}`);
    await runTool({
      program: "python3",
      parameters: ["-m", "pip", "install", "--quiet", "--no-deps", "--target", FOLDER, ...WHEELS],
    });
  }
  return nvcc;
}
