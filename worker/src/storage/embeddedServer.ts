import { closeSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { DurableNodeFs } from "./durableNodeFs.ts";

/** PGlite's own parameters switch fsync off; the queue's promise to its clients needs it on. The last one wins. */
const START_PARAMETERS = [
  ...PGlite.defaultStartParams,
  ...["fsync=on", "synchronous_commit=on", "full_page_writes=on", "wal_sync_method=fsync"].flatMap(
    (setting) => ["-c", setting],
  ),
];
/** Status with which the module leaves a statement that failed, which is ordinary. */
const STATEMENT_FAILED = 100;
/** Everything that PGlite calls while a statement runs. */
const ENTRIES = [
  "stackSave",
  "stackRestore",
  "_PostgresMainLoopOnce",
  "_PostgresMainLongJmp",
  "_PostgresSendReadyForQueryIfNecessary",
  "_pgl_pq_flush",
  "_pq_buffer_remaining_data",
] as const;

type Entry = (...values: unknown[]) => unknown;
type Module = Record<(typeof ENTRIES)[number], Entry> & {
  FS: { streams: ({ nfd?: number } | null)[] };
};

/**
 * PGlite that stays down after a crash.
 *
 * A server ends its processes when it cannot write its log (a full disk, a failed fsync). PGlite swallows that end and
 * runs the next statement over locks that nobody gives back, for ever, and with it the thread of this process. Here
 * nothing of a crashed instance runs again: every further statement fails at once, and the folder is opened anew, which
 * recovers it as after a kill.
 */
export class EmbeddedServer extends PGlite {
  #crash: Error | undefined;

  /** Starts on a folder, making a database in an empty one. */
  static async start(parameters: { cluster: string }): Promise<EmbeddedServer> {
    const server = new EmbeddedServer({
      fs: new DurableNodeFs(parameters.cluster),
      startParams: START_PARAMETERS,
      initDbStartParams: ["--no-sync"],
    });
    try {
      await server.waitReady;
    } catch (error) {
      server.abandon();
      throw error;
    }
    server.#guard();
    return server;
  }

  /** Why it runs no more; undefined while it does. */
  get crash(): Error | undefined {
    return this.#crash;
  }

  /** Gives back what a crashed instance holds of this process: its files. */
  abandon(): void {
    const module = this.mod as unknown as Module | undefined;
    // A descriptor that was duplicated is one file of this process all the same.
    const descriptors = new Set(module?.FS.streams.map((stream) => stream?.nfd));
    for (const descriptor of descriptors) {
      if (typeof descriptor === "number") closeSync(descriptor);
    }
    this.mod = undefined as never;
  }

  #guard(): void {
    const module = this.mod as unknown as Module;
    for (const name of ENTRIES) {
      const enter = module[name];
      module[name] = (...values) => {
        if (this.#crash !== undefined) throw this.#crash;
        try {
          return enter(...values);
        } catch (error) {
          const { status } = error as { status?: number };
          if (status !== STATEMENT_FAILED) this.#crash = error as Error;
          throw error;
        }
      };
    }
  }
}
