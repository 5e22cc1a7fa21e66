import { sql } from "ponder";
import { readSettings } from "../../launch/readSettings.ts";

/** What of Drizzle's session is used here; Ponder's types leave it out. */
type Session = {
  prepareQuery(...words: never[]): { execute(): unknown };
  transaction<Result>(
    work: (transaction: {
      _: { session: Session };
      execute(statement: unknown): Promise<unknown>;
    }) => Promise<Result>,
    config: { accessMode: "read only" },
  ): Promise<Result>;
};

/**
 * The database, with a client's SQL answered from the schema's own tables. Ponder 0.16 writes more than 20 changed rows at once
 * through a temporary table of the same name and leaves it behind, empty. The embedded database has one connection, on which a
 * name without a schema then means that table. Ponder's own statements name the schema, or need the temporary one. Its
 * `transaction` is none on the embedded database, the session's is; it reads only, as on PostgreSQL.
 */
export function schemaFirst<Database extends object>(db: Database): Database {
  if (readSettings(process.env).databaseUrl !== undefined) return db;
  const { _: inner } = db as unknown as { _: { session: Session } };
  const path = sql.raw(`SET LOCAL search_path TO "${process.env.DATABASE_SCHEMA}", pg_temp`);
  const prepareQuery: Session["prepareQuery"] = (...words) => ({
    execute: () =>
      inner.session.transaction(
        async (transaction) => {
          await transaction.execute(path);
          return await transaction._.session.prepareQuery(...words).execute();
        },
        { accessMode: "read only" },
      ),
  });
  const session = Object.create(inner.session, { prepareQuery: { value: prepareQuery } });
  return Object.create(db, { _: { value: { ...inner, session } } });
}
