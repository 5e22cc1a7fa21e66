import { readdirSync, readFileSync } from "node:fs";
import { StartError } from "../errors.ts";
import type { Database } from "./database.ts";

const FOLDER = new URL("migrations/", import.meta.url);
const FILE_NAME = /^(\d{3})-[a-z-]+\.sql$/;
/** Any constant: the key of the lock that makes several starting workers migrate one after the other. */
const ADVISORY_LOCK = 4_919_033;

/** Files of the folder by their numbers, which name versions and may have gaps. */
function readMigrations(): { version: number; name: string }[] {
  return readdirSync(FOLDER)
    .flatMap((name) => {
      const [, number] = FILE_NAME.exec(name) ?? [];
      return number === undefined ? [] : [{ version: Number(number), name }];
    })
    .sort((a, b) => a.version - b.version);
}

/**
 * Brings the schema to the newest version, in one transaction; does nothing where it is there.
 * @throws StartError `database.newer` where a newer worker has been at work
 */
export async function migrate(parameters: { database: Database }): Promise<void> {
  const migrations = readMigrations();
  const newest = migrations.at(-1)?.version ?? 0;
  await parameters.database.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock($1)", [ADVISORY_LOCK]);
    await tx.execute(
      "CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    const rows = await tx.query("SELECT version::integer FROM migrations");
    const applied = new Set(rows.map(({ version }) => Number(version)));
    const highest = Math.max(0, ...applied);
    if (highest > newest) {
      throw new StartError({
        code: "database.newer",
        message: `the database has schema version ${highest}, this worker knows ${newest}: use a newer worker`,
      });
    }
    for (const { name, version } of migrations) {
      if (applied.has(version)) continue;
      await tx.execute(readFileSync(new URL(name, FOLDER), "utf8"));
      await tx.query("INSERT INTO migrations (version) VALUES ($1)", [version]);
    }
  });
}
