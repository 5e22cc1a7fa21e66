import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import type { Mutant } from "./mutant.ts";
import type { Verdict } from "./trial.ts";

export type Result = { mutant: Mutant; verdict: Verdict | "argued"; seconds: number };

const isKilled = ({ verdict }: Result): boolean => verdict === "killed" || verdict === "timeout";
/** Whether a mutant says something about the suites. */
export const isCounted = (result: Result): boolean =>
  isKilled(result) || result.verdict === "survived";

/** Percent killed of those that count; nothing counted is no score. */
export function scoreOf(results: readonly Result[]): number | undefined {
  const counted = results.filter(isCounted).length;
  if (counted === 0) return undefined;
  return Math.round((10_000 * results.filter(isKilled).length) / counted) / 100;
}

/** What a person reads at the end. */
export function describeResults(results: readonly Result[]): string {
  const files = [...new Set(results.map(({ mutant }) => mutant.file))].sort();
  const row = (name: string, some: readonly Result[]): string[] => [
    name,
    String(some.filter(isCounted).length),
    String(some.filter(isKilled).length),
    String(some.filter(({ verdict }) => verdict === "invalid").length),
    String(some.filter(({ verdict }) => verdict === "same" || verdict === "argued").length),
    scoreOf(some)?.toFixed(2) ?? "-",
  ];
  const table = formatTable({
    columns: ["contract", "counted", "killed", "invalid", "equivalent", "score %"],
    rows: [
      ...files.map((file) =>
        row(
          file,
          results.filter(({ mutant }) => mutant.file === file),
        ),
      ),
      row("all", results),
    ],
  });
  const survivors = results.filter(({ verdict }) => verdict === "survived");
  if (survivors.length === 0) return `${table}\n\nno survivors`;
  return [table, "", "survivors", ...survivors.map(({ mutant }) => describe(mutant))].join("\n");
}

export function describe({ file, line, operator, original, mutated }: Mutant): string {
  const short = (text: string): string => text.replace(/\s+/g, " ").slice(0, 100);
  return `${file}:${line}  ${operator}  ${short(original)}  →  ${short(mutated) || "(nothing)"}`;
}

const FOLDER = join(PROJECT_ROOT, "bench", "out");
const FILE = join(FOLDER, "mutation.json");

/** A mutant with the state of its file, so that a changed file's mutants are others. */
export const keyOf = (mutant: Mutant, source: string): string =>
  createHash("sha256")
    .update(JSON.stringify([mutant, source]))
    .digest("hex");

/**
 * What the last run of this seed found, by `keyOf`, without its survivors. Errors: `mutation.noReport`,
 * `mutation.otherSeed`.
 */
export function readDecided(parameters: {
  seed: string;
  sources: ReadonlyMap<string, string>;
}): Map<string, Result> {
  const { seed, sources } = parameters;
  if (!existsSync(FILE)) {
    throw new BaseError({ code: "mutation.noReport", message: `--again: there is no ${FILE}` });
  }
  const { details }: { details: { seed: string; results: (Result & { key: string })[] } } =
    JSON.parse(readFileSync(FILE, "utf8"));
  if (details.seed !== seed) {
    throw new BaseError({
      code: "mutation.otherSeed",
      message: `--again: the last run has seed ${details.seed}, not ${seed}`,
    });
  }
  const decided = new Map<string, Result>();
  for (const { key, ...result } of details.results) {
    const isSame = keyOf(result.mutant, sources.get(result.mutant.file) ?? "") === key;
    if (isSame && result.verdict !== "survived") decided.set(key, result);
  }
  return decided;
}

/** Writes `bench/out/mutation.json`. */
export function writeReport(parameters: {
  seed: string;
  /** part of the files' paths; empty for all */
  only: string;
  asked: number;
  sources: ReadonlyMap<string, string>;
  results: readonly Result[];
}): void {
  const { seed, only, asked, sources, results } = parameters;
  mkdirSync(FOLDER, { recursive: true });
  const figures = {
    "mutation.score": scoreOf(results) ?? 0,
    "mutation.sampled": results.filter(isCounted).length,
    "mutation.killed": results.filter(isKilled).length,
  };
  const details = {
    ...{ seed, only, asked },
    results: results.map((result) => ({
      ...result,
      key: keyOf(result.mutant, sources.get(result.mutant.file) ?? ""),
    })),
  };
  writeFileSync(FILE, `${JSON.stringify({ figures, details }, undefined, 2)}\n`);
}
