import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { readExports } from "./exports.ts";
import type { Ezkl } from "./ezklAt.ts";
import { type EzklRun, runEzkl } from "./runEzkl.ts";

/** How many of the exports of common tools EZKL proves, each from its own file, calibration and first test sample. */
export async function proveExportsByEzkl(parameters: {
  /** of the exports */
  folder: string;
  /** what is written there is removed again: EZKL's keys take hundreds of megabytes */
  workFolder: string;
  ezkl: Pick<Ezkl, "python">;
  /** the longest that EZKL may take for one */
  limitSeconds: number;
  onProgress: (line: string) => void;
}): Promise<{ figures: Record<string, number>; runs: Record<string, EzklRun> }> {
  const { folder, ezkl, limitSeconds, onProgress } = parameters;
  const runs: Record<string, EzklRun> = {};
  const exports = readExports(folder).filter(({ kind }) => kind === "export");
  for (const { name, file, calibration, test } of exports) {
    const work = join(parameters.workFolder, `ezkl-export-${name}`);
    mkdirSync(work, { recursive: true });
    try {
      const write = (to: string, from: string) =>
        writeFileSync(join(work, to), JSON.stringify(readSamples(join(folder, from)).inputs));
      write("calibration.json", calibration);
      write("samples.json", test);
      runs[name] = await runEzkl({
        // where it lies, beside what it names
        ...{ python: ezkl.python, folder: work, onnx: join(folder, file), limitSeconds },
        onProgress: (line) => onProgress(`${name}: EZKL: ${line}`),
      });
    } catch (error) {
      // samples of several inputs, for one, which `prove_by_ezkl.py` does not give
      if (!(error instanceof BaseError)) throw error;
      runs[name] = { seconds: {}, why: error.message };
      onProgress(`${name}: ${error.message}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const proved = Object.values(runs).filter(({ proof }) => proof !== undefined).length;
  return {
    figures: { "ezkl.exports.total": exports.length, "ezkl.exports.proved": proved },
    runs,
  };
}
