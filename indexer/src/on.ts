import { type Context, type EventNames, type IndexingFunctionArgs, ponder } from "ponder:registry";

type Db = Context["db"];
type Values = Record<string, unknown>;
/** What is to be written, or how it follows from the row that is there. */
type Change = Values | ((row: Values) => Values);

/** The writing half of Ponder's `db`, without the types of its tables. */
type Writing = {
  insert(table: unknown): {
    values(values: Values | Values[]): { onConflictDoUpdate(change: Change): Promise<unknown> };
  };
  update(table: unknown, key: unknown): { set(change: Change): Promise<unknown> };
};

/**
 * `ponder.on`, with handlers that note in each row that they write the number of the event's block, so that whoever reads a
 * row can tell how final it is.
 */
export function on<Name extends EventNames>(
  name: Name,
  handler: (parameters: IndexingFunctionArgs<Name>) => Promise<void>,
): void {
  ponder.on(name, async (parameters) => {
    const { context, event } = parameters as IndexingFunctionArgs;
    const db = stamping({ db: context.db, rowBlock: event.block.number });
    await handler({ ...parameters, context: { ...context, db } } as typeof parameters);
  });
}

function stamping({ db, rowBlock }: { db: Db; rowBlock: bigint }): Db {
  const writing = db as unknown as Writing;
  const stamp = (values: Values): Values => ({ ...values, rowBlock });
  const stampChange = (change: Change): Change =>
    typeof change === "function" ? (row) => stamp(change(row)) : stamp(change);
  const stamped: Writing = {
    insert: (table) => ({
      values(values) {
        const all = Array.isArray(values) ? values.map(stamp) : stamp(values);
        const insertion = writing.insert(table).values(all);
        return {
          ...insertion,
          onConflictDoUpdate: (change) => insertion.onConflictDoUpdate(stampChange(change)),
        };
      },
    }),
    update: (table, key) => ({
      set: (change) => writing.update(table, key).set(stampChange(change)),
    }),
  };
  return { ...db, ...(stamped as unknown as Pick<Db, "insert" | "update">) };
}
