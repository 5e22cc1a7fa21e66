import { afterEach, describe, expect, it, vi } from "vitest";
import { createProgram, runProgram, withAccount } from "./program.ts";

/** A program with two verbs, and what it was asked to do. */
function example() {
  const done: unknown[] = [];
  const printed: string[] = [];
  const program = createProgram({ name: "example", summary: "Shows what a program does." });
  program.configureOutput({
    writeOut: (text) => printed.push(text),
    writeErr: (text) => printed.push(text),
  });
  withAccount(program.command("send <amount>").description("send something"))
    .option("--safe <file>", "write it for a Safe instead")
    .action((amount, options) => void done.push([amount, options]));
  program
    .command("list")
    .description(`list what there is, ${"with many words ".repeat(10)}`)
    .action(() => void done.push("list"));
  return { program, done, printed };
}

afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("a command's program", () => {
  it("hands a verb its arguments and options", async () => {
    const { program, done } = example();
    await runProgram(program, ["send", "3", "--account", "2"]);
    expect(done).toEqual([["3", { network: "localhost", account: "2" }]]);
  });

  it.each([
    [["list", "--safe", "file"], "unknown option '--safe'"],
    [["list", "surplus"], "too many arguments"],
    [["send"], "missing required argument 'amount'"],
    [["lst"], "unknown command 'lst'"],
    [["--sfe"], "unknown option '--sfe'"],
  ])("refuses %j", async (commandLine, reason) => {
    const { program, done, printed } = example();
    await runProgram(program, commandLine);
    expect(done).toEqual([]);
    expect(printed.join("")).toContain(`error: ${reason}`);
    expect(process.exitCode).toBe(1);
  });

  it.each([[[]], [["--help"]], [["send", "--help"]]])(
    "prints help for %j within 80 columns",
    async (commandLine) => {
      const { program, done, printed } = example();
      await runProgram(program, commandLine);
      expect(done).toEqual([]);
      expect(printed.join("")).toContain("npm run example --");
      expect(
        Math.max(
          ...printed
            .join("")
            .split("\n")
            .map((line) => line.length),
        ),
      ).toBeLessThanOrEqual(80);
      expect(process.exitCode).toBeUndefined();
    },
  );

  it("says an unknown failure in one line", async () => {
    const { program } = example();
    program.command("fail").action(() => Promise.reject(new Error("\nfirst\nsecond")));
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    await runProgram(program, ["fail"]);
    expect(error.mock.calls).toEqual([["error: first [unexpected; HACA_DEBUG=1 shows where]"]]);
    expect(process.exitCode).toBe(1);
  });

  it.each([
    ["HACA_DEPLOYMENT", "its name is now HACA_ADDRESS_BOOK"],
    ["HACA_DATABASE_URL", "its name is now HACA_WORKER_DATABASE_URL for the worker's queue"],
  ])("refuses %s, which is no longer read, before anything is done", async (name, reason) => {
    const { program, done } = example();
    vi.stubEnv(name, "/books/1.json");
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    await runProgram(program, ["list"]);
    expect(done).toEqual([]);
    expect(error.mock.calls).toEqual([
      [expect.stringMatching(new RegExp(`^error: ${name}: is no longer read; ${reason}.*\\]$`))],
    ]);
    expect(process.exitCode).toBe(1);
  });
});
