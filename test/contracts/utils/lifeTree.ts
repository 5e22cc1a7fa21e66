import { readFileSync } from "node:fs";

/** For each state that a `.tree` file gives: what each operation does to it. */
export type LifeTree = ReadonlyMap<string, Readonly<Record<string, string>>>;

const LINE = /^[^a-z]*(given|when|it) (.*)$/;

/**
 * Reads a `.tree` file of one thing's life: states (`given a banned node, its bond lost`), the operations in each, and
 * one sentence on what they do.
 * @param thing whose life it is, as the states call it
 */
export function readLifeTree(path: string, thing: string): LifeTree {
  const life = new Map<string, Record<string, string>>();
  let operations: Record<string, string> = {};
  let when: string[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const [, word, text = ""] = LINE.exec(line) ?? [];
    if (word === "given") {
      operations = {};
      life.set(text.replace(/^an? /, "").replace(` ${thing}`, ""), operations);
    }
    if (word === "when") when = text.split(", ");
    if (word === "it") for (const operation of when) operations[operation] = text;
  }
  return life;
}

/** States that an operation leads to, in order of their names: each of them has to be given, too. */
export function statesLedTo(tree: LifeTree): string[] {
  const effects = [...tree.values()].flatMap((operations) => Object.values(operations));
  const states = effects.flatMap((effect) => /^becomes (.*?)(?: and .*)?$/.exec(effect)?.[1] ?? []);
  return [...new Set(states)].sort();
}

/** What a call came to, where it did not go through: `reverts with …`; undefined where it did. */
export async function revertOf(call: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    const name = /custom error '(\w+)/.exec(String(error))?.[1];
    if (name === undefined) throw error;
    return `reverts with ${name}`;
  }
}
