import type { Database, Queryable } from "../../src/storage/database.ts";
import {
  JOBS,
  NOTHING,
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
  let known = NOTHING;
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const [jobs, transactions] = [await database.query(JOBS), await database.query(TRANSACTIONS)];
    const seen = recordsOf({ jobs, transactions });
    const transitions = transitionsBetween(known, seen);
    known = seen;
    for (const transition of transitions) onTransition(transition);
  };
  const lookAfter = async (): Promise<void> => {
    looking = looking.then(look);
    await looking;
  };
  const found = [await database.query(JOBS), await database.query(TRANSACTIONS)] as const;
  known = recordsOf({ jobs: found[0], transactions: found[1] });
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
