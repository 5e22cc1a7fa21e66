import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";

const ROOT = join(import.meta.dirname, "..", "..");

/** How long a process may take to stop after SIGTERM before it is killed. */
const STOP_TIMEOUT_MS = 15_000;

type Member = { name: string; child: ChildProcess; logFile: string; exited: Promise<void> };

/**
 * Long-running processes that live and die together. Each has its own process group and log file, so that
 * Ctrl-C reaches this program alone and it can stop them in order, children of theirs included.
 */
export class ProcessGroup {
  readonly #members: Member[] = [];
  readonly #logFolder: string;
  #stopping = false;

  constructor(parameters: { logFolder: string }) {
    this.#logFolder = parameters.logFolder;
  }

  /** Starts `command` at the project's root; standard output and error go to `<name>.log`. */
  start(parameters: {
    name: string;
    command: string;
    arguments: readonly string[];
    environment?: Readonly<Record<string, string>>;
  }): void {
    const { name, command } = parameters;
    const logFile = join(this.#logFolder, `${name}.log`);
    const log = openSync(logFile, "a");
    const child = spawn(command, parameters.arguments, {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, ...parameters.environment },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const exited = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    this.#members.push({ name, child, logFile, exited });
  }

  /**
   * Polls `probe` until it returns a value. Fails when a process of the group has ended, or after
   * `timeoutMs`, with the end of the log of the process waited for.
   */
  async waitFor<T>(parameters: {
    name: string;
    timeoutMs: number;
    probe: () => Promise<T | undefined>;
  }): Promise<T> {
    const { name, timeoutMs, probe } = parameters;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      this.checkAlive();
      const value = await probe().catch(() => undefined);
      if (value !== undefined) return value;
      if (Date.now() > deadline) {
        throw new BaseError({
          code: "process.timeout",
          message: `${name} was not ready after ${timeoutMs / 1000} s\n${this.#tail(name)}`,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Throws if a process of the group has ended by itself. */
  checkAlive(): void {
    const dead = this.#members.find(
      ({ child }) => child.exitCode !== null || child.signalCode !== null,
    );
    if (dead === undefined || this.#stopping) return;
    throw new BaseError({
      code: "process.ended",
      message: `${dead.name} ended (status ${dead.child.exitCode ?? dead.child.signalCode})\n${this.#tail(dead.name)}`,
    });
  }

  /** Stops the youngest first: those that were started later use those started earlier. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { child, exited } of this.#members.reverse()) {
      signalGroup(child, "SIGTERM");
      const timer = setTimeout(() => signalGroup(child, "SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
      signalGroup(child, "SIGKILL");
    }
    this.#members.length = 0;
  }

  #tail(name: string): string {
    const member = this.#members.find((candidate) => candidate.name === name);
    if (member === undefined) return "";
    const lines = readFileSync(member.logFile, "utf8").trimEnd().split("\n");
    return [`last lines of ${member.logFile}:`, ...lines.slice(-15)].join("\n  ");
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    const gone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!gone) throw error;
  }
}
