/** A plain-text table: numbers right-aligned, everything else left-aligned. */
export function formatTable(parameters: {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}): string {
  const { columns, rows } = parameters;
  const widths = columns.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => (row[index] ?? "").length)),
  );
  const numeric = columns.map((_, index) =>
    rows.every((row) => /^[\d.,]+( \S+)?$/.test(row[index] ?? "")),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        numeric[index] === true
          ? cell.padStart(widths[index] ?? 0)
          : cell.padEnd(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(columns), rule, ...rows.map(line)].join("\n");
}
