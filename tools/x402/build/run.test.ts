import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { run } from "./run.ts";

/** Reads as the compiler does: whoever has asked for `process.stdin` waits for nothing in `readFileSync`. */
const COUNT = `process.stdin.isTTY; process.stdout.write(String(require("node:fs").readFileSync(0).length))`;

describe("run", () => {
  it("hands in more than a pipe holds, to a program that does not wait", async () => {
    const length = 4 << 20;
    const counted = run(process.execPath, ["-e", COUNT], "x".repeat(length));
    // Nothing is written from here meanwhile.
    execFileSync(process.execPath, ["-e", ""]);
    execFileSync(process.execPath, ["-e", ""]);
    await expect(counted).resolves.toBe(String(length));
  });

  it("gives no input where there is none", async () => {
    await expect(run(process.execPath, ["-e", COUNT])).resolves.toBe("0");
  });

  it("says what was wrong, and not where a stack begins", async () => {
    await expect(
      run(process.execPath, ["-e", "throw new TypeError('no such tree')"]),
    ).rejects.toThrow("TypeError: no such tree");
  });

  it("says how a program ended that says nothing", async () => {
    await expect(run(process.execPath, ["-e", "process.exit(7)"])).rejects.toThrow(
      "it ended with 7",
    );
    await expect(run("/no/such/program", [])).rejects.toThrow("it ended with ENOENT");
  });
});
