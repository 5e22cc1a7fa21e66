import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { BaseError } from "@haca/protocol/baseError";
import { userPath } from "@haca/protocol/userPath";
import { badOption } from "../options.ts";

const MAGIC = ".eif";
const HEADER_BYTES = 548;
const SECTION_HEADER_BYTES = 12;
const MAXIMUM_SECTIONS = 32;
const [OFFSETS_AT, SIZES_AT, CRC_AT] = [28, 284, 544];
const VERSIONS = { oldest: 2, newest: 4 };
/** Sections of metadata are obligatory from this version on. */
const WITH_METADATA = 4;
const KINDS = ["invalid", "kernel", "command line", "ramdisk", "signature", "metadata"] as const;
const CHUNK = 1 << 20;

export type EifSection = {
  kind: Exclude<(typeof KINDS)[number], "invalid">;
  /** of its content, in the file */
  offset: number;
  size: number;
};

/** An enclave image file, as its header and its sections' headers describe it. */
export type Eif = {
  version: number;
  architecture: "x86_64" | "aarch64";
  sections: readonly EifSection[];
  /** whether the file is what was written, by its own checksum */
  isWhole: boolean;
  /** content of a section, piece by piece */
  read: (section: EifSection) => Generator<Buffer>;
};

/**
 * Opens an enclave image file (EIF, versions 2 to 4) for `use`.
 * @throws BaseError `tee.badOption` where there is no such file, `tee.badImage` naming the part that is wrong
 */
export function openEif<Result>(path: string, use: (eif: Eif) => Result): Result {
  let file: number;
  try {
    file = openSync(userPath(path), "r");
  } catch {
    throw badOption(`no file ${path} that can be read`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw badOption(`${path} is no file`);
    return use(parse(file, stat.size));
  } finally {
    closeSync(file);
  }
}

function parse(file: number, length: number): Eif {
  if (length < HEADER_BYTES)
    throw bad("header", `the file has ${length} bytes, fewer than a header`);
  const header = readAt(file, 0, HEADER_BYTES);
  if (header.toString("latin1", 0, 4) !== MAGIC) throw bad("header", "is not one of an EIF");
  const version = header.readUInt16BE(4);
  if (version < VERSIONS.oldest || version > VERSIONS.newest) {
    throw bad("version", `must be ${VERSIONS.oldest} to ${VERSIONS.newest}, is ${version}`);
  }
  const count = header.readUInt16BE(26);
  if (count < 2 || count > MAXIMUM_SECTIONS) {
    throw bad("number of sections", `must be 2 to ${MAXIMUM_SECTIONS}, is ${count}`);
  }
  const sections: EifSection[] = [];
  let checksum = crc32(header.subarray(0, CRC_AT));
  let at = HEADER_BYTES;
  for (let index = 0; index < count; index += 1) {
    const name = `section ${index}`;
    if (at + SECTION_HEADER_BYTES > length) throw bad(name, "is behind the file's end");
    const own = readAt(file, at, SECTION_HEADER_BYTES);
    const kind = KINDS[own.readUInt16BE(0)];
    if (kind === undefined || kind === "invalid") throw bad(name, "is of no known kind");
    const size = sizeOf(own.readBigUInt64BE(4), name);
    const stated = [OFFSETS_AT, SIZES_AT].map((from) => header.readBigUInt64BE(from + index * 8));
    if (stated[0] !== BigInt(at)) throw bad(name, `is at ${at}, the header says ${stated[0]}`);
    if (stated[1] !== BigInt(size)) {
      throw bad(name, `has ${size} bytes, the header says ${stated[1]}`);
    }
    const section = { kind, offset: at + SECTION_HEADER_BYTES, size };
    if (section.offset + size > length) throw bad(name, "ends behind the file's end");
    checksum = crc32(own, checksum);
    for (const chunk of chunksOf(file, section)) checksum = crc32(chunk, checksum);
    sections.push(section);
    at = section.offset + size;
  }
  if (at !== length) throw bad("file", `has ${length - at} bytes behind its last section`);
  requireKinds(sections, version);
  return {
    version,
    architecture: (header.readUInt16BE(6) & 1) === 1 ? "aarch64" : "x86_64",
    sections,
    isWhole: checksum === header.readUInt32BE(CRC_AT),
    read: (section) => chunksOf(file, section),
  };
}

function requireKinds(sections: readonly EifSection[], version: number): void {
  const kinds = sections.map(({ kind }) => kind);
  const count = (kind: EifSection["kind"]) => kinds.filter((other) => other === kind).length;
  for (const kind of ["kernel", "command line"] as const) {
    if (count(kind) !== 1) throw bad("sections", `must have one ${kind}, have ${count(kind)}`);
  }
  const first = kinds.indexOf("ramdisk");
  if (first >= 0 && first < kinds.indexOf("kernel")) {
    throw bad("sections", "have a ramdisk before the kernel");
  }
  if (version >= WITH_METADATA && count("metadata") === 0) {
    throw bad("sections", `must have metadata from version ${WITH_METADATA} on`);
  }
}

function sizeOf(size: bigint, name: string): number {
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(name, `has no ${size} bytes`);
  return Number(size);
}

function* chunksOf(file: number, { offset, size }: EifSection): Generator<Buffer> {
  for (let done = 0; done < size; done += CHUNK) {
    yield readAt(file, offset + done, Math.min(CHUNK, size - done));
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const count = readSync(file, buffer, done, length - done, position + done);
    if (count === 0) throw bad("file", "has become shorter while it was read");
    done += count;
  }
  return buffer;
}

/** What is wrong with an image, and where. */
export const bad = (part: string, reason: string): BaseError =>
  new BaseError({ code: "tee.badImage", message: `image: ${part}: ${reason}` });
