import type { Command } from "commander";
import { vi } from "vitest";
import { runProgram } from "../../scripts/lib/program.ts";
import type { Result } from "./localDeployment.ts";

/** Runs a command line in this process, which saves a second each, and catches what it prints. */
export async function runHere(parameters: {
  /** each one is run once */
  program: Command;
  options: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
}): Promise<Result> {
  const { environment, options, program } = parameters;
  const lines: string[] = [];
  const print = (text: unknown) => void lines.push(String(text));
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const spies = [
    vi.spyOn(console, "log").mockImplementation(print),
    vi.spyOn(console, "error").mockImplementation(print),
  ];
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeErr: print, writeOut: print });
  }
  try {
    await runProgram(program, options);
    return { status: process.exitCode === 1 ? 1 : 0, output: lines.join("\n") };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}
