import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Groth16ProofJson, VerifyingKeyJson } from "@haca/protocol/groth16";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const CACHE = join(ROOT, "cache", "test-circuits");
/** 2^8 constraints are more than the tests' circuits have. */
const POWER = "8";

/** Run as programs of their own: compiler and prover stay outside of the tests' process. */
const run = (program: string, folder: string, ...rest: string[]): void => {
  execFileSync(process.execPath, [program, ...rest], { cwd: folder, stdio: "pipe" });
};
const packageFile = (name: string, file: string): string => join(ROOT, "node_modules", name, file);
const SNARKJS = packageFile("snarkjs", "cli.js");
const CIRCOM = packageFile("circom2", "cli.js");

export type Circuit = {
  folder: string;
  verifyingKey: VerifyingKeyJson;
  /** the key of the setup before anybody contributed to it */
  unfinishedKey: VerifyingKeyJson;
};

/** Compiles a circuit of `test/contracts/circuits` and makes its keys; cached by the content of its source. */
export function compileCircuit(name: string): Circuit {
  const source = join(import.meta.dirname, "..", "circuits", `${name}.circom`);
  const version = (of: string): string => readFileSync(packageFile(of, "package.json"), "utf8");
  const hash = createHash("sha256")
    .update(readFileSync(source))
    .update(version("snarkjs"))
    .update(version("circom2"))
    .digest("hex");
  const folder = join(CACHE, hash.slice(0, 16));
  if (!existsSync(folder)) {
    mkdirSync(CACHE, { recursive: true });
    const draft = mkdtempSync(join(CACHE, "draft-"));
    makeKeys({ source, name, folder: draft });
    renameSync(draft, folder);
  }
  const key = (file: string): VerifyingKeyJson =>
    JSON.parse(readFileSync(join(folder, file), "utf8"));
  return { folder, verifyingKey: key("key.json"), unfinishedKey: key("unfinished.json") };
}

function makeKeys({ source, name, folder }: { source: string; name: string; folder: string }) {
  const snarkjs = (...rest: string[]): void => run(SNARKJS, folder, ...rest);
  run(CIRCOM, dirname(source), source, "--r1cs", "--wasm", "-o", folder);
  renameSync(join(folder, `${name}_js`, `${name}.wasm`), join(folder, "circuit.wasm"));
  snarkjs("powersoftau", "new", "bn128", POWER, "0.ptau");
  snarkjs("powersoftau", "contribute", "0.ptau", "1.ptau", "-e=first contribution");
  snarkjs("powersoftau", "prepare", "phase2", "1.ptau", "2.ptau");
  snarkjs("groth16", "setup", `${name}.r1cs`, "2.ptau", "0.zkey");
  snarkjs("zkey", "contribute", "0.zkey", "circuit.zkey", "-e=second contribution");
  snarkjs("zkey", "export", "verificationkey", "0.zkey", "unfinished.json");
  snarkjs("zkey", "export", "verificationkey", "circuit.zkey", "key.json");
}

/** A proof by snarkjs and the public signals that it is for. */
export function proveWithSnarkjs(parameters: {
  circuit: Circuit;
  signals: Record<string, string | string[]>;
}): { proof: Groth16ProofJson; publicSignals: bigint[] } {
  const folder = mkdtempSync(join(tmpdir(), "haca-proof-"));
  try {
    writeFileSync(join(folder, "input.json"), JSON.stringify(parameters.signals));
    const file = (name: string): string => join(parameters.circuit.folder, name);
    run(
      SNARKJS,
      folder,
      ...["groth16", "fullprove", "input.json", file("circuit.wasm"), file("circuit.zkey")],
      ...["proof.json", "public.json"],
    );
    const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
    return { proof: read("proof.json"), publicSignals: read("public.json").map(BigInt) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
