import type { Database, Queryable } from "../../src/storage/database.ts";
import {
  JOBS,
  type Records,
  recordsOf,
  TRANSACTIONS,
  type Transition,
  transitionsBetween,
} from "./transitions.ts";

const WRITES = /\b(INSERT|UPDATE|DELETE)\b/;

/**
 * A database that tells of each transition when it is on disk, and before whoever made it hears of that. It is found by
 * looking, not by the statement: what a later statement changes in its own way is seen too.
 */
export async function observedDatabase(parameters: {
  database: Database;
  onTransition: (transition: Transition) => void;
}): Promise<Database> {
  const { database, onTransition } = parameters;
  const read = async (): Promise<Records> =>
    recordsOf({
      jobs: await database.query(JOBS),
      transactions: await database.query(TRANSACTIONS),
    });
  return await observed({ database, read, between: transitionsBetween, onTransition });
}

/** The same of whatever can be read: what lies between two looks is told. */
export async function observed<Seen, Name>(parameters: {
  database: Database;
  read: () => Promise<Seen>;
  between: (before: Seen, after: Seen) => Name[];
  onTransition: (name: Name) => void;
}): Promise<Database> {
  const { between, database, onTransition, read } = parameters;
  let known = await read();
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const before = known;
    known = await read();
    for (const transition of between(before, known)) onTransition(transition);
  };
  const lookAfter = async (): Promise<void> => {
    looking = looking.then(look);
    await looking;
  };
  return {
    async query(sql, values) {
      const rows = await database.query(sql, values);
      if (WRITES.test(sql)) await lookAfter();
      return rows;
    },
    async execute(sql) {
      await database.execute(sql);
      await lookAfter();
    },
    async transaction<Result>(operation: (queryable: Queryable) => Promise<Result>) {
      const result = await database.transaction(operation);
      await lookAfter();
      return result;
    },
    close: () => database.close(),
  };
}
