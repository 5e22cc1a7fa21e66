import { createReadStream } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";

/** What a file cannot be read for, and what is wrong with arguments: the command ends with status 2. */
export class UsageError extends BaseError {
  constructor(message: string) {
    super({ code: "haca.usage", message });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "reading it is not allowed",
};

/** A file's bytes, of standard input for `-`; as many as `limit` and one more at most. */
export async function readInput(parameters: { path: string; limit: number }): Promise<Uint8Array> {
  const { path, limit } = parameters;
  const stream = path === "-" ? process.stdin : createReadStream(path, { end: limit });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limit) break;
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ""] ?? "it cannot be read";
    throw new UsageError(`${path}: ${reason}`);
  }
  return Buffer.concat(chunks);
}
