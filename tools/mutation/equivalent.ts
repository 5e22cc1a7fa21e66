import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Mutant, OPERATORS } from "./mutant.ts";

const listSchema = z.array(
  z.strictObject({
    file: z.string(),
    operator: z.enum(OPERATORS),
    /** the whole line with the change in it, without space around it */
    mutatedLine: z.string(),
    /** why nobody can tell the mutant from the contract */
    reason: z.string().min(1),
  }),
);
export type Argued = z.infer<typeof listSchema>[number];

/** Mutants that somebody has argued to be no change. */
export function readEquivalents(): Argued[] {
  const path = join(import.meta.dirname, "equivalent.json");
  return listSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** Whether a mutant is argued: lines move, so it is told by what its line becomes. */
export function isArgued(parameters: {
  mutant: Mutant;
  mutatedSource: string;
  list: readonly Argued[];
}): boolean {
  const { mutant, mutatedSource, list } = parameters;
  const line = mutatedSource.split("\n")[mutant.line - 1]?.trim();
  return list.some(
    ({ file, operator, mutatedLine }) =>
      file === mutant.file && operator === mutant.operator && mutatedLine === line,
  );
}
