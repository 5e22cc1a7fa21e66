import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** Writes `bench/out/mutation.json`. */
export function writeReport(parameters: {
  seed: string;
  /** part of the files' paths; empty for all */
  only: string;
  asked: number;
  results: readonly Result[];
}): void {
  const { seed, only, asked, results } = parameters;
  const folder = join(PROJECT_ROOT, "bench", "out");
  mkdirSync(folder, { recursive: true });
  const figures = {
    "mutation.score": scoreOf(results) ?? 0,
    "mutation.sampled": results.filter(isCounted).length,
    "mutation.killed": results.filter(isKilled).length,
  };
  const details = { seed, only, asked, results };
  writeFileSync(
    join(folder, "mutation.json"),
    `${JSON.stringify({ figures, details }, undefined, 2)}\n`,
  );
}
