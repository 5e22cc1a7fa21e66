import { Pool } from "pg";
import { digit } from "./digits.ts";
import type { LocalChain } from "./localChain.ts";
import { waitFor } from "./processes.ts";

const BODY = JSON.stringify({ model: "digits", input: digit(0) });

/** Asks one of several nodes; returns the status, and the request's id where it was accepted. */
export async function ask(url: string): Promise<{ status: number; requestId: string | undefined }> {
  const response = await fetch(`${url}/v1/inferences`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: BODY,
  });
  const { requestId } = (await response.json()) as { requestId?: string };
  return { status: response.status, requestId };
}

/** Asks `count` times, several at once, in turn at every node; returns the ids of the accepted requests. */
export async function askMany(parameters: {
  urls: readonly string[];
  count: number;
}): Promise<string[]> {
  const { urls, count } = parameters;
  const ids: string[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const url = urls[next % urls.length] ?? "";
      next += 1;
      const { requestId, status } = await ask(url);
      if (requestId === undefined) throw new Error(`refused with ${status}`);
      ids.push(requestId);
    }
  };
  await Promise.all(Array.from({ length: 12 }, client));
  return ids;
}

/** One statement, straight to a PostgreSQL. */
async function query(databaseUrl: string, sql: string): Promise<Record<string, unknown>[]> {
  const pool = new Pool({ connectionString: databaseUrl, application_name: "haca-tests" });
  pool.on("error", () => undefined);
  try {
    return (await pool.query(sql)).rows;
  } finally {
    await pool.end();
  }
}

/** Jobs by state, straight from a PostgreSQL. */
export async function readStates(databaseUrl: string): Promise<Record<string, number>> {
  const rows = await query(
    databaseUrl,
    "SELECT state, count(*)::integer AS jobs FROM jobs GROUP BY state",
  );
  return Object.fromEntries(rows.map(({ state, jobs }) => [state as string, Number(jobs)]));
}

/** Transactions by kind, and `all` of them, straight from a PostgreSQL. */
export async function countTransactions(databaseUrl: string): Promise<Record<string, number>> {
  const rows = await query(
    databaseUrl,
    "SELECT kind, count(*)::integer AS count FROM transactions GROUP BY kind",
  );
  const all = rows.reduce((sum, { count }) => sum + Number(count), 0);
  const kinds = rows.map(({ count, kind }) => [String(kind), Number(count)]);
  return { ...Object.fromEntries(kinds), all };
}

/** Lets every lease, every rest and every duty run out, as time does. */
export async function endLeases(databaseUrl: string): Promise<void> {
  for (const table of ["jobs", "transactions"]) {
    const ended = "leased_until = now() - interval '1 second', run_after = now()";
    await query(databaseUrl, `UPDATE ${table} SET ${ended}`);
  }
  await query(databaseUrl, "UPDATE duties SET until = now() - interval '1 second'");
}

/** Every job's state, straight from a PostgreSQL. */
export async function readJobStates(databaseUrl: string): Promise<Map<string, string>> {
  const rows = await query(databaseUrl, "SELECT request_id, state FROM jobs");
  return new Map(rows.map(({ request_id, state }) => [String(request_id), String(state)]));
}

/** Waits until no job is on its way, and returns the jobs by state. */
export async function allDone(databaseUrl: string): Promise<Record<string, number>> {
  return await waitFor(async () => {
    const states = await readStates(databaseUrl);
    const isDone = ["accepted", "proven", "submitted", "pending"].every(
      (state) => states[state] === undefined,
    );
    return isDone ? states : undefined;
  });
}

/** How often the chain saw each of the requests settled. */
export async function settlementsOf(
  chain: LocalChain,
  requestIds: readonly string[],
): Promise<number[]> {
  const counts = await chain.countSettlements();
  return requestIds.map((requestId) => counts.get(requestId) ?? 0);
}
