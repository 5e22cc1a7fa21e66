import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { keyMaker } from "../src/setup/keyMaker.ts";
import { findNativeProver } from "../src/setup/nativeProver.ts";

const folder = mkdtempSync(join(tmpdir(), "haca-key-maker-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that does what a shell script says. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

describe("a contribution by the native prover", () => {
  const contribute = (prover: string) =>
    keyMaker({ prover, onProgress: () => {} }).contribute({
      ...{ from: "0.zkey", to: "1.zkey", name: "Ada" },
      entropy: Buffer.from("4 2 6"),
    });

  it("has its entropy in standard input, and in no command line", async () => {
    const recorder = program("recorder", `echo "$@" > "$0.args"; cat > "$0.input"`);
    await contribute(recorder);
    await contribute(program("again", `cat > "$0.input"`));
    const args = readFileSync(`${recorder}.args`, "utf8");
    const [first, second] = ["recorder", "again"].map((name) =>
      readFileSync(join(folder, `${name}.input`), "utf8"),
    );
    expect(args).toBe("contribute 0.zkey 1.zkey --name=Ada --entropy-from=-\n");
    expect(first).toMatch(/^[0-9a-f]{128}$/);
    // what the system draws is in it
    expect(second).not.toBe(first);
  });

  it("fails with the reason of a program that reads nothing", async () => {
    await expect(contribute(program("full", "echo no space left >&2; exit 1"))).rejects.toThrow(
      /full contribute: no space left$/,
    );
  });
});

describe("a native prover that is too old to take entropy from a file", () => {
  it("makes no keys", () => {
    expect(findNativeProver({ setting: program("old", "echo '--entropy <text>'") })).toBe(
      undefined,
    );
    const current = program("current", "echo '--entropy-from <file>'");
    expect(findNativeProver({ setting: current })).toBe(current);
  });
});
