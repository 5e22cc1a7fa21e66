import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { BaseError } from "@haca/protocol/baseError";
import type { Progress } from "./progress.ts";

const BUILT = join(import.meta.dirname, "../../../prover/target/release/haca-prover");

/**
 * The native prover to make keys with: a path, or `none`, or (where nothing is set) the one that
 * `npm run build:prover` makes. Nothing means snarkjs, also where the program is too old to make keys.
 *
 * Throws `prover.missing` when a path is set and nothing is there.
 */
export function findNativeProver(parameters: {
  /** `HACA_PROVER` */
  setting: string | undefined;
}): string | undefined {
  const { setting } = parameters;
  if (setting === "none") return undefined;
  const path = setting === undefined || setting === "" ? BUILT : resolve(setting);
  if (!existsSync(path)) {
    if (path === BUILT) return undefined;
    const message = `HACA_PROVER: ${path} does not exist`;
    throw new BaseError({ code: "prover.missing", message });
  }
  const { status, stdout } = spawnSync(path, ["contribute", "--help"], { encoding: "utf8" });
  return status === 0 && stdout.includes("--entropy-from") ? path : undefined;
}

/**
 * Runs a command of the native prover; what it says on the way goes to `onProgress`.
 *
 * Throws `setup.failed` with the program's reason.
 */
export function runNativeProver(parameters: {
  program: string;
  parameters: readonly string[];
  onProgress: Progress;
  /** its standard input; default: none */
  input?: string;
}): Promise<string> {
  const { program, onProgress, input } = parameters;
  return new Promise((settle, reject) => {
    const child = spawn(program, parameters.parameters, { stdio: ["pipe", "pipe", "pipe"] });
    // a program that ends without reading it says why itself
    child.stdin.on("error", () => {}).end(input ?? "");
    let output = "";
    let last = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (last !== "") onProgress(last);
      last = line.trim();
    });
    const fail = (reason: string, cause?: unknown) =>
      reject(
        new BaseError({
          code: "setup.failed",
          message: `${program} ${parameters.parameters[0]}: ${reason}`,
          cause,
        }),
      );
    child.once("error", (error) => fail(error.message, error));
    child.once("close", (code, signal) => {
      if (code === 0) {
        if (last !== "") onProgress(last);
        settle(output);
      } else {
        fail(last === "" ? `ended with ${signal ?? `status ${code}`}` : last);
      }
    });
  });
}

/** What makes keys and proofs, for lines that people read. */
export function proverName(program: string | undefined): string {
  return program === undefined ? "snarkjs" : "native prover";
}
