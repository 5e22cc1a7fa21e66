import { createHash } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { readSections, type SectionedFile, type Sections } from "./readSections.ts";

const ZKEY: SectionedFile = { magic: "zkey", version: 1, name: "proving key", code: "zkey" };

/** Sections of a Groth16 key, each of which there has to be. */
const SECTIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const CONTRIBUTIONS = 10;

const WORD = 32;
const HASH = 64;
/** Delta, s and s x in G1, then s' x in G2. */
const POINTS = [64, 64, 64, 128];

/** Order of BN254's base field, and the inverse of 2^256 in it: files hold Montgomery form. */
const P = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const R_INVERSE = inverse(2n ** 256n % P);

const BEACON_KIND = 1;
const PARAMETER = { name: 1, iterations: 2, beacon: 3 };

/** One contribution to a key. */
export type Contribution = {
  /** what its party saw: BLAKE2b-512, 128 hex digits */
  hash: string;
  /** who says that it is theirs; nothing vouches for it */
  name?: string;
  /** public randomness in hex, where the contribution is a beacon's, hashed 2^iterations times */
  beacon?: string;
  iterations?: number;
};

/** What a proving key says of how it was made. */
export type KeyTranscript = {
  /** BLAKE2b-512 of the circuit and its powers of tau, 128 hex digits: what the transcript begins with */
  csHash: string;
  contributions: Contribution[];
  /** SHA-256 of the transcript as the key has it: circuit, every contribution, names and beacons */
  sha256: string;
};

/**
 * Reads a proving key's frame and transcript. Points and hashes are taken as they are: `verifyTranscript` says whether the key
 * follows from them.
 *
 * Throws `zkey.missing` and `zkey.malformed`, naming the file.
 */
export function readKeyTranscript(path: string): KeyTranscript {
  return readSections({ path, kind: ZKEY, use: readTranscript });
}

function readTranscript({ sections, read, fail }: Sections): KeyTranscript {
  for (const number of SECTIONS) if (!sections.has(number)) throw fail(`has no section ${number}`);
  const section = sections.get(CONTRIBUTIONS) as { start: number; length: number };
  const bytes = Buffer.from(read(section.start, section.length).buffer);
  let position = 0;
  const take = (length: number): Buffer => {
    if (position + length > bytes.length) throw fail("its transcript ends in a contribution");
    position += length;
    return bytes.subarray(position - length, position);
  };
  const csHash = take(HASH).toString("hex");
  const count = take(4).readUInt32LE();
  const contributions: Contribution[] = [];
  for (let number = 1; number <= count; number++) {
    const contribution = readContribution(take);
    if (contribution === undefined) {
      throw fail(`contribution ${number} is neither a party's nor a beacon's`);
    }
    contributions.push(contribution);
  }
  if (position !== bytes.length) throw fail("its transcript goes on behind its last contribution");
  return {
    csHash,
    contributions,
    sha256: `0x${createHash("sha256").update(bytes).digest("hex")}`,
  };
}

function readContribution(take: (length: number) => Buffer): Contribution | undefined {
  const hash = createHash("blake2b512");
  for (const length of POINTS) hash.update(toHashed(take(length)));
  hash.update(take(HASH));
  const kind = take(4).readUInt32LE();
  const parameters = readParameters(take(take(4).readUInt32LE()));
  if (parameters === undefined) return undefined;
  const { name, beacon, iterations } = parameters;
  const isBeacon = beacon !== undefined && iterations !== undefined;
  if (isBeacon !== (kind === BEACON_KIND) || kind > BEACON_KIND) return undefined;
  return {
    hash: hash.digest("hex"),
    ...(name === undefined ? {} : { name }),
    ...(isBeacon ? { beacon, iterations } : {}),
  };
}

/** Undefined where they are cut off, or of an unknown kind. */
function readParameters(bytes: Buffer): Omit<Contribution, "hash"> | undefined {
  const found: Omit<Contribution, "hash"> = {};
  for (let position = 0; position < bytes.length; ) {
    const [kind, first] = [bytes[position], bytes[position + 1]];
    if (first === undefined) return undefined;
    position += 2;
    if (kind === PARAMETER.iterations) {
      found.iterations = first;
      continue;
    }
    const text = bytes.subarray(position, position + first);
    position += first;
    if (position > bytes.length) return undefined;
    if (kind === PARAMETER.name) found.name = text.toString("utf8");
    else if (kind === PARAMETER.beacon) found.beacon = text.toString("hex");
    else return undefined;
  }
  return found;
}

/** A point as it is hashed: coordinates big-endian, in G2 the imaginary part first. */
function toHashed(point: Buffer): Buffer {
  const half = point.length / 2;
  return Buffer.concat([0, half].map((start) => coordinate(point.subarray(start, start + half))));
}

function coordinate(bytes: Buffer): Buffer {
  const words: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += WORD) {
    const word = Buffer.from(bytes.subarray(start, start + WORD)).reverse();
    const value = (BigInt(`0x${word.toString("hex")}`) * R_INVERSE) % P;
    words.unshift(Buffer.from(value.toString(16).padStart(2 * WORD, "0"), "hex"));
  }
  return Buffer.concat(words);
}

/** By Fermat: value^(P - 2). */
function inverse(value: bigint): bigint {
  let [result, power] = [1n, value];
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * power) % P;
    power = (power * power) % P;
  }
  return result;
}

/** Lines for people: the circuit, and each contribution. */
export const describeTranscript = ({ csHash, contributions }: KeyTranscript): string[] => [
  `circuit     ${csHash}`,
  ...contributions.map(describeContribution),
];

/** A line for people. */
export function describeContribution({ hash, beacon, iterations, name }: Contribution): string {
  return [
    `contribution ${hash}`,
    ...(beacon === undefined ? [] : [`beacon ${beacon}, hashed 2^${iterations} times`]),
    ...(name === undefined ? [] : [printable(name)]),
  ].join(", ");
}

/** A name of a stranger, without what would move a terminal's cursor or colour its text. */
const printable = (name: string): string => name.replaceAll(/\p{C}/gu, "?");

/** The contribution with which a key has to end before it is of use. Throws `setup.failed`. */
export function requireContribution(transcript: KeyTranscript): void {
  if (transcript.contributions.length > 0) return;
  throw new BaseError({
    code: "setup.failed",
    message: "nobody has contributed to the key: anyone can forge proofs with it",
  });
}
