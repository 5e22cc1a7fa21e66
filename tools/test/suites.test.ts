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

  it("run every vitest configuration of the project, each once", () => {
    const roots = SUITES.flatMap(({ command }) =>
      command[0] === "vitest" ? [command[command.indexOf("--root") + 1] ?? ""] : [],
    );
    const configurations = globSync("**/vitest.config.ts", {
      cwd: PROJECT_ROOT,
      exclude: (name) => name === "node_modules",
    });
    expect(roots.sort()).toEqual(configurations.map(dirname).sort());
  });
});
