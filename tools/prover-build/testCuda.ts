/** `npm run test:cuda`: the CUDA library on a machine that has a device, or on the CUDA emulator. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { compileLibrary } from "./cuda/compileLibrary.ts";
import { findNvcc } from "./cuda/findNvcc.ts";
import { hasDevice } from "./cuda/hasDevice.ts";
import { runDeviceTests } from "./cuda/runDeviceTests.ts";
import { runTool } from "./cuda/runTool.ts";
import { testEmulated, testEmulator } from "./cuda/testEmulated.ts";
import { nvccFromWheels } from "./cuda/wheels.ts";
import { PROVER_FOLDER, runCargo } from "./runCargo.ts";

const RELEASE = join(PROVER_FOLDER, "target", "release");
const COMPILED = join(PROVER_FOLDER, "target", "cuda");
const SANITIZER_LOG_SIZE = 12;
/**
 * Not initcheck: sppark leaves two of the four coordinates of a point at infinity unwritten and copies all four, which
 * does no harm and would be reported.
 */
const SANITIZER_TOOLS = ["memcheck", "racecheck", "synccheck"] as const;

async function testCuda(values: { simulate?: boolean; wheels?: boolean }): Promise<void> {
  if (!values.simulate && !hasDevice()) {
    throw new BaseError({
      code: "cuda.noDevice",
      message: "this machine has no CUDA device; --simulate tests on the CUDA emulator instead",
    });
  }
  const nvcc = values.wheels ? await nvccFromWheels() : findNvcc();
  if (nvcc === undefined) {
    throw new BaseError({
      code: "cuda.noNvcc",
      message: "no nvcc: install the CUDA toolkit, or give --wheels",
    });
  }
  if (values.simulate) {
    succeeded(await testEmulator({ profile: "release" }));
    succeeded(await testEmulated({ nvcc, profile: "release" }));
    console.log("every check on the emulated device passed");
    return;
  }
  console.log(`compiling with ${nvcc}`);
  await compileLibrary({ nvcc, folder: COMPILED, onPart: ({ name }) => console.log(name) });
  const library = join(COMPILED, "libhaca_cuda.so");
  succeeded(await runCargo({ parameters: ["build", "--release", "--locked"] }));
  succeeded(await runDeviceTests({ library, profile: "release" }));
  await sanitize({ nvcc, environment: { HACA_PROVER_CUDA_LIBRARY: library } });
  console.log("every check on the device passed");
}

function succeeded(status: number): void {
  if (status === 0) return;
  throw new BaseError({ code: "cuda.test", message: "a check failed: see above" });
}

/** One small proof under each of the sanitizer's tools. */
async function sanitize(parameters: {
  nvcc: string;
  environment: Record<string, string>;
}): Promise<void> {
  const { nvcc, environment } = parameters;
  const beside = join(dirname(nvcc), "compute-sanitizer");
  const program = existsSync(beside) ? beside : "compute-sanitizer";
  try {
    await runTool({ program, parameters: ["--version"] });
  } catch {
    console.log("skipped: compute-sanitizer is not installed");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "haca-cuda-"));
  try {
    const prefix = join(folder, "circuit");
    await runTool({
      program: join(RELEASE, "haca-test-setup"),
      parameters: ["model", String(SANITIZER_LOG_SIZE), "1", prefix],
    });
    const files = [`${prefix}.zkey`, `${prefix}.wtns`];
    const bench = ["bench", ...files, "--runs", "1", "--backend", "cuda"];
    for (const tool of SANITIZER_TOOLS) {
      const options = ["--tool", tool, "--error-exitcode", "9", join(RELEASE, "haca-prover")];
      await shown({ program, parameters: [...options, ...bench], environment });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function shown(parameters: {
  program: string;
  parameters: readonly string[];
  environment: Record<string, string>;
}): Promise<void> {
  const { program, environment } = parameters;
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters.parameters, {
      cwd: PROVER_FOLDER,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.once("error", reject);
    child.once("close", (code) => {
      const message = `${program} ended with status ${code}: see above`;
      if (code === 0) resolve();
      else reject(new BaseError({ code: "cuda.test", message }));
    });
  });
}

await runProgram(
  createProgram({
    name: "test:cuda",
    summary:
      "Builds the native prover and its CUDA library, then, on the device: compares proofs with the CPU's from 2^10 to " +
      "2^20, makes 200 proofs, loads and unloads keys, and runs NVIDIA's compute-sanitizer where it is installed. Ends " +
      "with status 1 where there is no device. See docs/gpu.md.",
  })
    .option(
      "--simulate",
      "on the CUDA emulator instead, after its own tests: the same library's PTX, checked for wrong accesses, races " +
        "and missing synchronisation; smaller circuits (HACA_DEEP=1: up to 2^17, an hour); HACA_SIMT_SEED=<number> draws another " +
        "order of blocks, warps and streams",
    )
    .option("--wheels", "nvcc from NVIDIA's Python packages, where there is none")
    .action(testCuda),
);
