import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { openPglite } from "./openPglite.ts";
import { openPostgres } from "./openPostgres.ts";

/**
 * Opens the queue's store and brings its schema up to date: PostgreSQL where there is a URL, else the
 * embedded database in `folder`.
 */
export async function openDatabase(parameters: {
  folder: string;
  url: string | undefined;
  onError: (error: Error) => void;
}): Promise<Database> {
  const { folder, url, onError } = parameters;
  const database =
    url === undefined ? await openPglite({ folder }) : await openPostgres({ url, onError });
  try {
    await migrate({ database });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}
