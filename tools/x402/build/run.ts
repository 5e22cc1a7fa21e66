import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { BaseError } from "@haca/protocol/baseError";

/** What a program writes until it ends. @throws BaseError `x402.failed`, with the line that says most of its failure */
export async function run(program: string, words: readonly string[], input = ""): Promise<string> {
  const file = openInput(input);
  const child = spawn(program, words, { stdio: [file, "pipe", "pipe"] });
  closeSync(file);
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("close", (status, signal) => resolve(status ?? signal ?? "killed"));
  });
  const [output, complaint, status] = await Promise.all([
    said(child.stdout),
    said(child.stderr),
    ended,
  ]);
  if (status === 0) return output;
  const lines = complaint.split("\n").filter((line) => line.trim() !== "");
  const why =
    lines.find((line) => /^\w*Error: /.test(line)) ??
    lines.find((line) => !line.startsWith("npm error code")) ??
    `it ended with ${status}`;
  const message = `${program} ${words.slice(0, 3).join(" ")}: ${why}`;
  throw new BaseError({ code: "x402.failed", message });
}

const said = async (stream: Readable | null): Promise<string> =>
  stream === null ? "" : await text(stream).catch(() => "");

/**
 * The input as a file that is open and has no name any more. Through a pipe a program that reads without waiting, as the
 * compiler does, fails with EAGAIN wherever the writer is slower.
 */
function openInput(input: string): number {
  const folder = mkdtempSync(join(tmpdir(), "haca-input-"));
  try {
    const path = join(folder, "input");
    writeFileSync(path, input);
    return openSync(path, "r");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
