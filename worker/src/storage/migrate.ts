import { readdirSync, readFileSync } from "node:fs";
import { StartError } from "../errors.ts";
import type { Database } from "./database.ts";

const FOLDER = new URL("migrations/", import.meta.url);
const FILE_NAME = /^(\d{3})-[a-z-]+\.sql$/;
/** Any constant: the key of the lock that makes several starting workers migrate one after the other. */
const ADVISORY_LOCK = 4_919_033;

/**
 * Brings the schema to the newest version, in one transaction; does nothing where it is there.
 * @throws StartError `database.newer` where a newer worker has been at work
 */
export async function migrate(parameters: { database: Database }): Promise<void> {
  const migrations = readdirSync(FOLDER)
    .filter((name) => FILE_NAME.test(name))
    .sort();
  await parameters.database.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock($1)", [ADVISORY_LOCK]);
    await tx.execute(
      "CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    const [row] = await tx.query(
      "SELECT coalesce(max(version), 0)::integer AS version FROM migrations",
    );
    const version = Number(row?.version);
    if (version > migrations.length) {
      throw new StartError({
        code: "database.newer",
        message: `the database has schema version ${version}, this worker knows ${migrations.length}: use a newer worker`,
      });
    }
    for (const [index, name] of migrations.entries()) {
      if (index < version) continue;
      await tx.execute(readFileSync(new URL(name, FOLDER), "utf8"));
      await tx.query("INSERT INTO migrations (version) VALUES ($1)", [index + 1]);
    }
  });
}
