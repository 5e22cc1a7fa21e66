import type { QueueConfig } from "./config/readConfig.ts";
import { openDatabase } from "./database/openDatabase.ts";
import { StartError } from "./errors.ts";
import { countJobs } from "./queue/countJobs.ts";

type Status = { source: string; jobs: Record<string, number>; failures: Record<string, number> };

/**
 * Jobs by state, as lines of text: from the queue itself, or from the worker's `/health` while a worker has
 * the embedded queue open.
 */
export async function status(parameters: { config: QueueConfig }): Promise<string> {
  const { jobs, failures, source } = await read(parameters.config);
  const lines = [
    source,
    ...Object.entries(jobs).map(([state, count]) => `${state.padEnd(10)} ${count}`),
    ...Object.entries(failures).map(([reason, count]) => `  ${reason}: ${count}`),
  ];
  return lines.join("\n");
}

async function read(config: QueueConfig): Promise<Status> {
  const { dataDirectory, databaseUrl, http } = config;
  try {
    const database = await openDatabase({
      folder: dataDirectory,
      url: databaseUrl,
      onError: () => undefined,
    });
    try {
      const { states, failures } = await countJobs({ database });
      const source =
        databaseUrl === undefined ? `queue in ${dataDirectory}` : "queue in PostgreSQL";
      return { source, jobs: states, failures };
    } finally {
      await database.close();
    }
  } catch (error) {
    if (!(error instanceof StartError) || error.code !== "database.locked") throw error;
    const url = `http://${http.host}:${http.port}/health`;
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok !== true) throw error;
    const { jobs } = (await response.json()) as { jobs: Record<string, number> };
    return { source: `worker at ${url}`, jobs, failures: {} };
  }
}
