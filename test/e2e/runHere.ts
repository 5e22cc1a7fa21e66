import { join } from "node:path";
import { format } from "node:util";
import { vi } from "vitest";

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
}): Promise<{ status: number; output: string; stdout: string; stderr: string }> {
  const { environment, options, path } = parameters;
  const said = { output: "", stdout: "", stderr: "" };
  const writeTo = (stream: "stdout" | "stderr") => (text: unknown) => {
    said.output += String(text);
    said[stream] += String(text);
    return true;
  };
  const printTo =
    (stream: "stdout" | "stderr") =>
    (...values: unknown[]): void => {
      writeTo(stream)(`${format(...values)}\n`);
    };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const spies = [
    vi.spyOn(console, "log").mockImplementation(printTo("stdout")),
    vi.spyOn(console, "error").mockImplementation(printTo("stderr")),
    ...(["stdout", "stderr"] as const).map((stream) =>
      vi.spyOn(process[stream], "write").mockImplementation(writeTo(stream)),
    ),
  ];
  const { argv } = process;
  const file = join(ROOT, path);
  process.argv = [process.execPath, file, ...options];
  runs += 1;
  try {
    await import(/* @vite-ignore */ `${file}?run=${runs}`);
    return { status: Number(process.exitCode ?? 0), ...said };
  } finally {
    process.argv = argv;
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}
