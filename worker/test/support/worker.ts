import { join } from "node:path";
import { Child } from "./processes.ts";

const CLI = join(import.meta.dirname, "../../src/cli.ts");

export type Settings = Readonly<Record<string, string>>;

/** A worker in a process of its own: the real command line. */
export class WorkerProcess {
  readonly child: Child;

  constructor(parameters: { settings: Settings; roles?: readonly string[] }) {
    const { settings, roles = ["infer", "prove", "settle"] } = parameters;
    const inherited = Object.fromEntries(
      Object.keys(process.env)
        .filter((name) => name.startsWith("HACA_"))
        .map((name) => [name, undefined]),
    );
    this.child = new Child({
      command: process.execPath,
      args: [CLI, ...roles],
      env: { ...inherited, HACA_HTTP_PORT: "0", HACA_POLL_MS: "100", ...settings },
    });
  }

  /** The URL, as soon as the worker listens. */
  async url(): Promise<string> {
    return await this.child.waitForLine((line) => {
      if (!line.includes('"listening"')) return undefined;
      return (JSON.parse(line) as { url: string }).url;
    });
  }

  /** Waits for a log line with this message. */
  async logged(message: string): Promise<Record<string, unknown>> {
    return await this.child.waitForLine((line) =>
      line.startsWith("{") && line.includes(`"msg":${JSON.stringify(message)}`)
        ? (JSON.parse(line) as Record<string, unknown>)
        : undefined,
    );
  }
}
