import type { Command } from "commander";
import { describe, expect, it, vi } from "vitest";
import { runProgram } from "../lib/program.ts";
import { stakeProgram } from "./program.ts";

/** Every verb, with those before it. */
function verbsOf(command: Command, before: readonly string[] = []): string[][] {
  return command.commands.flatMap((verb) => {
    const words = [...before, verb.name()];
    return verb.commands.length === 0 ? [words] : verbsOf(verb, words);
  });
}

function commandAt(words: readonly string[], print: (text: string) => void): Command {
  const program = stakeProgram();
  let found = program;
  for (const word of words) {
    found.configureOutput({ writeErr: print, writeOut: print });
    found = found.commands.find((verb) => verb.name() === word) as Command;
  }
  found.configureOutput({ writeErr: print, writeOut: print });
  return program;
}

/** What a command line prints, without a chain or a build. */
async function printed(words: readonly string[], option: string) {
  let output = "";
  const print = (text: string): void => {
    output += text;
  };
  await runProgram(commandAt(words, print), [...words, option]);
  const status = process.exitCode ?? 0;
  process.exitCode = 0;
  return { status, output };
}

describe("npm run stake --", () => {
  const verbs = verbsOf(stakeProgram());

  it("has a verb for each thing to do", () => {
    expect(verbs).toHaveLength(20);
  });

  it.each(verbs.map((words) => [words.join(" "), words] as const))(
    "%s: help fits 80 columns, and an unknown option is an error",
    async (name, words) => {
      const help = await printed(words, "--help");
      expect(help.status).toBe(0);
      expect(help.output).toContain(`Usage: npm run stake -- ${name}`);
      expect(help.output.split("\n").filter((line) => line.length > 80)).toEqual([]);
      const unknown = await printed(words, "--no-such-option");
      expect(unknown.status).toBe(1);
      expect(unknown.output).toMatch(/error: (unknown option|missing required argument)/);
    },
  );

  it("refuses a verb that it does not know, and more than a verb takes", async () => {
    const none = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect((await printed([], "restake")).output).toContain("unknown command 'restake'");
    expect((await printed(["enter"], "now")).output).toContain("too many arguments");
    none.mockRestore();
  });
});
