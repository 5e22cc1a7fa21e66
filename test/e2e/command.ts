import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { descendantsOf, type ProcessId } from "../../testing/processTree.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** A command of the project under test, with its output so far. */
export class Command {
  readonly child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #output = "";

  constructor(
    commandLine: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    { cwd = ROOT }: { cwd?: string } = {},
  ) {
    this.child = spawn(process.execPath, commandLine, {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString();
    };
    this.child.stdout?.on("data", collect);
    this.child.stderr?.on("data", collect);
    this.#exited = new Promise((resolve) => this.child.once("close", resolve));
  }

  get output(): string {
    return this.#output;
  }

  /** Exit status; null if a signal ended it. */
  async exit(): Promise<number | null> {
    return await this.#exited;
  }

  /** Resolves once the output contains `text`; fails if the command ends before. */
  async printed(text: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const check = (): void => {
        if (this.#output.includes(text)) resolve();
      };
      this.child.stdout?.on("data", check);
      check();
    });
    const ended = this.#exited.then((status) => {
      throw new Error(`ended with ${status} before printing ${text}:\n${this.#output}`);
    });
    await Promise.race([seen, ended]);
  }

  /** All descendants that live now (Linux only). */
  descendants(): ProcessId[] {
    return descendantsOf(this.child.pid ?? 0);
  }
}
