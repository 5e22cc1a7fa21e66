import { join } from "node:path";
import type { ChildHere } from "./childHere.ts";
import { DEMAND_TRANSITIONS, type DemandTransition } from "./demandTransitions.ts";
import type { PaymentTransition } from "./paymentTransitions.ts";
import { Child } from "./processes.ts";
import type { Transition } from "./transitions.ts";
import type { WatchTransition } from "./watchTransitions.ts";

const CLI = join(import.meta.dirname, "../../src/cli.ts");
const CRASHING = join(import.meta.dirname, "crashingWorker.ts");
const CRASHING_ANSWERER = join(import.meta.dirname, "crashingAnswerer.ts");
const CRASHING_FACILITATOR = join(import.meta.dirname, "crashingFacilitator.ts");
const CRASHING_WATCHER = join(import.meta.dirname, "crashingWatcher.ts");

export type Settings = Readonly<Record<string, string>>;

export type Started = { settings: Settings; roles?: readonly string[] };

export const DEFAULTS = { HACA_HTTP_PORT: "0", HACA_POLL_MS: "100" };
export const ROLES = ["infer", "prove", "settle"];

/** A worker and what it says. */
export abstract class TestWorker {
  abstract readonly child: Child | ChildHere;

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

/** A worker in a process of its own: the real command line, or the same parts around a database that kills it. */
export class WorkerProcess extends TestWorker {
  readonly child: Child;

  constructor(
    parameters: Started & {
      /** transition right after which the process is killed */
      crashAfter?: Transition | PaymentTransition | WatchTransition | DemandTransition;
    },
  ) {
    super();
    const { settings, roles = ROLES, crashAfter } = parameters;
    const inherited = Object.fromEntries(
      Object.keys(process.env)
        .filter((name) => name.startsWith("HACA_"))
        .map((name) => [name, undefined]),
    );
    const isDemand = DEMAND_TRANSITIONS.some((transition) => transition === crashAfter);
    const queue = isDemand ? CRASHING_ANSWERER : CRASHING;
    const isWatching = roles.includes("watch") || roles.includes("validate");
    const alone = isWatching ? CRASHING_WATCHER : undefined;
    const crashing = [roles.includes("facilitate") ? CRASHING_FACILITATOR : (alone ?? queue)];
    this.child = new Child({
      command: process.execPath,
      args: crashAfter === undefined ? [CLI, ...roles] : [...crashing, crashAfter, ...roles],
      env: { ...inherited, ...DEFAULTS, ...settings },
    });
  }
}
