import {
  isNode,
  type Mutant,
  type Replacement,
  rangeOf,
  SourceText,
  type SyntaxNode,
} from "./mutant.ts";
import { yulReplacements } from "./yulMutators.ts";

const COMPARISONS: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "==": ["!="],
  "!=": ["=="],
};

const ARITHMETIC: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<<": ">>",
  ">>": "<<",
  "&": "|",
  "|": "&",
  "^": "&",
};

const BOOLEAN: Readonly<Record<string, string>> = { "&&": "||", "||": "&&" };

/** Every mutant of one source, in the order of its syntax tree. Visibility and types are left alone. */
export function mutantsOf(parameters: { file: string; source: string; ast: unknown }): Mutant[] {
  const { file, source, ast } = parameters;
  const text = new SourceText(source);
  const mutants = new Map<string, Mutant>();
  for (const { operator, start, end, mutated } of replacements(ast, text, "")) {
    const original = text.slice(start, end);
    const line = text.lineOf(start);
    const mutant = { file, operator, start, end, line, original, mutated };
    mutants.set(`${start}:${end}:${mutated}`, mutant);
  }
  return [...mutants.values()];
}

function* replacements(value: unknown, text: SourceText, field: string): Generator<Replacement> {
  if (Array.isArray(value)) {
    for (const item of value) yield* replacements(item, text, field);
    return;
  }
  if (!isNode(value)) return;
  if (value.nodeType === "InlineAssembly") {
    yield* yulReplacements(value.AST, text);
    return;
  }
  // A change of a type seldom compiles and says nothing about the tests.
  if (value.nodeType === "ArrayTypeName") return;
  yield* own(value, text, field);
  for (const [name, child] of Object.entries(value)) yield* replacements(child, text, name);
}

function* own(node: SyntaxNode, text: SourceText, field: string): Generator<Replacement> {
  switch (node.nodeType) {
    case "BinaryOperation":
      yield* binary(node, text);
      break;
    case "Assignment":
      yield* compoundAssignment(node, text);
      break;
    case "UnaryOperation":
      yield* step(node, text);
      break;
    case "IfStatement":
    case "Conditional":
      yield* negation(node.condition, text);
      break;
    case "FunctionCall":
      yield* requirement(node, text);
      break;
    case "ExpressionStatement":
    case "EmitStatement":
    case "RevertStatement":
      // The parts of a for's head are no statements of their own.
      if (field !== "loopExpression" && field !== "initializationExpression") {
        yield* deletedStatement(node, text);
      }
      break;
    case "ModifierInvocation":
      if (node.kind === "modifierInvocation") {
        yield { operator: "modifier", ...rangeOf(node), mutated: "" };
      }
      break;
    case "Literal":
      yield* literal(node, text);
      break;
  }
}

function* binary(node: SyntaxNode, text: SourceText): Generator<Replacement> {
  const { operator, leftExpression, rightExpression } = node;
  if (typeof operator !== "string" || !isNode(leftExpression) || !isNode(rightExpression)) return;
  const from = rangeOf(leftExpression).end;
  const start = text.find({ token: operator, from, to: rangeOf(rightExpression).start });
  if (start === undefined) return;
  const place = { start, end: start + operator.length };
  for (const mutated of COMPARISONS[operator] ?? []) {
    yield { operator: "comparison", ...place, mutated };
  }
  const arithmetic = ARITHMETIC[operator];
  if (arithmetic !== undefined) yield { operator: "arithmetic", ...place, mutated: arithmetic };
  const boolean = BOOLEAN[operator];
  if (boolean !== undefined) yield { operator: "boolean", ...place, mutated: boolean };
}

/** `a += b` becomes `a -= b`, and so on. */
function* compoundAssignment(node: SyntaxNode, text: SourceText): Generator<Replacement> {
  const { operator, leftHandSide, rightHandSide } = node;
  if (typeof operator !== "string" || !isNode(leftHandSide) || !isNode(rightHandSide)) return;
  const mutated = ARITHMETIC[operator.slice(0, -1)];
  if (mutated === undefined) return;
  const from = rangeOf(leftHandSide).end;
  const start = text.find({ token: operator, from, to: rangeOf(rightHandSide).start });
  if (start === undefined) return;
  yield { operator: "arithmetic", start, end: start + operator.length, mutated: `${mutated}=` };
}

/** `++` becomes `--`, `!x` becomes `x`. */
function* step(node: SyntaxNode, text: SourceText): Generator<Replacement> {
  const { operator, subExpression } = node;
  if (typeof operator !== "string" || !isNode(subExpression)) return;
  const { start, end } = rangeOf(node);
  const inner = text.text(subExpression);
  if (operator === "!") yield { operator: "condition", start, end, mutated: inner };
  if (operator !== "++" && operator !== "--") return;
  const other = operator === "++" ? "--" : "++";
  const mutated = node.prefix === true ? `${other}${inner}` : `${inner}${other}`;
  yield { operator: "arithmetic", start, end, mutated };
}

/** Comparisons and `!x` have their opposite among the other operators. */
function* negation(condition: unknown, text: SourceText): Generator<Replacement> {
  if (!isNode(condition)) return;
  const { operator } = condition;
  if (typeof operator === "string" && (operator in COMPARISONS || operator === "!")) return;
  yield { operator: "condition", ...rangeOf(condition), mutated: `!(${text.text(condition)})` };
}

function* requirement(node: SyntaxNode, text: SourceText): Generator<Replacement> {
  const { expression, arguments: given } = node;
  if (!isNode(expression) || !Array.isArray(given)) return;
  if (expression.name === "require" || expression.name === "assert")
    yield* negation(given[0], text);
}

function* deletedStatement(node: SyntaxNode, text: SourceText): Generator<Replacement> {
  const { start, end } = rangeOf(node);
  if (text.slice(end - 1, end) === ";") {
    yield { operator: "statement", start, end, mutated: "{}" };
    return;
  }
  const semicolon = text.find({ token: ";", from: end, to: end + 100 });
  if (semicolon === undefined || text.slice(end, semicolon).trim() !== "") return;
  yield { operator: "statement", start, end: semicolon + 1, mutated: "{}" };
}

function* literal(node: SyntaxNode, text: SourceText): Generator<Replacement> {
  const place = { operator: "constant" as const, ...rangeOf(node) };
  if (node.kind === "bool") yield { ...place, mutated: node.value === "true" ? "false" : "true" };
  if (node.kind === "number") yield { ...place, mutated: `(${text.text(node)} + 1)` };
}
