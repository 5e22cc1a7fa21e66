import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { VARIABLES as GATEWAY } from "../../gateway/src/settings/variables.ts";
import { VARIABLES as INDEXER } from "../../indexer/launch/variables.ts";
import { VARIABLES as WORKER } from "../../worker/src/config/variables.ts";
import { PROJECT_ROOT } from "./projectRoot.ts";

/** Settings of the tests themselves, which npm scripts or a test's own parts set. */
const INTERNAL = ["HACA_SIMT_SEED"];
/** Read by the native prover, in Rust. */
const PROVER = ["HACA_PROVER_CUDA_LIBRARY"];

type Row = { name: string; standard: string | undefined };

/** Defaults of a role's settings, as far as they are the same for everybody. */
const rowsOf = (variables: Readonly<Record<string, { default?: string }>>): Row[] =>
  Object.entries(variables).map(([name, { default: standard }]) => ({ name, standard }));

const textOf = (path: string): string => readFileSync(join(PROJECT_ROOT, path), "utf8");

/** Rows of a page's settings tables: "`A`, `B` | `1`, `2` | meaning" is two. */
function tableOf(page: string): Row[] {
  const rows = textOf(page).matchAll(/^\| (`HACA_[^|]+?) *\| *([^|]*?) *\|/gm);
  return [...rows].flatMap(([, names = "", standards = ""]) => {
    const values = [...standards.matchAll(/`([^`]*)`/g)].map(([, value]) => value);
    return [...names.matchAll(/`(HACA_\w+)`/g)].map(([, name = ""], index) => ({
      name,
      standard: values[index],
    }));
  });
}

const namesOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.map(({ name }) => name).sort()),
];

/** Names that TypeScript reads from the environment or from Hardhat's keystore. */
function readBy(folder: string): string[] {
  const files = readdirSync(join(PROJECT_ROOT, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .flatMap((file) => namesIn(textOf(join(folder, file))));
}
const namesIn = (text: string): string[] =>
  [...text.matchAll(/(?:process\.env\.|configVariable\(")([A-Z][A-Z_]+)/g)].map(
    ([, name = ""]) => name,
  );

it(".env.example names every setting with its default, and no other", () => {
  const example = [...textOf(".env.example").matchAll(/^# ([A-Z][A-Z_]+)=(.*)$/gm)].map(
    ([, name = "", standard]) => ({ name, standard }),
  );
  const inCode = [
    "scripts",
    "worker/src",
    "gateway/src",
    "indexer/launch",
    "zkml/src",
    "test",
    "circuits/test",
  ]
    .flatMap(readBy)
    .concat(namesIn(textOf("hardhat.config.ts")))
    .filter((name) => /^HACA_|_RPC_URL$/.test(name) && !INTERNAL.includes(name));
  expect(namesOf(example)).toEqual([
    ...new Set(
      [...Object.keys({ ...WORKER, ...GATEWAY, ...INDEXER }), ...PROVER, ...inCode].sort(),
    ),
  ]);
  expect(example).toHaveLength(namesOf(example).length);
  for (const { name, standard } of [...rowsOf(WORKER), ...rowsOf(GATEWAY), ...rowsOf(INDEXER)]) {
    // The only default that is one role's alone: a worker must be told its chain.
    if (standard === undefined || name === "HACA_CHAIN_ID") continue;
    expect(example).toContainEqual({ name, standard });
  }
});

it.each([
  ["worker", ["docs/worker.md", "docs/operating.md"], WORKER],
  ["gateway", ["docs/gateway.md"], GATEWAY],
  ["indexer", ["docs/indexer.md"], INDEXER],
] as const)("the tables of the %s's settings are those of its code", (_, pages, variables) => {
  const rows = pages.flatMap(tableOf);
  expect(namesOf(rows)).toEqual(Object.keys(variables).sort());
  for (const { name, standard } of rowsOf(variables)) {
    // What follows from another setting is told in words.
    if (standard === undefined || standard === "") continue;
    const told = rows.filter((row) => row.name === name && row.standard !== undefined);
    expect(told.length, name).toBeGreaterThan(0);
    for (const row of told) expect(row).toEqual({ name, standard });
  }
});
