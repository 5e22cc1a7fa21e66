import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hashFile } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import { readPtauFile } from "./readPtauFile.ts";

/** What is known of a powers-of-tau file; lies beside it as `<file>.json`. */
export const ptauRecordSchema = z.strictObject({
  format: z.literal(1),
  /** circuits with fewer than 2^power constraints and public signals fit */
  power: z.int().min(1).max(28),
  /** development: made on this machine, whoever made it could forge proofs; ceremony: checked against a published hash */
  origin: z.enum(["development", "ceremony"]),
  sha256: z.string().regex(/^0x[0-9a-f]{64}$/),
});
export type PtauRecord = z.infer<typeof ptauRecordSchema>;

const recordPath = (ptau: string): string => `${ptau}.json`;

/**
 * The record of a file that was generated or checked here, compared with the file's hash and frame.
 * Throws `ptau.*`, naming the file.
 */
export async function readPtauRecord(ptau: string): Promise<PtauRecord> {
  const { power } = readPtauFile(ptau);
  if (!existsSync(recordPath(ptau))) {
    throw new BaseError({
      code: "ptau.unchecked",
      message: `${ptau} was never checked: run \`ptau --file ${ptau} --blake2b <published hash>\` first`,
    });
  }
  const invalid = (reason: string) =>
    new BaseError({ code: "ptau.recordInvalid", message: `${recordPath(ptau)}: ${reason}` });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(recordPath(ptau), "utf8"));
  } catch {
    throw invalid("is not JSON");
  }
  const parsed = ptauRecordSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`${issue?.path.join(".")}: ${issue?.message}`);
  }
  if (parsed.data.power !== power) {
    throw invalid(`says that the power is ${parsed.data.power}, the file is of power ${power}`);
  }
  const actual = await hashFile({ path: ptau, algorithm: "sha256" });
  if (actual !== parsed.data.sha256) {
    throw new BaseError({
      code: "ptau.hashMismatch",
      message: `${ptau}: SHA-256 is ${actual}, its record says ${parsed.data.sha256}`,
    });
  }
  return parsed.data;
}

export function writePtauRecord(parameters: { ptau: string; record: PtauRecord }): void {
  const path = recordPath(parameters.ptau);
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(parameters.record, null, 2)}\n`);
  renameSync(temporary, path);
}
