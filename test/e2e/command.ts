import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

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

  /** Process ids of all descendants that live now (Linux only). */
  descendants(): number[] {
    const parents = new Map<number, number>();
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const status = statusOf(Number(name));
      if (status !== undefined) parents.set(Number(name), status.parent);
    }
    const isDescendant = (pid: number): boolean => {
      const parent = parents.get(pid);
      if (parent === undefined) return false;
      return parent === this.child.pid || isDescendant(parent);
    };
    return [...parents.keys()].filter(isDescendant);
  }
}

/** State letter and parent of a process; undefined if there is none. */
function statusOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** Whether a process runs. One that has ended and waits for its parent to notice (state Z) does not. */
export function isAlive(pid: number): boolean {
  const status = statusOf(pid);
  return status !== undefined && status.state !== "Z" && status.state !== "X";
}
