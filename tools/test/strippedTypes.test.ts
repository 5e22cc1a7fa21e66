import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

const HOOK = pathToFileURL(join(import.meta.dirname, "strippedTypes.mjs")).href;
const CACHE = join(PROJECT_ROOT, "node_modules", ".cache", "stripped-types", process.version);

let folder: string;
/** What the tests have put into the cache. */
let kept: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-stripped-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const path of kept) rmSync(path, { force: true });
  kept = [];
});

/** Where the stripped source of a text is kept. */
function placeOf(source: string): string {
  const path = join(CACHE, createHash("sha256").update(source).digest("hex"));
  kept.push(path);
  return path;
}

function run(source: string, name = "program.ts") {
  const path = join(folder, name);
  writeFileSync(path, source);
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--import", HOOK, path], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  return { status, stderr, stdout };
}

describe("what takes the types off", () => {
  it("leaves programs as they are, says nothing, and keeps what it made", () => {
    const source = `const a: number = 1;\nconsole.log(a, ${JSON.stringify(folder)});\n`;
    const place = placeOf(source);
    for (let time = 0; time < 2; time++) {
      expect(run(source)).toEqual({ status: 0, stderr: "", stdout: `1 ${folder}\n` });
    }
    expect(readFileSync(place, "utf8")).toBe(source.replace(": number", "        "));
  });

  it("reads what is kept in the place of the same text, and of no other", () => {
    const source = `console.log("own" as string, ${JSON.stringify(folder)});`;
    writeFileSync(placeOf(source), 'console.log("kept");');
    expect(run(source).stdout).toBe("kept\n");
    const changed = `${source}\nconsole.log("more");`;
    placeOf(changed);
    expect(run(changed).stdout).toBe(`own ${folder}\nmore\n`);
  });

  it("names places in the source as they are", () => {
    const source = `type A = string;\n// ${folder}\n\n  throw new Error("here" satisfies A);\n`;
    placeOf(source);
    expect(run(source).stderr).toContain("program.ts:4:9");
    expect(run(source).stderr).toContain("program.ts:4:9");
  });

  it("refuses what is no erasable syntax, with Node's reason, and keeps nothing of it", () => {
    const source = `enum Kind { A }\nconsole.log(Kind, ${JSON.stringify(folder)});`;
    const place = placeOf(source);
    const { status, stderr } = run(source);
    expect(status).toBe(1);
    expect(stderr).toContain("ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX");
    expect(existsSync(place)).toBe(false);
  });

  it("leaves other files to Node", () => {
    const source = `const a: string = ${JSON.stringify(folder)};\nconsole.log(a, typeof require);`;
    const place = placeOf(source);
    expect(run(source, "program.cts").stdout).toBe(`${folder} function\n`);
    expect(existsSync(place)).toBe(false);
  });
});
