import { afterAll, beforeAll, beforeEach, describe, inject } from "vitest";
import { claimIdentity } from "../../src/jobs/acceptJob.ts";
import type { Database } from "../../src/storage/database.ts";
import { openDatabase } from "../../src/storage/openDatabase.ts";
import { newDatabase } from "./newDatabase.ts";
import { NODE } from "./newJob.ts";
import { sharedQueue } from "./temporaryFolder.ts";

export const IDENTITY = { chainId: 31337n, genesisHash: "0x01", settlement: "0x02", node: NODE };

/** Forgets everything that a queue holds. */
export async function emptyQueue(database: Database): Promise<void> {
  const tables = [
    "channel_results",
    "channels",
    "channel_refunds",
    "payments",
    "held_payments",
    "transaction_jobs",
    "jobs",
    "pages",
  ];
  tables.push("attempts", "transactions", "identity");
  tables.push("followed_blocks", "watched_pages", "page_challenges", "doubted_leaves");
  tables.push("leaf_requests", "snapshots", "attestations", "duties");
  await database.execute(tables.map((table) => `DELETE FROM ${table}`).join("; "));
}

/**
 * Runs the same tests on PGlite and on PostgreSQL, each with an empty queue before every test. Without PostgreSQL its
 * half is skipped.
 */
export function describeStores(
  subject: string,
  tests: (store: { readonly database: Database }) => void,
): void {
  for (const name of ["PGlite", "PostgreSQL"] as const) {
    const isMissing = name === "PostgreSQL" && inject("postgresUrl") === undefined;
    describe.skipIf(isMissing)(`${subject} on ${name}`, () => {
      let database: Database;
      const folder = sharedQueue();
      const store = {
        get database() {
          return database;
        },
      };
      beforeAll(async () => {
        const url = name === "PostgreSQL" ? await newDatabase() : undefined;
        database = await openDatabase({ folder: folder.path, url, onError: () => undefined });
      });
      afterAll(async () => {
        await database.close();
        folder.remove();
      });
      beforeEach(async () => {
        await emptyQueue(database);
        await claimIdentity({ database, identity: IDENTITY });
      });
      tests(store);
    });
  }
}
