export type Row = Record<string, unknown>;
/** Rows by table, with the indexer's names of tables and columns. */
export type Tables = Record<string, Row[]>;

/** The same rows, in an order that they alone decide. */
export const inOrder = (rows: readonly Row[]): Row[] =>
  rows
    .map((row) => ({ row, key: JSON.stringify(row, Object.keys(row).sort()) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);

/** Of each row, what `row` says something of. */
export const likeIn = (rows: readonly Row[], like: Row): Row[] =>
  rows.map((row) => Object.fromEntries(Object.keys(like).map((column) => [column, row[column]])));
