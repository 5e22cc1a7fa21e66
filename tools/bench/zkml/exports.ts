/** How many of the models that exporters wrote can be proved: each is compiled, proved and held to its error bound. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compileModel } from "@haca/zkml/compileModel";
import { readOnnxFile } from "@haca/zkml/onnx/readOnnxFile";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { z } from "zod";
import { PROJECT_ROOT } from "../../../scripts/lib/projectRoot.ts";

const fixturesSchema = z.array(
  z.object({
    name: z.string(),
    kind: z.enum(["export", "probe"]),
    file: z.string(),
    calibration: z.string(),
    test: z.string(),
  }),
);

export type ExportResult = {
  name: string;
  kind: "export" | "probe";
  isProved: boolean;
  seconds: number;
  constraints?: number;
  errors?: number[];
  why?: string;
};

/** The folder of exports, which is not part of the project; undefined where there is none. */
export function exportsFolder(): string | undefined {
  const folder = join(
    process.env.HACA_FIXTURES ?? join(PROJECT_ROOT, "..", "shared", "fixtures"),
    "onnx",
  );
  return existsSync(join(folder, "manifest.json")) ? folder : undefined;
}

/** What the folder of exports has. */
export function readExports(folder: string): z.infer<typeof fixturesSchema> {
  const manifest = readFileSync(join(folder, "manifest.json"), "utf8");
  return fixturesSchema.parse(JSON.parse(manifest));
}

/** Compiles every export; `compile` proves and verifies a sample, so that what compiles is proved. */
export async function measureExports(parameters: {
  folder: string;
  /** where models and powers of tau are written */
  workFolder: string;
  onResult: (result: ExportResult) => void;
}): Promise<ExportResult[]> {
  const { folder, workFolder, onResult } = parameters;
  const results: ExportResult[] = [];
  for (const { name, kind, ...files } of readExports(folder)) {
    const start = performance.now();
    const out = join(workFolder, name);
    const seconds = () => Math.round((performance.now() - start) / 10) / 100;
    let result: ExportResult;
    try {
      const { manifest: compiled } = await compileModel({
        ...readOnnxFile(join(folder, files.file)),
        name,
        calibration: readSamples(join(folder, files.calibration)),
        test: readSamples(join(folder, files.test)),
        out,
        rawScores: true,
        ptauFolder: join(workFolder, "ptau"),
      });
      const { constraints, outputErrors } = compiled.statistics;
      const errors = outputErrors === undefined ? {} : { errors: outputErrors };
      result = { name, kind, isProved: true, seconds: seconds(), constraints, ...errors };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      result = { name, kind, isProved: false, seconds: seconds(), why };
    }
    rmSync(out, { recursive: true, force: true });
    results.push(result);
    onResult(result);
  }
  return results;
}
