import { VARIABLES, type Variable } from "./variables.ts";

const COLUMNS = 80;
const INDENT = 6;

/** The settings, a line each and their meaning below it, within 80 columns. */
export function settingsHelp(): string {
  const entries: readonly (readonly [string, Variable<unknown>])[] = Object.entries(VARIABLES);
  return entries
    .map(([name, { default: standard, help }]) => {
      const shown = standard === undefined || standard === "" ? "" : ` [${standard}]`;
      return `  ${name}${shown}\n${wrap(help)}`;
    })
    .join("\n");
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && INDENT + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => " ".repeat(INDENT) + each).join("\n");
}
