import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "packages");
const linesOf = (name: string): string[] =>
  readFileSync(join(FOLDER, name), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

it("the public network's packages are named by version and hash, and what they need by version", () => {
  const lists = readdirSync(FOLDER).filter((name) => name.startsWith("published-"));
  expect(lists).toEqual(["published-1.1.3.txt", "published-1.1.4.txt"]);
  for (const line of lists.flatMap(linesOf)) {
    expect(line).toMatch(/^[a-z0-9-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}$/);
  }
  const published = new Set(lists.flatMap(linesOf).map((line) => line.split("==")[0]));
  for (const line of linesOf("dependencies.txt")) {
    expect(line).toMatch(/^[\w-]+==[\w.]+$/);
    expect(published).not.toContain(line.split("==")[0]);
  }
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, "npm/package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  expect(Object.values(dependencies)).toEqual(["0.0.3"]);
});
