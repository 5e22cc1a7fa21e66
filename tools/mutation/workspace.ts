import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, sep } from "node:path";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import type { Suites } from "./suites.ts";

/** Nothing that the contracts' suites need; secrets least of all. */
const LEFT_OUT = new Set([".git", "node_modules", "target", "coverage", "data", "bench", "types"]);
const LEFT_OUT_PATHS = new Set([
  "cache/build-info",
  "cache/compile-cache.json",
  "indexer",
  "prover",
]);

export type Outcome = "passed" | "failed" | "timeout";

/**
 * A copy of the project in the system's temporary folder, with a link to its node_modules. Mutated code is written
 * here alone.
 */
export class Workspace {
  readonly #folder = mkdtempSync(join(tmpdir(), "haca-mutation-"));
  readonly #originals = new Map<string, string>();
  #killRun: (() => void) | undefined;

  constructor() {
    cpSync(PROJECT_ROOT, this.#folder, {
      recursive: true,
      filter: (path) => {
        const name = basename(path);
        const place = relative(PROJECT_ROOT, path).split(sep).join("/");
        return !LEFT_OUT.has(name) && !LEFT_OUT_PATHS.has(place) && !name.startsWith(".env");
      },
    });
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(this.#folder, "node_modules"));
  }

  /** Changes fields of an artifact until `restore`. */
  patch(path: string, fields: Readonly<Record<string, unknown>>): void {
    const file = join(this.#folder, path);
    const original = this.#originals.get(path) ?? readFileSync(file, "utf8");
    this.#originals.set(path, original);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(original), ...fields }));
  }

  restore(): void {
    for (const [path, original] of this.#originals)
      writeFileSync(join(this.#folder, path), original);
    this.#originals.clear();
  }

  /** Runs suites of one kind until the first failure; without suites, passes. */
  async test(parameters: {
    kind: keyof Suites;
    suites: readonly string[];
    timeLimitMs: number;
  }): Promise<{ outcome: Outcome; output: string }> {
    const { kind, suites, timeLimitMs } = parameters;
    if (suites.length === 0) return { outcome: "passed", output: "" };
    const bail = kind === "mocha" ? ["--bail"] : [];
    const hardhat = join(this.#folder, "node_modules", "hardhat", "dist", "src", "cli.js");
    // A group of its own, so that whatever a suite started ends with it.
    const child = spawn(
      process.execPath,
      [hardhat, "test", kind, "--no-compile", ...bail, ...suites],
      {
        cwd: this.#folder,
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          HACA_FIXTURES:
            process.env.HACA_FIXTURES ?? join(PROJECT_ROOT, "..", "shared", "fixtures"),
        },
      },
    );
    let output = "";
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    let isLate = false;
    this.#killRun = () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    };
    const timer = setTimeout(() => {
      isLate = true;
      this.#killRun?.();
    }, timeLimitMs);
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("close", resolve);
      child.once("error", reject);
    });
    clearTimeout(timer);
    this.#killRun = undefined;
    return { outcome: isLate ? "timeout" : status === 0 ? "passed" : "failed", output };
  }

  remove(): void {
    this.#killRun?.();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
