/** `npm run build:prover:cuda`: the CUDA library of the native prover. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { compileLibrary } from "./cuda/compileLibrary.ts";
import { findNvcc } from "./cuda/findNvcc.ts";
import { nvccFromWheels } from "./cuda/wheels.ts";
import { PROVER_FOLDER } from "./runCargo.ts";

const MEBIBYTE = 1024 * 1024;

async function buildCuda(values: {
  wheels?: boolean;
  compileCheck?: boolean;
  fetch?: boolean;
}): Promise<void> {
  if (values.fetch) {
    console.log(`nvcc is in ${await nvccFromWheels()}`);
    return;
  }
  const check = values.compileCheck;
  const nvcc = values.wheels || check ? await nvccFromWheels() : findNvcc();
  if (nvcc === undefined) {
    throw new BaseError({
      code: "cuda.noNvcc",
      message:
        "nvcc is neither below CUDA_HOME nor on the PATH nor in /usr/local/cuda: install the CUDA toolkit, or give --wheels",
    });
  }
  const folder = join(PROVER_FOLDER, "target", "cuda");
  console.log(`compiling with ${nvcc}: a few minutes`);
  const started = performance.now();
  await compileLibrary({
    nvcc,
    folder,
    onPart: ({ name, seconds, bytes }) =>
      console.log(`${name}: ${seconds.toFixed(0)} s, ${(bytes / MEBIBYTE).toFixed(1)} MiB`),
  });
  const library = join(folder, "libhaca_cuda.so");
  console.log(`compiled in ${((performance.now() - started) / 1000).toFixed(0)} s: ${library}`);
  if (check) return;
  const release = join(PROVER_FOLDER, "target", "release");
  mkdirSync(release, { recursive: true });
  copyFileSync(library, join(release, "libhaca_cuda.so"));
  console.log(
    "prover/target/release/libhaca_cuda.so is in place; haca-prover uses it from its next start",
  );
}

await runProgram(
  createProgram({
    name: "build:prover:cuda",
    summary:
      "Compiles prover/target/release/libhaca_cuda.so, which haca-prover loads where there is a CUDA device. " +
      "nvcc (CUDA 12 or newer) is taken from CUDA_HOME, the PATH or /usr/local/cuda. See docs/gpu.md.",
  })
    .option(
      "--wheels",
      "nvcc from NVIDIA's Python packages (fetched into data/, where later commands find it)",
    )
    .option(
      "--compile-check",
      "the same, but the library is only compiled, not put beside haca-prover",
    )
    .option("--fetch", "only fetch the packages")
    .action(buildCuda),
);
