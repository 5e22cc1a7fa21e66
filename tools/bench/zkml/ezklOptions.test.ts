import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readEzklOptions } from "./ezklOptions.ts";

const COMMAND = fileURLToPath(new URL("../cli.ts", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-ezkl-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the benchmark says to options that it refuses. */
const bench = (...args: string[]): Promise<{ status: unknown; out: string; err: string }> =>
  new Promise((resolve) => {
    // without a prover an option that is accepted ends the benchmark as well, before it measures
    const env = { ...process.env, HACA_PROVER: "none" };
    execFile(process.execPath, [COMMAND, "zkml", ...args], { env }, (error, out, err) =>
      resolve({ status: error === null ? 0 : error.code, out, err }),
    );
  });

it("refuses what is no Python with EZKL before it measures anything", async () => {
  const nothing = join(folder, "nothing");
  // as a Python without the package answers
  const bare = join(folder, "python");
  writeFileSync(
    bare,
    "#!/bin/sh\necho Traceback >&2\necho \"ModuleNotFoundError: No module named 'ezkl'\" >&2\nexit 1\n",
  );
  chmodSync(bare, 0o755);
  const reasons = {
    [nothing]: "does not exist",
    [bare]: "not a Python that has the package ezkl: ModuleNotFoundError: No module named 'ezkl'",
  };
  await Promise.all(
    Object.entries(reasons).map(async ([python, why]) => {
      expect(await bench("--ezkl", python)).toEqual({
        status: 1,
        out: "",
        err: `error: --ezkl ${python}: ${why} [bench.option]\n`,
      });
    }),
  );
});

it("names the option that is none, also without --ezkl", () => {
  const given = { ezklModels: "digits", ezklSeconds: "60" };
  for (const [wrong, why] of [
    [{ ezklModels: "digits,lenet" }, '--ezkl-models "lenet": none of digits, digits-cnn, '],
    [{ ezklSeconds: "1.5" }, "--ezkl-seconds 1.5: not a whole number from 1 to 86400"],
    [{ ezklSeconds: "0" }, "--ezkl-seconds 0: not a whole number from 1 to 86400"],
  ] as const) {
    const options = { ...given, ...wrong };
    expect(() => readEzklOptions({ options, prover: undefined, exports: undefined })).toThrow(why);
  }
  expect(
    readEzklOptions({ options: given, prover: undefined, exports: undefined }),
  ).toBeUndefined();
});
