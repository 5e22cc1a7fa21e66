import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { bad } from "./openEif.ts";

const MAGIC = ["070701", "070702"];
const HEADER_BYTES = 110;
const END = "TRAILER!!!";
const TYPES: Readonly<Record<number, string>> = {
  4: "folder",
  8: "file",
  10: "link",
  ...{ 2: "device", 6: "device", 1: "pipe", 12: "socket" },
};

/** A file of a ramdisk. */
export type RamdiskFile = {
  path: string;
  type: string;
  /** permissions, as octal digits */
  mode: string;
  size: number;
  /** unix seconds: part of what is measured, like everything here */
  time: number;
  /** SHA-256 of its content, as hex */
  hash: string;
};

/**
 * Files of a ramdisk: cpio in the form that kernels read (newc), compressed by gzip or not.
 * @param part of the image, for errors
 * @throws BaseError `tee.badImage`
 */
export function listFiles(ramdisk: Buffer, part: string): RamdiskFile[] {
  const archive = uncompressed(ramdisk, part);
  const files: RamdiskFile[] = [];
  let at = 0;
  while (at < archive.length) {
    // Between archives that stand behind one another there may be zeros.
    if (archive[at] === 0) {
      at += 1;
      continue;
    }
    const header = archive.toString("latin1", at, at + HEADER_BYTES);
    if (header.length < HEADER_BYTES || !MAGIC.includes(header.slice(0, 6))) {
      throw bad(part, `is no cpio archive at byte ${at}`);
    }
    const [mode, time, size, nameSize] = [1, 5, 6, 11].map((field) => {
      const value = Number.parseInt(header.slice(6 + field * 8, 14 + field * 8), 16);
      if (Number.isNaN(value)) throw bad(part, `has a malformed header at byte ${at}`);
      return value;
    }) as [number, number, number, number];
    const from = aligned(at + HEADER_BYTES + nameSize);
    const path = archive.toString("utf8", at + HEADER_BYTES, at + HEADER_BYTES + nameSize - 1);
    if (nameSize === 0 || from + size > archive.length) throw bad(part, `is cut off at byte ${at}`);
    at = aligned(from + size);
    if (path === END) continue;
    const hash = createHash("sha256")
      .update(archive.subarray(from, from + size))
      .digest("hex");
    const type = TYPES[mode >> 12] ?? "unknown";
    files.push({
      path,
      type,
      mode: (mode & 0o7777).toString(8).padStart(4, "0"),
      size,
      time,
      hash,
    });
  }
  return files;
}

function uncompressed(ramdisk: Buffer, part: string): Buffer {
  if (ramdisk[0] !== 0x1f || ramdisk[1] !== 0x8b) return ramdisk;
  try {
    return gunzipSync(ramdisk);
  } catch {
    throw bad(part, "is no whole gzip");
  }
}

/** Headers and contents begin at multiples of four. */
const aligned = (at: number): number => Math.ceil(at / 4) * 4;
