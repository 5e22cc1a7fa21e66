import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";

/** Bytes of points in G1 and G2 as the file holds them. */
const G1 = 64;
const G2 = 128;
const FIELD_BYTES = 32;
/** Order of BN254's base field. */
const FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const MAXIMUM_POWER = 28;
const MAXIMUM_SECTIONS = 64;

const HEADER = { number: 1, length: 4 + FIELD_BYTES + 4 + 4 };
const CONTRIBUTIONS = { number: 7, minimum: 4 };

/** Sections whose length the power decides: powers of tau, and from 12 on what phase 2 needs. */
const POINTS: { number: number; name: string; length: (size: number) => number }[] = [
  { number: 2, name: "tau in G1", length: (n) => (2 * n - 1) * G1 },
  { number: 3, name: "tau in G2", length: (n) => n * G2 },
  { number: 4, name: "alpha tau", length: (n) => n * G1 },
  { number: 5, name: "beta tau", length: (n) => n * G1 },
  { number: 6, name: "beta in G2", length: () => G2 },
  { number: 12, name: "Lagrange tau in G1", length: (n) => (4 * n - 1) * G1 },
  { number: 13, name: "Lagrange tau in G2", length: (n) => (2 * n - 1) * G2 },
  { number: 14, name: "Lagrange alpha tau", length: (n) => (2 * n - 1) * G1 },
  { number: 15, name: "Lagrange beta tau", length: (n) => (2 * n - 1) * G1 },
];
const FIRST_OF_PHASE_2 = 12;

type Section = { start: number; length: number };

/**
 * Reads the frame of a powers-of-tau file: every section is there, once and whole, also those that only the
 * preparation for phase 2 adds. Points are not looked at.
 *
 * Throws `ptau.missing`, `ptau.malformed` and `ptau.notPrepared`, naming the file.
 */
export function readPtauFile(path: string): { power: number } {
  if (!existsSync(path)) {
    throw new BaseError({ code: "ptau.missing", message: `no powers-of-tau file at ${path}` });
  }
  const descriptor = openSync(path, "r");
  try {
    return readFrame({ path, descriptor });
  } finally {
    closeSync(descriptor);
  }
}

function readFrame(parameters: { path: string; descriptor: number }): { power: number } {
  const { path, descriptor } = parameters;
  const fail = (reason: string) =>
    new BaseError({ code: "ptau.malformed", message: `${path}: ${reason}` });
  const status = fstatSync(descriptor);
  if (!status.isFile()) throw fail("is not a file");
  const size = status.size;
  const read = (start: number, length: number): DataView => {
    const bytes = new Uint8Array(length);
    if (readSync(descriptor, bytes, 0, length, start) < length) {
      throw fail(`ends after ${size} bytes, in the middle of its frame`);
    }
    return new DataView(bytes.buffer);
  };

  if (size < 12 || Buffer.from(read(0, 4).buffer).toString("latin1") !== "ptau") {
    throw fail("is not a powers-of-tau file");
  }
  const head = read(4, 8);
  if (head.getUint32(0, true) !== 1) throw fail("is of another version of the format than 1");
  const count = head.getUint32(4, true);
  if (count > MAXIMUM_SECTIONS) throw fail(`says that it has ${count} sections`);

  const sections = new Map<number, Section>();
  let position = 12;
  for (let i = 0; i < count; i++) {
    const frame = read(position, 12);
    const number = frame.getUint32(0, true);
    const length = Number(frame.getBigUint64(4, true));
    const start = position + 12;
    if (start + length > size) {
      throw fail(
        `is truncated: section ${number} ends at byte ${start + length}, the file at ${size}`,
      );
    }
    if (sections.has(number)) throw fail(`has section ${number} twice`);
    sections.set(number, { start, length });
    position = start + length;
  }
  if (position !== size) throw fail(`has ${size - position} bytes behind its last section`);

  const power = readPower({ section: sections.get(HEADER.number), read, fail });
  if ((sections.get(CONTRIBUTIONS.number)?.length ?? 0) < CONTRIBUTIONS.minimum) {
    throw fail("has no section 7, the contributions");
  }
  for (const { number, name, length } of POINTS) {
    const section = sections.get(number);
    if (section === undefined && number >= FIRST_OF_PHASE_2) {
      throw new BaseError({
        code: "ptau.notPrepared",
        message: `${path}: is not prepared for phase 2 (no section ${number}, ${name}): run \`snarkjs powersoftau prepare phase2\` on it, or take the ceremony's prepared file`,
      });
    }
    if (section === undefined) throw fail(`has no section ${number}, ${name}`);
    const expected = length(2 ** power);
    if (section.length !== expected) {
      throw fail(
        `section ${number}, ${name}, has ${section.length} bytes, a file of power ${power} has ${expected}`,
      );
    }
  }
  return { power };
}

function readPower(parameters: {
  section: Section | undefined;
  read: (start: number, length: number) => DataView;
  fail: (reason: string) => BaseError;
}): number {
  const { section, read, fail } = parameters;
  if (section?.length !== HEADER.length) throw fail("has no header of BN254");
  const header = read(section.start, section.length);
  const order = Buffer.from(header.buffer, 4, FIELD_BYTES).reverse().toString("hex");
  if (header.getUint32(0, true) !== FIELD_BYTES || BigInt(`0x${order}`) !== FIELD_ORDER) {
    throw fail("is not for the curve BN254");
  }
  const power = header.getUint32(4 + FIELD_BYTES, true);
  if (power < 1 || power > MAXIMUM_POWER) throw fail(`says that its power is ${power}`);
  return power;
}
