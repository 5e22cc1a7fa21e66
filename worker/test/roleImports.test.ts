import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROLES = join(import.meta.dirname, "../src/roles");

it("no role imports what puts roles together, or the HTTP interface of the queue", () => {
  const files = readdirSync(ROLES, { recursive: true, encoding: "utf8" });
  const importing = files
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => /from "(\.\.\/)+(start|api)\//.test(readFileSync(join(ROLES, name), "utf8")));
  expect(files.length).toBeGreaterThan(20);
  expect(importing).toEqual([]);
});
