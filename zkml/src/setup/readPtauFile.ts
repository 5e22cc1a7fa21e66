import { BaseError } from "@haca/protocol/baseError";
import { readSections, type Section, type SectionedFile, type Sections } from "./readSections.ts";

const PTAU: SectionedFile = {
  magic: "ptau",
  version: 1,
  name: "powers-of-tau file",
  code: "ptau",
};

/** Bytes of points in G1 and G2 as the file holds them. */
const G1 = 64;
const G2 = 128;
const FIELD_BYTES = 32;
/** Order of BN254's base field. */
const FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const MAXIMUM_POWER = 28;

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

/**
 * Reads the frame of a powers-of-tau file: every section is there, once and whole, also those that only the
 * preparation for phase 2 adds. Points are not looked at.
 *
 * Throws `ptau.missing`, `ptau.malformed` and `ptau.notPrepared`, naming the file.
 */
export function readPtauFile(path: string): { power: number } {
  return readSections({ path, kind: PTAU, use: (file) => readPtau(path, file) });
}

function readPtau(path: string, { sections, read, fail }: Sections): { power: number } {
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
