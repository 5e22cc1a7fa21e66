import {
  isNode,
  type Operator,
  type Replacement,
  rangeOf,
  type SourceText,
  type SyntaxNode,
} from "./mutant.ts";

/** Built-in functions of Yul and what stands in their place. */
const FUNCTIONS: Readonly<Record<string, { operator: Operator; mutated: string }>> = {
  add: { operator: "arithmetic", mutated: "sub" },
  sub: { operator: "arithmetic", mutated: "add" },
  mul: { operator: "arithmetic", mutated: "div" },
  div: { operator: "arithmetic", mutated: "mul" },
  mod: { operator: "arithmetic", mutated: "div" },
  addmod: { operator: "arithmetic", mutated: "mulmod" },
  mulmod: { operator: "arithmetic", mutated: "addmod" },
  shl: { operator: "arithmetic", mutated: "shr" },
  shr: { operator: "arithmetic", mutated: "shl" },
  and: { operator: "boolean", mutated: "or" },
  or: { operator: "boolean", mutated: "and" },
  xor: { operator: "boolean", mutated: "and" },
  lt: { operator: "comparison", mutated: "gt" },
  gt: { operator: "comparison", mutated: "lt" },
  eq: { operator: "comparison", mutated: "xor" },
  iszero: { operator: "condition", mutated: "not" },
};

const STATEMENTS = new Set(["YulExpressionStatement", "YulAssignment"]);

/** Changes of an assembly block, by its syntax tree. */
export function* yulReplacements(value: unknown, text: SourceText): Generator<Replacement> {
  if (Array.isArray(value)) {
    for (const item of value) yield* yulReplacements(item, text);
    return;
  }
  if (!isNode(value)) return;
  yield* own(value, text);
  for (const child of Object.values(value)) yield* yulReplacements(child, text);
}

function* own(node: SyntaxNode, text: SourceText): Generator<Replacement> {
  const place = rangeOf(node);
  if (node.nodeType === "YulFunctionCall" && isNode(node.functionName)) {
    const called = FUNCTIONS[String(node.functionName.name)];
    if (called !== undefined) yield { ...called, ...rangeOf(node.functionName) };
  }
  if (node.nodeType === "YulLiteral" && node.kind === "number") {
    const mutated = `0x${(BigInt(text.text(node)) + 1n).toString(16)}`;
    yield { operator: "constant", ...place, mutated };
  }
  if (STATEMENTS.has(node.nodeType)) yield { operator: "statement", ...place, mutated: "{}" };
}
