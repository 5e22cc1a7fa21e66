/** Of each file, the lines that can run, and whether they did. Read from an lcov report. */
export function lineHits({ lcov }: { lcov: string }): Map<string, Map<number, boolean>> {
  const files = new Map<string, Map<number, boolean>>();
  let lines = new Map<number, boolean>();
  for (const row of lcov.split("\n")) {
    const [key, value = ""] = row.split(/:(.*)/);
    if (key === "SF") {
      lines = new Map();
      files.set(value, lines);
    } else if (key === "DA") {
      const [line, count] = value.split(",").map(Number);
      lines.set(line ?? 0, (count ?? 0) > 0);
    }
  }
  return files;
}
