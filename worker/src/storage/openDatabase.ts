import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { openPglite } from "./openPglite.ts";
import { openPostgres } from "./openPostgres.ts";

const DEFAULT_POOL_SIZE = 10;

/**
 * Opens the queue's store and brings its schema up to date: PostgreSQL where there is a URL, else the
 * embedded database in `folder`.
 */
export async function openDatabase(parameters: {
  folder: string;
  url: string | undefined;
  /** connections to PostgreSQL at most */
  poolSize?: number;
  onError: (error: Error) => void;
}): Promise<Database> {
  const { folder, url, poolSize = DEFAULT_POOL_SIZE, onError } = parameters;
  const database =
    url === undefined
      ? await openPglite({ folder })
      : await openPostgres({ url, poolSize, onError });
  try {
    await migrate({ database });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}
