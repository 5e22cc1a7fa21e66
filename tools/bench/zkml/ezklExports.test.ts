import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { proveExportsByEzkl } from "./ezklExports.ts";
import { readEzklOptions } from "./ezklOptions.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-ezkl-exports-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** In the place of Python: makes keys and a proof of a model whose file says so, and fails with the others. */
const PROGRAM = `#!/bin/sh
if [ "$1" = -c ]; then echo ezkl 9.9.9; exit; fi
verb=$2; work=$3; model=$4
if [ "$(cat "$work/samples.json")" != "[[3,4]]" ]; then echo samples >&2; exit 1; fi
if [ "$(cat "$work/calibration.json")" != "[[1,2]]" ]; then echo calibration >&2; exit 1; fi
if grep -q "$verb fails" "$model"; then echo "no $verb" >&2; exit 1; fi
echo '{"step":"'"$verb"'","seconds":0.5}'
case $verb in
  keys) echo '{"result":{"version":"9.9.9","logrows":17,"inputScale":7,"paramScale":7,"provingKeyBytes":1,"verifyingKeyBytes":1,"peakMiB":1}}';;
  prove) echo '{"result":{"proofBytes":1,"peakMiB":1,"outputs":[[1]]}}';;
esac
`;

it("counts what EZKL proves of the exports, and says why it does not prove the others", async () => {
  const python = join(folder, "python");
  writeFileSync(python, PROGRAM);
  chmodSync(python, 0o755);
  const models = { good: "", keyless: "keys fails", proofless: "prove fails", probe: "" };
  writeFileSync(join(folder, "calibration.json"), JSON.stringify([[1, 2]]));
  writeFileSync(join(folder, "test.json"), JSON.stringify({ inputs: [[3, 4]] }));
  const entries = Object.entries(models).map(([name, content]) => {
    writeFileSync(join(folder, `${name}.onnx`), content);
    const kind = name === "probe" ? "probe" : "export";
    return { name, kind, file: `${name}.onnx`, calibration: "calibration.json", test: "test.json" };
  });
  writeFileSync(join(folder, "two.json"), JSON.stringify([{ a: [1], b: [2] }]));
  entries.push({ ...entries[0], name: "two", test: "two.json" } as (typeof entries)[number]);
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(entries));
  const workFolder = join(folder, "work");
  mkdirSync(workFolder);
  const lines: string[] = [];
  const { figures, runs } = await proveExportsByEzkl({
    ...{ folder, workFolder, ezkl: { python }, limitSeconds: 60 },
    onProgress: (line) => lines.push(line),
  });
  expect(figures).toEqual({ "ezkl.exports.total": 4, "ezkl.exports.proved": 1 });
  expect(runs).toMatchObject({
    good: { seconds: { keys: 0.5, prove: 0.5 }, proof: { outputs: [[1]] } },
    keyless: { seconds: {}, why: "no keys, after no step" },
    proofless: { seconds: { keys: 0.5 }, why: "no prove, after keys" },
    two: { seconds: {}, why: expect.stringContaining("two.json") },
  });
  expect(runs.keyless?.proof ?? runs.proofless?.proof).toBe(undefined);
  expect(lines).toContain("proofless: EZKL: no prove, after keys");
  expect(existsSync(workFolder) && readdirSync(workFolder)).toEqual([]);
});

it("is refused without EZKL, and without exports", () => {
  const given = { ezklModels: "digits", ezklSeconds: "60", ezklExports: true };
  expect(() => readEzklOptions({ options: given, prover: "prover", exports: folder })).toThrow(
    "--ezkl-exports: needs --ezkl",
  );
  const withEzkl = { ...given, ezkl: join(folder, "python") };
  expect(() =>
    readEzklOptions({ options: withEzkl, prover: "prover", exports: undefined }),
  ).toThrow("--ezkl-exports: HACA_FIXTURES names no folder of fixtures");
  expect(readEzklOptions({ options: withEzkl, prover: "prover", exports: folder })).toMatchObject({
    exports: folder,
    ezkl: { version: "9.9.9" },
  });
});
