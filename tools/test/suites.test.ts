import { globSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { findImports } from "../rooms/findImports.ts";
import { readTree } from "../rooms/readTree.ts";
import { BUILD, SUITES } from "./suites.ts";

describe("the suites", () => {
  it("have names of their own, and wait for steps that there are", () => {
    const names = [BUILD.name, ...SUITES.map(({ name }) => name)];
    expect(new Set(names).size).toBe(names.length);
    for (const { after = [] } of SUITES) expect(names).toEqual(expect.arrayContaining([...after]));
  });

  it("wait for the build where a test of theirs, or a program, loads what it generates", () => {
    const generated = globSync("{protocol,indexer,test/contracts}/generated/*.ts", {
      cwd: PROJECT_ROOT,
    });
    const tree = new Map(readTree({ root: PROJECT_ROOT, revision: "HEAD" }));
    for (const path of generated) tree.set(path, "");
    const imports = findImports(tree);
    const loads = (file: string): boolean => {
      const seen = new Set([file]);
      for (const path of seen) for (const next of imports.get(path) ?? []) seen.add(next);
      return generated.some((path) => seen.has(path));
    };
    expect(loads("protocol/src/registeredVersion.ts")).toBe(true);
    const early = SUITES.filter(({ after = [] }) => !after.includes(BUILD.name));
    const found = early.flatMap(({ command }) => {
      const folder = command[0] === "vitest" ? command[command.indexOf("--root") + 1] : undefined;
      return [...tree.keys()].filter((path) => path.startsWith(`${folder}/`) && loads(path));
    });
    expect(found).toEqual([]);
  });

  it("run every vitest configuration of the project, each once, whole or in all its parts", () => {
    const ofVitest = SUITES.flatMap(({ command }) =>
      command[0] === "vitest"
        ? [{ command, root: command[command.indexOf("--root") + 1] ?? "" }]
        : [],
    );
    const each = [...new Set(ofVitest.map(({ root }) => root))];
    const roots = each.flatMap((root) => {
      const suites = ofVitest.filter((suite) => suite.root === root);
      const found = suites.map(({ command }) =>
        command.find((word) => word.startsWith("--shard=")),
      );
      const all = suites.map((_, index) => `--shard=${index + 1}/${suites.length}`);
      // What is found otherwise is there twice, or not whole.
      const isWhole = suites.length === 1 && found[0] === undefined;
      return isWhole || found.join() === all.join() ? [root] : found.map(String);
    });
    const configurations = globSync("**/vitest.config.ts", {
      cwd: PROJECT_ROOT,
      exclude: (name) => name === "node_modules",
    });
    expect(roots.sort()).toEqual(configurations.map(dirname).sort());
  });
});
