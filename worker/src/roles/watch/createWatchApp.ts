import type { Hono } from "hono";
import type { Logger } from "pino";
import { createBaseApp } from "../../http/createBaseApp.ts";
import type { Metrics } from "../../metrics/createMetrics.ts";
import type { Condition } from "../../repeat.ts";
import type { Database } from "../../storage/database.ts";
import { DatabaseAwayError } from "../../storage/databaseFailure.ts";
import { countWatched } from "../../verifier/watchedPages.ts";
import { countChallenges } from "./challenges.ts";

export type WatchAppContext = {
  database: Database;
  metrics: Metrics;
  logger: Logger;
  /** of a body, in bytes */
  bodyLimit: number;
  /** what each loop of this process is doing */
  conditions: ReadonlyMap<string, Condition>;
  /** address that pays */
  account: string;
};

/** `/health` and `/metrics` of the roles `watch` and `validate`. Nobody says who they are. */
export function createWatchApp(context: WatchAppContext): Hono {
  const { account, conditions, database, logger, metrics } = context;
  const app = createBaseApp({ metrics, logger, maximumBody: context.bodyLimit });
  app.get("/health", async (c) => {
    const whereThere = (error: unknown): null => {
      if (error instanceof DatabaseAwayError) return null;
      throw error;
    };
    const watched = await countWatched({ database }).catch(whereThere);
    const challenges = await countChallenges({ database }).catch(whereThere);
    const isWorking = [...conditions.values()].every(({ state }) => state === "working");
    const status = isWorking && watched !== null ? "ok" : "degraded";
    const roles = Object.fromEntries(conditions);
    const { block = null, verdicts: pages = null } = watched ?? {};
    return c.json({ status, roles, account, block, pages, challenges });
  });
  return app;
}
