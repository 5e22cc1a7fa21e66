/** One change to one source. Positions are bytes, as in the compiler's syntax trees. */
export type Mutant = {
  /** path in the project, such as `contracts/token/OPG.sol` */
  file: string;
  operator: Operator;
  start: number;
  end: number;
  line: number;
  original: string;
  mutated: string;
};

export const OPERATORS = [
  "arithmetic",
  "boolean",
  "comparison",
  "condition",
  "constant",
  "modifier",
  "statement",
] as const;
export type Operator = (typeof OPERATORS)[number];

/** What stands in place of a range. */
export type Replacement = { operator: Operator; start: number; end: number; mutated: string };

/** A node of a syntax tree, Solidity's or Yul's. */
export type SyntaxNode = { nodeType: string; src: string; [field: string]: unknown };

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" &&
    value !== null &&
    "nodeType" in value &&
    typeof value.nodeType === "string" &&
    "src" in value
  );
}

/** The source with the change in it. */
export function applyMutant(parameters: { source: string; mutant: Mutant }): string {
  const { source, mutant } = parameters;
  const bytes = Buffer.from(source);
  return Buffer.concat([
    bytes.subarray(0, mutant.start),
    Buffer.from(mutant.mutated),
    bytes.subarray(mutant.end),
  ]).toString();
}

/** A source whose bytes are read at the places that a syntax tree names. */
export class SourceText {
  readonly #bytes: Buffer;

  constructor(source: string) {
    this.#bytes = Buffer.from(source);
  }

  slice(start: number, end: number): string {
    return this.#bytes.subarray(start, end).toString();
  }

  text(node: SyntaxNode): string {
    const { start, end } = rangeOf(node);
    return this.slice(start, end);
  }

  lineOf(position: number): number {
    return this.slice(0, position).split("\n").length;
  }

  /** Where `token` stands between two positions, comments left aside. */
  find(parameters: { token: string; from: number; to: number }): number | undefined {
    const { token, from, to } = parameters;
    // Latin-1 keeps one character for each byte.
    const text = this.#bytes.subarray(from, to).toString("latin1");
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) =>
      " ".repeat(comment.length),
    );
    const index = code.indexOf(token);
    return index < 0 ? undefined : from + index;
  }
}

export function rangeOf(node: SyntaxNode): { start: number; end: number } {
  const [start = 0, length = 0] = node.src.split(":").map(Number);
  return { start, end: start + length };
}
