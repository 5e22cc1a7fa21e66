import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";

const MAXIMUM_SECTIONS = 64;

/** Where a section's content lies in its file. */
export type Section = { start: number; length: number };

/** A file of numbered sections, as powers of tau and keys are. */
export type Sections = {
  sections: ReadonlyMap<number, Section>;
  /** reads a part of the file */
  read: (start: number, length: number) => DataView;
  /** an error that names the file */
  fail: (reason: string) => BaseError;
};

/** The kind of file that is asked for. */
export type SectionedFile = {
  /** first four characters */
  magic: string;
  version: number;
  /** what a person calls it */
  name: string;
  /** prefix of the errors' codes */
  code: string;
};

/**
 * Reads the frame of a file of numbered sections: each is there once and whole, and nothing lies behind the last. Contents are
 * read by `use`, while the file is open.
 *
 * Throws `<code>.missing` and `<code>.malformed`, naming the file.
 */
export function readSections<Result>(parameters: {
  path: string;
  kind: SectionedFile;
  use: (file: Sections) => Result;
}): Result {
  const { path, kind, use } = parameters;
  if (!existsSync(path)) {
    throw new BaseError({ code: `${kind.code}.missing`, message: `no ${kind.name} at ${path}` });
  }
  const descriptor = openSync(path, "r");
  try {
    return use(readFrame({ path, kind, descriptor }));
  } finally {
    closeSync(descriptor);
  }
}

function readFrame(parameters: {
  path: string;
  kind: SectionedFile;
  descriptor: number;
}): Sections {
  const { path, kind, descriptor } = parameters;
  const fail = (reason: string) =>
    new BaseError({ code: `${kind.code}.malformed`, message: `${path}: ${reason}` });
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

  if (size < 12 || Buffer.from(read(0, 4).buffer).toString("latin1") !== kind.magic) {
    throw fail(`is not a ${kind.name}`);
  }
  const head = read(4, 8);
  if (head.getUint32(0, true) !== kind.version) {
    throw fail(`is of another version of the format than ${kind.version}`);
  }
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
  return { sections, read, fail };
}
