import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/** All under the MIT licence; the compiler and the circuits are GPL-3.0, and so is what they import. */
const ALLOWED = /^(\.{1,2}\/|node:|zod$|@haca\/protocol\/)/;

it("imports nothing whose licence would bind who runs a model", () => {
  const source = fileURLToPath(new URL("../src", import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  expect(files).not.toEqual([]);
  const imported = files.flatMap((name) =>
    [...readFileSync(join(source, name), "utf8").matchAll(/(?:from|import\() ?"([^"]+)"/g)].map(
      ([, specifier = ""]) => `${name}: ${specifier}`,
    ),
  );
  expect(imported.filter((line) => !ALLOWED.test(line.split(": ")[1] ?? ""))).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(source, "..", "package.json"), "utf8"));
  expect(Object.keys(manifest.dependencies)).toEqual(["@haca/protocol", "zod"]);
});
