import { describe, expect, it } from "vitest";
import { findCycles, groupGraph } from "./findCycles.ts";
import { findImports } from "./findImports.ts";
import { findForbidden, measureCycles, measureLines } from "./measureRooms.ts";
import { isTest, nodeOf, packageOf, roomOf } from "./rooms.ts";

const graphOf = (edges: Record<string, string>) =>
  new Map(Object.entries(edges).map(([node, next]) => [node, new Set(next.split(""))]));

/** What the file `from` imports, by the names of the others. */
function importsOf(from: string, text: string, others: Record<string, string> = {}): string[] {
  const tree = new Map(Object.entries({ ...others, [from]: text }));
  return [...(findImports(tree).get(from) ?? [])];
}

describe("cycles", () => {
  it("are the groups that reach each other, however long the way", () => {
    const graph = graphOf({ a: "b", b: "c", c: "ad", d: "e", e: "", f: "g", g: "f" });
    expect(findCycles(graph)).toEqual([
      ["a", "b", "c"],
      ["f", "g"],
    ]);
  });

  it("are none where two ways lead to one place", () => {
    expect(findCycles(graphOf({ a: "bc", b: "d", c: "d", d: "" }))).toEqual([]);
  });

  it("of groups come of files that have none", () => {
    const graph = new Map([
      ["x/a", new Set(["y/a"])],
      ["y/b", new Set(["x/b"])],
      ["y/a", new Set<string>()],
    ]);
    expect(findCycles(graph)).toEqual([]);
    expect(findCycles(groupGraph(graph, ([room]) => room))).toEqual([["x", "y"]]);
  });

  it("are not made by tests", () => {
    const tree = new Map([
      ["worker/src/a/a.ts", 'import { b } from "../b/b.ts";'],
      ["worker/src/b/b.ts", ""],
      ["worker/src/b/b.test.ts", 'import { a } from "../a/a.ts";'],
    ]);
    expect(measureCycles(tree).rooms).toEqual([]);
    tree.set("worker/src/b/b.ts", 'export type { A } from "../a/a.ts";');
    expect(measureCycles(tree).rooms).toEqual([["worker/src/a", "worker/src/b"]]);
  });
});

describe("imports", () => {
  const worker = JSON.stringify({
    name: "@haca/worker",
    exports: { "./abi": "./generated/abi.ts", "./*": "./src/*.ts" },
  });

  it("are found by relative path, over lines and in calls", () => {
    const text =
      'import {\n  a,\n} from "./a.ts";\nawait import("../b.ts");\n// from "./c.ts"\nimport "./d.sol";';
    const others = { "x/a.ts": "", "b.ts": "", "x/c.ts": "", "x/d.sol": "" };
    expect(importsOf("x/main.ts", text, others)).toEqual(["x/a.ts", "b.ts", "x/d.sol"]);
  });

  it("are found by the name of a package of ours", () => {
    const text = 'import "@haca/worker/abi"; import "@haca/worker/x/y"; import "ethers";';
    const others = {
      "worker/package.json": worker,
      "worker/generated/abi.ts": "",
      "worker/src/x/y.ts": "",
    };
    expect(importsOf("scripts/a.ts", text, others)).toEqual([
      "worker/generated/abi.ts",
      "worker/src/x/y.ts",
    ]);
  });

  it("of Rust are found in groups, from a parent and in expressions, but not in inner tests", () => {
    const text = `
      use crate::{a::{One, Two}, b::c::Three};
      use super::sibling::Four;
      fn f() { crate::d::g() }
      #[cfg(test)]
      mod tests { use crate::e::Five; }`;
    const others = Object.fromEntries(
      ["a", "b/c", "m/sibling", "d", "e"].map((name) => [`p/crates/k/src/${name}.rs`, ""]),
    );
    expect(importsOf("p/crates/k/src/m/own.rs", text, others)).toEqual(
      ["a", "b/c", "m/sibling", "d"].map((name) => `p/crates/k/src/${name}.rs`),
    );
  });
});

describe("imports against the rooms' order", () => {
  it("are named, a source's import of a test too", () => {
    const tree = new Map([
      ["protocol/src/a.ts", 'import "../../zkml/src/b.ts";'],
      ["zkml/src/b.ts", 'import "../../protocol/src/a.ts"; import "../test/c.ts";'],
      ["zkml/test/c.ts", 'import "../../scripts/d.ts";'],
      ["worker/src/e.ts", 'import "../../test/f.ts";'],
      ["test/f.ts", ""],
      ["scripts/d.ts", ""],
    ]);
    expect(findForbidden(tree)).toEqual([
      "protocol/src/a.ts -> zkml/src/b.ts",
      "worker/src/e.ts -> test/f.ts",
    ]);
  });
});

describe("rooms", () => {
  it.each([
    ["worker/src/queue/a.ts", "worker/src/queue", "worker"],
    ["worker/src/roles/settle/a.ts", "worker/src/roles/settle", "worker"],
    ["worker/src/cli.ts", "worker", "worker"],
    ["prover/crates/cli/src/a.rs", "prover/crates/cli", "prover/crates/cli"],
    ["protocol/src/a.ts", "protocol", "protocol"],
    ["hardhat.config.ts", "(root)", "(root)"],
  ])("%s is in %s of %s", (path, room, outer) => {
    expect([roomOf(path), packageOf(path)]).toEqual([room, outer]);
  });

  it("are left out of cycles by files beside them", () => {
    expect(nodeOf("worker/src/cli.ts")).toBe("worker/src/cli.ts");
    expect(nodeOf("worker/src/jobs/a.ts")).toBe("worker/src/jobs");
    expect(nodeOf("protocol/src/a.ts")).toBe("protocol");
  });

  it("tell tests from the command that runs them", () => {
    expect(["worker/test/a.ts", "a/b.test.ts", "test/contracts/A.t.sol"].every(isTest)).toBe(true);
    expect(isTest("tools/test/cli.ts")).toBe(false);
    expect(isTest("tools/test/cli.test.ts")).toBe(true);
  });

  it("are measured by the lengths of their files", () => {
    const tree = new Map(
      Array.from({ length: 10 }, (_, i) => [`protocol/src/${i}.ts`, "\n".repeat(i + 1)]),
    );
    tree.set("protocol/test/a.ts", "one\ntwo");
    expect(measureLines(tree)).toEqual([
      { room: "protocol", files: 10, lines: 55, median: 5, p90: 9, maximum: 10 },
      { room: "protocol (tests)", files: 1, lines: 2, median: 2, p90: 2, maximum: 2 },
    ]);
  });
});
