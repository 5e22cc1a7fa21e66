import type { onchainTable } from "ponder";

type Columns = Parameters<Extract<Parameters<typeof onchainTable>[1], (t: never) => unknown>>[0];

/**
 * The column that every table has: number of the block that wrote the row last. A row is as final as that block.
 * `on` fills it in. A row that is written past that has null there, which the database refuses.
 */
export const rowBlock = (t: Columns) =>
  t
    .bigint()
    .notNull()
    .$defaultFn(() => null as unknown as bigint);
