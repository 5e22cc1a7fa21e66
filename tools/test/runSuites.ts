import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { runInLanes } from "./lanes.ts";
import { SuiteProcess } from "./suiteProcess.ts";
import { closingLine, reconcile, type SuiteResult } from "./suiteResult.ts";
import { BUILD, type Command, type Suite } from "./suites.ts";

export type Ended = { name: string; result: SuiteResult; seconds: number };

/** Writes to standard output. */
type Print = (text: string | Buffer) => void;

/** How often a run in lanes says what it is at: what watches it takes a long silence for the end. */
const PROGRESS_MS = 60_000;

const rule = (text: string): string => `\n━━━ ${text}\n`;

/**
 * Runs suites in lanes. In one lane the output is shown as it comes; in more, a suite's whole output when it has
 * ended, so that no two are mixed, with a line when it starts.
 */
export class SuiteRun {
  readonly #lanes: number;
  readonly #print: Print;
  readonly #build: Command;
  readonly #running = new Map<string, SuiteProcess>();
  /** why nothing may start any more */
  #stopReason: BaseError | undefined;

  constructor(parameters: { lanes: number; print: Print; build?: Command }) {
    this.#lanes = parameters.lanes;
    this.#print = parameters.print;
    this.#build = parameters.build ?? BUILD;
  }

  /** The results, by the order of `suites`. Errors: `test.buildFailed`, `test.interrupted`. */
  async run(suites: readonly Suite[]): Promise<Ended[]> {
    const results = new Map<string, Ended>();
    const build = this.#build;
    const needsBuild = suites.some(({ after = [] }) => after.includes(build.name));
    const progress = setInterval(() => this.#printProgress(), PROGRESS_MS);
    try {
      await runInLanes<Command | Suite>({
        steps: [...(needsBuild ? [build] : []), ...suites],
        lanes: this.#lanes,
        run: async (step) => {
          if ("count" in step) results.set(step.name, await this.#runSuite(step));
          else await this.#runBuild(step);
        },
      });
    } finally {
      clearInterval(progress);
    }
    return suites.flatMap(({ name }) => results.get(name) ?? []);
  }

  /** Ends everything that runs and shows what it had printed; `run` fails with the reason. */
  async stop(
    reason = new BaseError({ code: "test.interrupted", message: "stopped before the end" }),
  ): Promise<void> {
    this.#stopReason ??= reason;
    const running = [...this.#running];
    await Promise.all(running.map(([, process]) => process.stop()));
    if (this.#lanes === 1) return;
    for (const [name, { output }] of running) this.#print(`${rule(`${name}: stopped`)}${output}`);
  }

  #printProgress(): void {
    const names = [...this.#running.keys()].join(" and ");
    if (this.#lanes > 1 && names !== "") this.#print(`  … ${names}\n`);
  }

  async #runBuild(build: Command): Promise<void> {
    const { exitStatus, output } = await this.#process(build);
    if (exitStatus === 0) return;
    if (this.#lanes > 1) this.#print(`${rule(build.name)}${output}`);
    await this.stop(
      new BaseError({ code: "test.buildFailed", message: "the contracts do not compile" }),
    );
    this.#refuseIfStopped();
  }

  async #runSuite({ name, command, count, ...rest }: Suite): Promise<Ended> {
    const folder = mkdtempSync(join(tmpdir(), "haca-test-"));
    const report = join(folder, "report.json");
    const reportOption = command[0] === "vitest" ? [`--outputFile.json=${report}`] : [];
    try {
      const ran = await this.#process({
        ...{ ...rest, name, command: [...command, ...reportOption] },
      });
      const { output, exitStatus, seconds } = ran;
      const result = reconcile({ counted: count({ output, report }), exitStatus });
      if (this.#lanes > 1) {
        const summary = `${name}: ${closingLine(result)} in ${seconds.toFixed(1)} s`;
        this.#print(`${rule(summary)}${output}`);
      }
      return { name, result, seconds };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #process(parameters: Pick<Command, "name" | "command" | "environment">) {
    const { name, command, environment = () => ({}) } = parameters;
    this.#refuseIfStopped();
    this.#print(this.#lanes > 1 ? `▸ ${name} starts\n` : rule(name));
    const started = performance.now();
    const child = new SuiteProcess(command, {
      environment: environment(),
      onOutput: (chunk) => {
        if (this.#lanes === 1) this.#print(chunk);
      },
    });
    this.#running.set(name, child);
    const exitStatus = await child.exit();
    this.#running.delete(name);
    this.#refuseIfStopped();
    return { exitStatus, output: child.output, seconds: (performance.now() - started) / 1000 };
  }

  #refuseIfStopped(): void {
    if (this.#stopReason !== undefined) throw this.#stopReason;
  }
}
