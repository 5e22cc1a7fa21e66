import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { Builds } from "./builds.ts";
import { Compiler } from "./compiler.ts";
import { isArgued, readEquivalents } from "./equivalent.ts";
import { applyMutant, type Mutant } from "./mutant.ts";
import {
  describe,
  describeResults,
  isCounted,
  keyOf,
  type Result,
  readDecided,
  writeReport,
} from "./report.ts";
import { drawSample } from "./sample.ts";
import { mutantsOf } from "./solidityMutators.ts";
import { type TimeLimits, Trials } from "./trial.ts";
import { Workspace } from "./workspace.ts";

/** What one mutant at a time is compiled and tested with. */
type Bench = { compiler: Compiler; workspace: Workspace };

/** Draws a sample, tries it and reports; a run that is stopped reports what it has. */
export async function runSample(parameters: {
  size: number;
  seed: string;
  only: string;
  minutes: number | undefined;
  jobs: number;
  isList: boolean;
  /** whether the last run's results stand, but for its survivors */
  isAgain: boolean;
}): Promise<void> {
  const { size, seed, only, minutes, jobs, isList, isAgain } = parameters;
  const builds = new Builds(PROJECT_ROOT);
  const contracts = builds.contracts().filter(({ file }) => file.includes(only));
  const mutants = contracts.flatMap(mutantsOf);
  if (mutants.length === 0) {
    throw new BaseError({ code: "mutation.nothing", message: `no mutants in ${only}` });
  }
  const sources = new Map(contracts.map(({ file, source }) => [file, source]));
  const shares = drawSample({ mutants, size, seed });
  console.log(`${mutants.length} mutants in ${contracts.length} files; seed ${seed}`);
  if (isList) {
    for (const { queue, count } of shares)
      console.log(queue.slice(0, count).map(describe).join("\n"));
    return;
  }

  const list = readEquivalents();
  const decided = isAgain ? readDecided({ seed, sources }) : new Map<string, Result>();
  const results: Result[] = [];
  const deadline = minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + minutes * 60_000;
  const left = [...shares];
  let counted = 0;
  const timeLimits: TimeLimits = new Map();
  const untried: BaseError[] = [];
  /** `undefined` where the suites are red without a change: the file has no verdicts, the others have. */
  const attempt = async (parameters: {
    trials: Trials;
    mutant: Mutant;
    source: string;
  }): Promise<Result | undefined> => {
    const { trials, mutant, source } = parameters;
    const started = Date.now();
    const isKnown = isArgued({ mutant, mutatedSource: applyMutant({ source, mutant }), list });
    try {
      const verdict = isKnown ? "argued" : await trials.try({ mutant, source });
      return { mutant, verdict, seconds: Math.round((Date.now() - started) / 100) / 10 };
    } catch (error) {
      if (!(error instanceof BaseError) || error.code !== "mutation.baseline") throw error;
      console.log(error.message);
      untried.push(error);
      return undefined;
    }
  };
  /** Tries one file after another until none is left. */
  const work = async (bench: Bench): Promise<void> => {
    const trials = new Trials({ builds, timeLimits, ...bench });
    for (let share = left.shift(); share !== undefined; share = left.shift()) {
      const source = sources.get(share.file) ?? "";
      let missing = share.count;
      for (const mutant of share.queue) {
        if (missing === 0 || Date.now() > deadline) break;
        const earlier = decided.get(keyOf(mutant, source));
        const result = earlier ?? (await attempt({ trials, mutant, source }));
        if (result === undefined) break;
        results.push(result);
        if (isCounted(result)) {
          missing -= 1;
          counted += 1;
        }
        if (earlier === undefined) {
          const { verdict, seconds } = result;
          console.log(`[${counted}/${size}] ${verdict} ${seconds} s  ${describe(mutant)}`);
        }
      }
    }
  };

  const benches = Array.from({ length: jobs }, () => ({
    compiler: new Compiler(),
    workspace: new Workspace(),
  }));
  const clear = (): void => {
    for (const { compiler, workspace } of benches) {
      compiler.stop();
      workspace.remove();
    }
  };
  const stop = (): void => {
    clear();
    report({ seed, only, size, sources, results });
    process.exit(1);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    await Promise.all(benches.map(work));
  } finally {
    clear();
  }
  report({ seed, only, size, sources, results });
  if (untried.length > 0) {
    throw new BaseError({
      code: "mutation.untried",
      message: `not tried, because their suites are red:\n${untried
        .map(({ message }) => message.split("\n", 1)[0])
        .join("\n")}`,
    });
  }
}

function report(parameters: {
  seed: string;
  only: string;
  size: number;
  sources: ReadonlyMap<string, string>;
  results: readonly Result[];
}): void {
  const { seed, only, size, sources, results } = parameters;
  writeReport({ seed, only, asked: size, sources, results });
  console.log(`\n${describeResults(results)}`);
}
