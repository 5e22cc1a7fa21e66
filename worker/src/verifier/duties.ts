import type { Database } from "../storage/database.ts";

/** Longer than looking at the chain and sending a transaction takes. */
const DUTY_SECONDS = 60;

const CLAIM = `INSERT INTO duties (name, until) VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE duties.until < now()
RETURNING name`;
const RELEASE = "DELETE FROM duties WHERE name = $1";

/**
 * Does something that no other process over this database does at the same time; nothing where one is at it. Of a process
 * that dies meanwhile, another one takes it over a minute later.
 */
export async function withDuty(parameters: {
  database: Database;
  name: string;
  work: () => Promise<void>;
}): Promise<void> {
  const { database, name, work } = parameters;
  if ((await database.query(CLAIM, [name, DUTY_SECONDS])).length === 0) return;
  try {
    await work();
  } finally {
    await database.query(RELEASE, [name]);
  }
}

/** What a process that is gone was at; only where the database is one process's alone. */
export async function releaseAllDuties({ database }: { database: Database }): Promise<void> {
  await database.query("DELETE FROM duties");
}
