import { join } from "node:path";
import { format } from "node:util";
import { vi } from "vitest";
import type { Result } from "./localDeployment.ts";

const ROOT = join(import.meta.dirname, "..", "..");
let runs = 0;

/**
 * Runs a command line in this process, which saves a second or two each, and catches what it prints. The command's file
 * is evaluated anew each time, the modules that it imports once. One at a time: what is printed is this process's.
 */
export async function runHere(parameters: {
  /** the command's file, from the project's folder */
  path: string;
  options: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
}): Promise<Result> {
  const { environment, options, path } = parameters;
  let output = "";
  const print = (...values: unknown[]): void => {
    output += `${format(...values)}\n`;
  };
  const write = (text: unknown): boolean => {
    output += String(text);
    return true;
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const spies = [
    ...(["log", "error"] as const).map((name) => vi.spyOn(console, name).mockImplementation(print)),
    ...[process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, "write").mockImplementation(write),
    ),
  ];
  const { argv } = process;
  const file = join(ROOT, path);
  process.argv = [process.execPath, file, ...options];
  runs += 1;
  try {
    await import(/* @vite-ignore */ `${file}?run=${runs}`);
    return { status: process.exitCode === 1 ? 1 : 0, output };
  } finally {
    process.argv = argv;
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}
