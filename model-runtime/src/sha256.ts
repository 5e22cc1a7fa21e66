import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** `0x` and the SHA-256 of bytes or text, in lower-case hex. */
export function sha256(content: Uint8Array | string): string {
  return `0x${createHash("sha256").update(content).digest("hex")}`;
}

/** Hash of a file of any size: `0x` and lower-case hex. */
export async function hashFile(parameters: {
  path: string;
  algorithm: "sha256" | "blake2b512";
}): Promise<string> {
  const hash = createHash(parameters.algorithm);
  for await (const chunk of createReadStream(parameters.path)) {
    hash.update(chunk as Buffer);
  }
  return `0x${hash.digest("hex")}`;
}
