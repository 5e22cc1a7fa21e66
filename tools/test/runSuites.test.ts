import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive, type ProcessId } from "../../testing/processTree.ts";
import { SuiteRun } from "./runSuites.ts";
import type { Suite } from "./suites.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-run-suites-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A suite that runs a program and counts the lines that begin with "ok" and with "not". */
function suite(name: string, program: string): Suite {
  const lines = (output: string, start: string) =>
    output.split("\n").filter((line) => line.startsWith(start)).length;
  return {
    name,
    seconds: 1,
    command: [process.execPath, "--input-type=module", "-e", program],
    count: ({ output }) => ({
      passed: lines(output, "ok"),
      failed: lines(output, "not"),
      skipped: 0,
      failures: [],
    }),
  };
}

/** Makes a file and waits for another. */
const meet = (mine: string, other: string): string => `
  import { existsSync, writeFileSync } from "node:fs";
  import { setTimeout } from "node:timers/promises";
  console.log("ok ${mine} 1");
  writeFileSync(${JSON.stringify(join(folder, mine))}, "");
  while (!existsSync(${JSON.stringify(join(folder, other))})) await setTimeout(10);
  console.log("ok ${mine} 2");`;

/** Tells its descendant's number and start, then never ends; the descendant leaves the group. */
const neverEnds = (file: string): string => `
  import { spawn } from "node:child_process";
  import { readFileSync, renameSync, writeFileSync } from "node:fs";
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });
  const stat = readFileSync("/proc/" + child.pid + "/stat", "utf8");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  console.log("ok so far");
  writeFileSync(${JSON.stringify(file)} + ".new", JSON.stringify({ pid: child.pid, started }));
  renameSync(${JSON.stringify(file)} + ".new", ${JSON.stringify(file)});
  setInterval(() => {}, 1000);`;

async function waitForFile(path: string): Promise<string> {
  for (;;) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function start(lanes: number, build?: string) {
  let printed = "";
  const run = new SuiteRun({
    lanes,
    ...(build === undefined
      ? {}
      : { build: { name: "build", seconds: 1, command: [process.execPath, "-e", build] } }),
    print: (text) => {
      printed += text.toString();
    },
  });
  return { run, printed: () => printed };
}

describe("a run of suites", () => {
  it("asks what a suite's environment has when the suite starts", async () => {
    let state = "before";
    const { run, printed } = start(1);
    const show = 'console.log("ok", process.env.STATE)';
    const after: Suite = {
      ...suite("b", show),
      ...{ environment: () => ({ STATE: state }), after: ["a"] },
    };
    const first = suite("a", show);
    const before: Suite = {
      ...first,
      count: (said) => {
        state = "then";
        return first.count(said);
      },
    };
    await run.run([before, after]);
    expect(printed()).toContain("ok undefined");
    expect(printed()).toContain("ok then");
  });

  it("keeps the whole output of each together, though they run at the same time", async () => {
    const { run, printed } = start(2);
    const results = await run.run([suite("a", meet("a", "b")), suite("b", meet("b", "a"))]);
    expect(results.map(({ name, result }) => [name, result.passed])).toEqual([
      ["a", 2],
      ["b", 2],
    ]);
    expect(printed()).toMatch(/^▸ a starts\n▸ b starts\n/);
    expect(printed()).toMatch(/━━━ a: 2 passed, 0 failed in .* s\nok a 1\nok a 2\n/);
    expect(printed()).toMatch(/━━━ b: 2 passed, 0 failed in .* s\nok b 1\nok b 2\n/);
  });

  it("shows the output as it comes in one lane", async () => {
    const { run, printed } = start(1);
    await run.run([suite("a", 'console.log("ok")'), suite("b", 'console.error("not")')]);
    expect(printed()).toBe("\n━━━ a\nok\n\n━━━ b\nnot\n");
  });

  it.each([1, 2])(
    "shows what failing suites say, in %d lanes, and runs the others",
    async (lanes) => {
      const { run, printed } = start(lanes);
      const results = await run.run([
        suite("crash", 'console.log("ok"); throw new Error("out of the blue")'),
        suite("failure", 'console.log("not good"); process.exitCode = 1'),
        { ...suite("missing", ""), command: ["/no/such/program"] },
        suite("signal", 'process.kill(process.pid, "SIGKILL")'),
        suite("good", 'console.log("ok")'),
      ]);
      expect(results.map(({ name, result }) => [name, result.passed, result.failed])).toEqual([
        ["crash", 1, 1],
        ["failure", 0, 1],
        ["missing", 0, 1],
        ["signal", 0, 1],
        ["good", 1, 0],
      ]);
      for (const text of ["out of the blue", "not good", "ENOENT"])
        expect(printed()).toContain(text);
    },
  );

  it.each([1, 2])("ends with the build, where that fails, in %d lanes", async (lanes) => {
    const { run, printed } = start(lanes, 'console.log("no such type"); process.exitCode = 1');
    const never = suite("meanwhile", "setInterval(() => {}, 1000)");
    const needing = { ...suite("needing", 'console.log("ok")'), after: ["build"] };
    await expect(run.run([needing, never])).rejects.toMatchObject({ code: "test.buildFailed" });
    expect(printed()).toContain("no such type");
    expect(printed()).not.toContain("needing");
  });

  it("does not build for suites that need nothing built", async () => {
    const { run, printed } = start(1, 'console.log("building")');
    await run.run([suite("a", 'console.log("ok")')]);
    expect(printed()).not.toContain("build");
  });

  it.runIf(process.platform === "linux")(
    "that is stopped leaves no process behind and shows what they had said",
    async () => {
      const { run, printed } = start(2);
      const files = [join(folder, "a"), join(folder, "b")];
      const suites = files.map((file) => suite(file, neverEnds(file)));
      const running = run.run([...suites, suite("later", 'console.log("ok")')]);
      const ended = expect(running).rejects.toMatchObject({ code: "test.interrupted" });
      const descendants: ProcessId[] = [];
      for (const file of files) descendants.push(JSON.parse(await waitForFile(file)));
      expect(descendants.map(isAlive)).toEqual([true, true]);
      await run.stop();
      await ended;
      expect(descendants.map(isAlive)).toEqual([false, false]);
      expect(printed().match(/stopped\nok so far/g)).toHaveLength(2);
      expect(printed()).not.toContain("later");
    },
  );
});
