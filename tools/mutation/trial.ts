import { BaseError } from "@haca/protocol/baseError";
import type { Artifact, Builds } from "./builds.ts";
import type { Compiler } from "./compiler.ts";
import { applyMutant, type Mutant } from "./mutant.ts";
import { type Suites, suitesOf } from "./suites.ts";
import type { Workspace } from "./workspace.ts";

/** `invalid`: does not compile; `same`: the compiler makes the same code of it. Neither counts. */
export type Verdict = "killed" | "timeout" | "survived" | "invalid" | "same";

const KINDS = ["mocha", "solidity"] as const;

/** A mutant may take as much longer than its contract's unchanged code. */
const SLOWER = 5;
const ALLOWANCE_MS = 30_000;
const BASELINE_LIMIT_MS = 900_000;

/** The hash of a contract's sources, which stands at its end and in the code of what creates it. */
const METADATA = /a264697066735822[0-9a-f]{68}64736f6c6343[0-9a-f]{6}0033/g;

/** By suites: how long a mutant may take. Shared, so that unchanged code is run once. */
export type TimeLimits = Map<string, Promise<number>>;

/** Tries mutants, one after another, in a workspace. */
export class Trials {
  readonly #builds: Builds;
  readonly #compiler: Compiler;
  readonly #workspace: Workspace;
  readonly #timeLimits: TimeLimits;

  constructor(parameters: {
    builds: Builds;
    compiler: Compiler;
    workspace: Workspace;
    timeLimits: TimeLimits;
  }) {
    this.#timeLimits = parameters.timeLimits;
    this.#builds = parameters.builds;
    this.#compiler = parameters.compiler;
    this.#workspace = parameters.workspace;
  }

  async try(parameters: { mutant: Mutant; source: string }): Promise<Verdict> {
    const { mutant, source } = parameters;
    const content = applyMutant({ source, mutant });
    let isSame = true;
    for (const kind of KINDS) {
      const timeLimitMs = await this.#timeLimit({ file: mutant.file, source, kind });
      const result = await this.#run({ file: mutant.file, content, kind, timeLimitMs, isSame });
      if (result.outcome === "invalid") return "invalid";
      isSame &&= result.isSame;
      if (result.outcome === "timeout") return "timeout";
      if (result.outcome === "failed") return "killed";
    }
    return isSame ? "same" : "survived";
  }

  #timeLimit(parameters: { file: string; source: string; kind: keyof Suites }): Promise<number> {
    const key = suitesFor(parameters.file, parameters.kind).join();
    const limit = this.#timeLimits.get(key) ?? this.#runUnchanged(parameters);
    this.#timeLimits.set(key, limit);
    return limit;
  }

  /**
   * Before the first mutant of some suites: the unchanged code, whose hash alone is another, must pass them as
   * mutants run, or every mutant would seem to be killed.
   */
  async #runUnchanged(parameters: {
    file: string;
    source: string;
    kind: keyof Suites;
  }): Promise<number> {
    const { file, source, kind } = parameters;
    const started = Date.now();
    const content = `${source}// The unchanged code.\n`;
    const run = { file, content, kind, timeLimitMs: BASELINE_LIMIT_MS, isSame: false };
    const { outcome, output } = await this.#run(run);
    if (outcome !== "passed") {
      throw new BaseError({
        code: "mutation.baseline",
        message: `${file}: its ${kind} suites do not pass on unchanged code (${outcome})\n${output}`,
      });
    }
    return SLOWER * (Date.now() - started) + ALLOWANCE_MS;
  }

  /** Compiles what the suites of one kind use and runs them, unless the code is the same. */
  async #run(parameters: {
    file: string;
    content: string;
    kind: keyof Suites;
    timeLimitMs: number;
    isSame: boolean;
  }): Promise<{
    outcome: "passed" | "failed" | "timeout" | "invalid";
    isSame: boolean;
    output: string;
  }> {
    const { file, content, kind, timeLimitMs } = parameters;
    const suites = suitesFor(file, kind);
    if (suites.length === 0) return { outcome: "passed", isSame: true, output: "" };
    // Solidity suites and their handlers hold the code that they test.
    const artifacts = this.#builds
      .dependants(file)
      .filter(({ source }) => kind === "solidity" || !isOfSoliditySuites(source));
    let isSame = parameters.isSame;
    try {
      for (const id of new Set(artifacts.map(({ buildInfoId }) => buildInfoId))) {
        const group = artifacts.filter(({ buildInfoId }) => buildInfoId === id);
        const code = await this.#compile({ artifacts: group, file, content });
        if ("error" in code) return { outcome: "invalid", isSame: false, output: code.error };
        isSame &&= code.isSame;
      }
      if (isSame) return { outcome: "passed", isSame, output: "" };
      return { ...(await this.#workspace.test({ kind, suites, timeLimitMs })), isSame };
    } finally {
      this.#workspace.restore();
    }
  }

  async #compile(parameters: {
    artifacts: readonly Artifact[];
    file: string;
    content: string;
  }): Promise<{ isSame: boolean } | { error: string }> {
    const { artifacts } = parameters;
    const output = await this.#compiler.compile(this.#builds.input(parameters));
    if ("error" in output) return output;
    let isSame = true;
    for (const { path, source, name, bytecode } of artifacts) {
      const evm = output.contracts[source]?.[name]?.evm;
      if (evm === undefined) return { error: `${name} is missing in the compiler's output` };
      const code = `0x${evm.bytecode.object}`;
      isSame &&= code.replace(METADATA, "") === bytecode.replace(METADATA, "");
      this.#workspace.patch(path, {
        bytecode: code,
        deployedBytecode: `0x${evm.deployedBytecode.object}`,
        linkReferences: evm.bytecode.linkReferences,
        deployedLinkReferences: evm.deployedBytecode.linkReferences,
        immutableReferences: evm.deployedBytecode.immutableReferences,
      });
    }
    return { isSame };
  }
}

const isOfSoliditySuites = (source: string): boolean =>
  /\.t\.sol$|Handler\.sol$|\/proofs\//.test(source);

function suitesFor(file: string, kind: keyof Suites): readonly string[] {
  const suites = suitesOf(file);
  if (suites !== undefined) return suites[kind];
  throw new BaseError({
    code: "mutation.noSuites",
    message: `${file} has no row in tools/mutation/suites.ts`,
  });
}
