import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { BaseError } from "@haca/protocol/baseError";

/** The absolute path of a program that an option names. */
export function programAt(parameters: { option: string; path: string }): string {
  const path = resolve(parameters.path);
  const refused = (why: string) =>
    new BaseError({ code: "bench.option", message: `${parameters.option} ${path}: ${why}` });
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) throw refused("does not exist");
  if (!file.isFile()) throw refused("not a file");
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw refused("may not be executed");
  }
  return path;
}
