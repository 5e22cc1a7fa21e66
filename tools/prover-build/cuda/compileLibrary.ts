import { existsSync, mkdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { PROVER_FOLDER } from "../runCargo.ts";
import { checkKernels, checkSymbols } from "./checkSymbols.ts";
import { findHeaders, type Headers } from "./headers.ts";
import { runTool } from "./runTool.ts";

const SOURCES = join(PROVER_FOLDER, "cuda");
/** Ampere and Hopper in machine code; what is newer compiles the last one's intermediate code when it starts. */
const NEWEST = 90;
const ARCHITECTURES: readonly number[] = [80, NEWEST];

/** What the library is compiled for. */
export type Target = {
  /** nvcc's options that say what kernels are compiled to */
  codes: readonly string[];
  /** a C++ source, and a static library that it needs, in place of CUDA's run-time library */
  runtime?: { source: string; library: string };
};

type Unit = { name: string; command: readonly string[] };

/** How long a part took to compile, and how large it is. */
export type Part = { name: string; seconds: number; bytes: number };

/**
 * Compiles and links `libhaca_cuda.so`, for devices of every supported architecture unless said otherwise.
 * @returns the library's parts and itself, last
 * @throws BaseError `cuda.tool`, `cuda.headers`, `cuda.symbols`
 */
export async function compileLibrary(parameters: {
  nvcc: string;
  folder: string;
  target?: Target;
  onPart?: (part: Part) => void;
}): Promise<Part[]> {
  const { nvcc, folder, target = devices(ARCHITECTURES), onPart = () => undefined } = parameters;
  const headers = await findHeaders();
  mkdirSync(folder, { recursive: true });
  const units = unitsOf({ nvcc, folder, headers, target });
  const parts: Part[] = [];
  const waiting = [...units];
  const work = async (): Promise<void> => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      const part = await timed({ unit, path: objectOf({ folder, name: unit.name }) });
      parts.push(part);
      onPart(part);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));

  const library = join(folder, "libhaca_cuda.so");
  const part = await timed({
    unit: linked({ nvcc, folder, library, units, target }),
    path: library,
  });
  onPart(part);
  const symbols = await runTool({
    program: "nm",
    parameters: ["--dynamic", "--defined-only", library],
  });
  checkSymbols(symbols);
  const sums = units.filter(({ name }) => name.startsWith("msm_"));
  const listings = sums.map(({ name }) =>
    runTool({ program: "nm", parameters: [objectOf({ folder, name })] }),
  );
  checkKernels(await Promise.all(listings));
  return [...parts, part];
}

function unitsOf(parameters: {
  nvcc: string;
  folder: string;
  headers: Headers;
  target: Target;
}): Unit[] {
  const { nvcc, folder, headers, target } = parameters;
  const device = (source: string, name: string, ...macros: string[]): Unit => ({
    name,
    command: [
      ...[nvcc, "-std=c++17", "-O3", ...target.codes, "-DNDEBUG", "-DFEATURE_BN254"],
      ...["-DTAKE_RESPONSIBILITY_FOR_ERROR_MESSAGE", ...macros.map((macro) => `-D${macro}`)],
      ...["-Xcompiler", "-fPIC,-fvisibility=hidden", "-I", headers.sppark],
      ...["-I", join(headers.blst, "src"), "-c", resolve(SOURCES, source)],
      ...["-o", objectOf({ folder, name })],
    ],
  });
  const host = (source: string, name: string): Unit => ({
    name,
    command: [
      ...["cc", "-O2", "-fPIC", "-fvisibility=hidden", "-D__BLST_PORTABLE__"],
      ...["-c", join(headers.blst, source), "-o", objectOf({ folder, name })],
    ],
  });
  return [
    device("msm.cu", "msm_g2", "HACA_G2", "HACA_MAKE=make_g2", "HACA_STREAMS=haca::G2_STREAMS"),
    ...["first", "second"].map((set) =>
      device(
        "msm.cu",
        `msm_g1_${set}`,
        `HACA_MAKE=make_g1_${set}`,
        `HACA_STREAMS=haca::G1_${set.toUpperCase()}_STREAMS`,
      ),
    ),
    device("quotient.cu", "quotient"),
    device("key.cu", "key"),
    device("stream_sets.cu", "stream_sets"),
    device("interface.cpp", "interface"),
    host("src/cpuid.c", "cpuid"),
    host("build/assembly.S", "assembly"),
    ...(target.runtime === undefined ? [] : [device(target.runtime.source, "runtime")]),
  ];
}

/** Devices of these architectures, by their compute capability times ten. */
export function devices(architectures: readonly number[]): Target {
  const codes = architectures.flatMap((architecture) => {
    const virtual = `arch=compute_${architecture}`;
    const machine = `${virtual},code=sm_${architecture}`;
    const intermediate = `${virtual},code=compute_${architecture}`;
    return [machine, ...(architecture === NEWEST ? [intermediate] : [])].flatMap((code) => [
      "-gencode",
      code,
    ]);
  });
  return { codes };
}

function linked(parameters: {
  nvcc: string;
  folder: string;
  library: string;
  units: readonly Unit[];
  target: Target;
}): Unit {
  const { nvcc, folder, library, units, target } = parameters;
  const objects = units.map(({ name }) => objectOf({ folder, name }));
  // The Python packages keep libraries where nvcc does not look.
  const libraries = join(dirname(nvcc), "..", "lib");
  const search = existsSync(libraries) ? ["-L", libraries] : [];
  const symbols = `--version-script=${join(SOURCES, "exports.map")}`;
  const { runtime: replaced } = target;
  const runtime = replaced === undefined ? ["static"] : ["none", replaced.library];
  const how = ["-shared", ...search, "-Xlinker", symbols];
  return {
    name: basename(library),
    command: [nvcc, ...how, ...objects, "-cudart", ...runtime, "-o", library],
  };
}

async function timed(parameters: { unit: Unit; path: string }): Promise<Part> {
  const { unit, path } = parameters;
  const [program = "", ...rest] = unit.command;
  const started = performance.now();
  await runTool({ program, parameters: rest });
  const seconds = (performance.now() - started) / 1000;
  return { name: unit.name, seconds, bytes: statSync(path).size };
}

function objectOf(parameters: { folder: string; name: string }): string {
  return join(parameters.folder, `${parameters.name}.o`);
}
