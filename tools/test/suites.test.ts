import { globSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { BUILD, SUITES } from "./suites.ts";

describe("the suites", () => {
  it("have names of their own, and wait for steps that there are", () => {
    const names = [BUILD.name, ...SUITES.map(({ name }) => name)];
    expect(new Set(names).size).toBe(names.length);
    for (const { after = [] } of SUITES) expect(names).toEqual(expect.arrayContaining([...after]));
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
