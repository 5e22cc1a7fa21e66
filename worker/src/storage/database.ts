/** A row as the driver returns it. Queries cast bigints to text, so that every driver returns the same. */
export type Row = Record<string, unknown>;

export type Queryable = {
  /**
   * One statement with `$1` parameters. One with a name, of its own and not of the text's, a server parses and plans once for
   * each connection: for those that answers wait for, and whose columns no migration changes.
   */
  query(sql: string, values?: readonly unknown[], name?: string): Promise<Row[]>;
  /** Several statements without parameters. */
  execute(sql: string): Promise<void>;
};

/** The queue's store: embedded PGlite or a PostgreSQL server. A commit that returned is on disk. */
export type Database = Queryable & {
  /**
   * Runs `operation` in one transaction: commits what it returns, rolls back what it throws.
   * `operation` must use the queryable that it is given, and no other.
   */
  transaction<Result>(operation: (queryable: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
};
