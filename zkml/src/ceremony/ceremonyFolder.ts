import { existsSync, linkSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hashFile } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import { type KeyTranscript, readKeyTranscript } from "../setup/keyTranscript.ts";
import { type PtauRecord, readPtauRecord } from "../setup/ptauRecord.ts";
import { openWorkFolder } from "../workFolder.ts";

/** Names in a ceremony's folder; keys are `0000.zkey`, `0001.zkey` and so on. */
export const RECORD_FILE = "ceremony.json";
export const R1CS_FILE = "circuit.r1cs";
const KEY_FILE = /^(\d{4})\.zkey$/;
const MAXIMUM_KEYS = 10_000;

const sha256 = z.string().regex(/^0x[0-9a-f]{64}$/, "must be 0x and 64 lower-case hex digits");

/** What a ceremony's keys are for. */
const ceremonyRecordSchema = z.strictObject({
  format: z.literal(1),
  /** name of the model */
  model: z.string(),
  /** SHA-256 of the circuit and of the powers of tau */
  r1cs: sha256,
  ptau: sha256,
});
export type CeremonyRecord = z.infer<typeof ceremonyRecordSchema>;

/** A key of a ceremony, and what it says of how it was made. */
export type CeremonyKey = { name: string; path: string; transcript: KeyTranscript };

/** A ceremony's folder as it was found. */
export type Ceremony = {
  folder: string;
  record: CeremonyRecord;
  r1cs: string;
  /** from the first key, which nobody has contributed to, to the latest */
  keys: CeremonyKey[];
  latest: CeremonyKey;
};

/**
 * Reads a ceremony's folder: the circuit is the record's, the keys are numbered without a gap, each is whole, and each goes
 * on where the one before it ended. Whether the secrets were known is for `verifyCeremony` to say.
 *
 * Throws `ceremony.missing`, `ceremony.malformed` and `zkey.malformed`, naming the file.
 */
export async function readCeremony(folder: string): Promise<Ceremony> {
  const record = readRecord(folder);
  const r1cs = join(folder, R1CS_FILE);
  if (!existsSync(r1cs)) throw malformed(`${r1cs}: is missing`);
  const actual = await hashFile({ path: r1cs, algorithm: "sha256" });
  if (actual !== record.r1cs) {
    throw malformed(`${r1cs}: SHA-256 is ${actual}, ${RECORD_FILE} says ${record.r1cs}`);
  }
  const keys: CeremonyKey[] = [];
  for (const name of keyNames(folder)) {
    const path = join(folder, name);
    const expected = keyName(keys.length);
    if (name !== expected) throw malformed(`${path}: ${expected} is missing before it`);
    const transcript = readKeyTranscript(path);
    const before = keys.at(-1);
    if (before === undefined) requireNobody({ path, transcript });
    else requireSuccessor({ path, transcript, before });
    keys.push({ name, path, transcript });
  }
  const latest = keys.at(-1);
  if (latest === undefined) throw malformed(`${folder}: ${keyName(0)} is missing`);
  return { folder, record, r1cs, keys, latest };
}

/** The file is the record's powers of tau, checked before. Throws `ptau.*` and `ceremony.otherPtau`. */
export async function readCeremonyPtau(parameters: {
  ptau: string;
  record: CeremonyRecord;
}): Promise<PtauRecord> {
  const { ptau, record } = parameters;
  const found = await readPtauRecord(ptau);
  if (found.sha256 === record.ptau) return found;
  throw new BaseError({
    code: "ceremony.otherPtau",
    message: `${ptau}: SHA-256 is ${found.sha256}, the ceremony was started with powers of tau of ${record.ptau}`,
  });
}

/**
 * Makes the next key in a folder of its own and gives it its name when it is whole. A key that is there is never replaced; what
 * a process that was killed left behind is removed.
 *
 * Throws `ceremony.overtaken` where another process was faster.
 */
export async function addKey(parameters: {
  ceremony: Ceremony;
  make: (path: string) => Promise<unknown>;
}): Promise<CeremonyKey> {
  const { ceremony, make } = parameters;
  const name = nextKeyName(ceremony);
  const path = join(ceremony.folder, name);
  const workFolder = openWorkFolder(join(ceremony.folder, ".making-"));
  try {
    const made = join(workFolder, name);
    await make(made);
    const transcript = readKeyTranscript(made);
    requireSuccessor({ path, transcript, before: ceremony.latest });
    linkAs({ made, path });
    return { name, path, transcript };
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

/** Name of the key that comes next. Throws `ceremony.full`. */
export function nextKeyName({ keys }: Ceremony): string {
  if (keys.length < MAXIMUM_KEYS) return keyName(keys.length);
  throw new BaseError({
    code: "ceremony.full",
    message: `a ceremony has ${MAXIMUM_KEYS} keys at most`,
  });
}

/** Throws `ceremony.ended` where a beacon was added: whatever comes after it was not known to nobody. */
export function requireOpen({ latest }: Ceremony): void {
  if (latest.transcript.contributions.at(-1)?.beacon === undefined) return;
  throw new BaseError({
    code: "ceremony.ended",
    message: `the ceremony has ended: ${latest.name} has its beacon`,
  });
}

/** Both of one circuit, and `transcript` says all that `before` says, and more. Throws `ceremony.notSuccessor`. */
export function requireSuccessor(parameters: {
  path: string;
  transcript: KeyTranscript;
  before: CeremonyKey;
}): void {
  const { path, transcript, before } = parameters;
  const fail = (reason: string) =>
    new BaseError({ code: "ceremony.notSuccessor", message: `${path}: ${reason}` });
  if (transcript.csHash !== before.transcript.csHash) {
    throw fail("is of another circuit, or of other powers of tau");
  }
  const earlier = before.transcript.contributions;
  for (const [index, contribution] of earlier.entries()) {
    const found = transcript.contributions[index];
    if (JSON.stringify(found) === JSON.stringify(contribution)) continue;
    throw fail(`does not follow from ${before.name}: contribution ${index + 1} is another`);
  }
  if (transcript.contributions.length === earlier.length) {
    throw fail(`adds nothing to ${before.name}`);
  }
}

function requireNobody(parameters: { path: string; transcript: KeyTranscript }): void {
  const { length } = parameters.transcript.contributions;
  if (length === 0) return;
  throw malformed(`${parameters.path}: is not the first key, it has ${length} contributions`);
}

function linkAs(parameters: { made: string; path: string }): void {
  const { made, path } = parameters;
  try {
    // unlike a renaming this fails where the name is taken
    linkSync(made, path);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    throw new BaseError({
      code: "ceremony.overtaken",
      message: `${path} was written meanwhile: nothing was changed, start again from it`,
      cause,
    });
  }
}

function readRecord(folder: string): CeremonyRecord {
  const path = join(folder, RECORD_FILE);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    if (existsSync(path)) throw malformed(`${path}: is not JSON`);
    throw new BaseError({
      code: "ceremony.missing",
      message: `no ceremony in ${folder}: ${path} is missing`,
      cause,
    });
  }
  const parsed = ceremonyRecordSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw malformed(`${path}: ${issue?.path.join(".")}: ${issue?.message}`);
}

export const keyName = (number: number): string => `${String(number).padStart(4, "0")}.zkey`;

const keyNames = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => KEY_FILE.test(name))
    .sort();

const malformed = (message: string): BaseError =>
  new BaseError({ code: "ceremony.malformed", message });
