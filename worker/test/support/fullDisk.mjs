// Stands in for a disk without room, in any process that imports it: below the folder HACA_TEST_FULL_DISK no file grows
// while `<folder>/full` exists, and none is written at all while that file says `every write`, as on file systems that
// never overwrite in place.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { closeSync, openSync, writeSync } = fs;
const below = new Set();
const folder = () => process.env.HACA_TEST_FULL_DISK;

function mode() {
  try {
    return fs.readFileSync(`${folder()}/full`, "utf8");
  } catch {
    return undefined;
  }
}

fs.openSync = (path, ...rest) => {
  const descriptor = openSync(path, ...rest);
  if (folder() !== undefined && String(path).startsWith(`${folder()}/queue/`))
    below.add(descriptor);
  else below.delete(descriptor);
  return descriptor;
};
fs.closeSync = (descriptor) => {
  below.delete(descriptor);
  closeSync(descriptor);
};
fs.writeSync = (descriptor, buffer, offset, length, position) => {
  const full = below.has(descriptor) ? mode() : undefined;
  const grows = () => (position ?? 0) + length > fs.fstatSync(descriptor).size;
  if (full === "every write" || (full !== undefined && grows())) {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  }
  return writeSync(descriptor, buffer, offset, length, position);
};
syncBuiltinESMExports();
