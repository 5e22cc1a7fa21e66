import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import { hashFile } from "../sha256.ts";

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

/** The record of a file that was generated or checked here, compared with the file's hash. */
export async function readPtauRecord(ptau: string): Promise<PtauRecord> {
  if (!existsSync(ptau)) {
    throw new BaseError({ code: "ptau.missing", message: `no powers-of-tau file at ${ptau}` });
  }
  if (!existsSync(recordPath(ptau))) {
    throw new BaseError({
      code: "ptau.unchecked",
      message: `${ptau} was never checked: run \`ptau --file ${ptau} --blake2b <published hash>\` first`,
    });
  }
  const parsed = ptauRecordSchema.safeParse(JSON.parse(readFileSync(recordPath(ptau), "utf8")));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new BaseError({
      code: "ptau.recordInvalid",
      message: `${recordPath(ptau)}: ${issue?.path.join(".")}: ${issue?.message}`,
    });
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

/** The power in the header of a powers-of-tau file. */
export function readPtauPower(bytes: Uint8Array): number {
  const fail = (reason: string) => new BaseError({ code: "ptau.malformed", message: reason });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // "ptau", version, number of sections; header section: type, size, field size, field order, power, ceremony power
  if (bytes.length < 68 || Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "ptau") {
    throw fail("not a powers-of-tau file");
  }
  const fieldSize = view.getUint32(24, true);
  if (view.getUint32(12, true) !== 1 || fieldSize !== 32) {
    throw fail("the first section is not a BN254 header");
  }
  return view.getUint32(28 + fieldSize, true);
}
