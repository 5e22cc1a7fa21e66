import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ACCESS_TABLE } from "@haca/protocol/accessTable";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../../lib/projectRoot.ts";
import { ACTIONS } from "./actions.ts";

/** Who may call a function without any permission, in the words of the document. */
const UNRESTRICTED = ["anyone", "own"];
const COLUMNS = /^\| `([^`]+)` \| (.+?) \|(?: (.+) \|)?$/;

/** docs/access-control.md, which a test of the contracts compares with them: who may call what, and why without action. */
function readDocument() {
  const who = new Map<string, string>();
  const reasons = new Map<string, string>();
  let heading = "";
  for (const line of readFileSync(join(PROJECT_ROOT, "docs", "access-control.md"), "utf8").split(
    "\n",
  )) {
    heading = /^## (.+)$/.exec(line)?.[1] ?? heading;
    const [, name = "", second = "", third] = COLUMNS.exec(line) ?? [];
    if (name === "") continue;
    if (third === undefined) who.set(`${heading}.${name}`, second);
    else reasons.set(`${name}.${second.replaceAll("`", "")}`, third);
  }
  return { who, reasons };
}

const { who, reasons } = readDocument();
const declared = new Set<string>(ACTIONS.flatMap(({ functions }) => functions));
const restricted = [...who].filter(([, caller]) => !UNRESTRICTED.includes(caller));

it("has an action for every function that not everybody may call, or says why it has none", () => {
  for (const { contract, functions } of ACCESS_TABLE) {
    for (const signature of functions) {
      expect(restricted.map(([name]) => name)).toContain(`${contract}.${signature}`);
    }
  }
  const missing = restricted.flatMap(([name]) =>
    declared.has(name) || reasons.has(name) ? [] : name,
  );
  expect(missing).toEqual([]);
});

it("says so of no function that has an action, that everybody may call, or that is not there", () => {
  expect(reasons.size).toBeGreaterThan(0);
  const needless = [...reasons.keys()].filter(
    (name) => declared.has(name) || !restricted.some(([known]) => known === name),
  );
  expect(needless).toEqual([]);
});

it("declares for its actions functions that there are, of roles which carry them out", () => {
  for (const { name, by, functions } of ACTIONS) {
    expect(functions.length, name).toBeGreaterThan(0);
    for (const signature of functions) {
      const caller = who.get(signature);
      expect(caller, `${name}: ${signature}`).toBeDefined();
      expect(caller === "GUARDIAN", `${name}: ${signature}`).toBe(by === "guardian");
      expect(caller === "REGISTRAR", `${name}: ${signature}`).toBe(by === "role");
    }
  }
});
