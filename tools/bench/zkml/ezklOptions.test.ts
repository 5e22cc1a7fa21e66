import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const COMMAND = fileURLToPath(new URL("../cli.ts", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-ezkl-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the benchmark says to options that it refuses. */
const bench = (...args: string[]): Promise<{ status: unknown; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, "zkml", ...args], (error, out, err) =>
      resolve({ status: error === null ? 0 : error.code, out, err }),
    );
  });

it("refuses what is no Python with EZKL, and other options that are none, before it measures anything", async () => {
  const nothing = join(folder, "nothing");
  // as a Python without the package answers
  const bare = join(folder, "python");
  writeFileSync(
    bare,
    "#!/bin/sh\necho Traceback >&2\necho \"ModuleNotFoundError: No module named 'ezkl'\" >&2\nexit 1\n",
  );
  chmodSync(bare, 0o755);
  const asked = [
    { args: ["--ezkl", nothing], says: `--ezkl ${nothing}: does not exist` },
    {
      args: ["--ezkl", bare],
      says: `--ezkl ${bare}: not a Python that has the package ezkl: ModuleNotFoundError: No module named 'ezkl'`,
    },
    {
      args: ["--ezkl", bare, "--ezkl-models", "digits,lenet"],
      says: '--ezkl-models "lenet": none of digits, digits-cnn, brent-volatility, mlp784x64x10, mlp1.8m, mlp2m, lenet28',
    },
    {
      args: ["--ezkl", bare, "--ezkl-seconds", "1.5"],
      says: "--ezkl-seconds 1.5: not a whole number from 1 to 86400",
    },
  ];
  const answers = await Promise.all(asked.map(({ args }) => bench(...args)));
  for (const [index, { status, out, err }] of answers.entries()) {
    expect(err.trimEnd().split("\n")).toEqual([expect.stringContaining(asked[index]?.says ?? "")]);
    expect({ status, out }).toEqual({ status: 1, out: "" });
  }
});
