/** A name of the ONNX file in a comment: whatever could end the comment is left out. */
export function commentText(name: string): string {
  return name.replaceAll(/[^\w./:^-]/g, "?").slice(0, 80);
}

/** `[1, 2, 3]`, or with a line per element where the elements are arrays. */
export function vector(values: readonly (number | string)[]): string {
  return `[${values.join(", ")}]`;
}

export function matrix(rows: readonly (readonly number[])[]): string {
  return `[\n${rows.map((row) => `        ${vector(row)}`).join(",\n")}\n    ]`;
}
