/** A node of the compiler's syntax tree, as far as branches need it. */
type AstNode = {
  nodeType: string;
  src: string;
  statements?: AstNode[];
  trueBody?: AstNode;
  falseBody?: AstNode | null;
};

/** The two ways through an `if`, each by the line of the first statement on it. */
export type IfBranches = { line: number; taken: number; passed: number | undefined };

/**
 * Every `if` of a source. The way past an `if` without `else` begins at the next statement of the same block, which
 * is only reached without taking the branch where the branch leaves the function or the round of the loop; with
 * another branch, or with nothing behind it, `passed` is undefined: lines cannot tell.
 */
export function ifBranches(parameters: { ast: unknown; source: string }): IfBranches[] {
  const { ast, source } = parameters;
  // The compiler counts bytes.
  const bytes = Buffer.from(source);
  const lineOf = (node: AstNode): number => {
    const start = Number(node.src.split(":")[0]);
    return bytes.subarray(0, start).toString().split("\n").length;
  };
  const firstLine = (node: AstNode): number => lineOf(node.statements?.[0] ?? node);
  const found: IfBranches[] = [];

  const visit = (value: unknown, next: AstNode | undefined): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, value[index + 1]);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const node = value as AstNode;
    if (node.nodeType === "IfStatement" && node.trueBody !== undefined) {
      const otherWay = node.falseBody ?? (leaves(node.trueBody) ? next : undefined);
      found.push({
        line: lineOf(node),
        taken: firstLine(node.trueBody),
        passed: otherWay === undefined || otherWay === null ? undefined : firstLine(otherWay),
      });
    }
    for (const child of Object.values(value)) visit(child, undefined);
  };
  visit(ast, undefined);
  return found;
}

/** Whether nothing behind the statement runs after it. */
function leaves(body: AstNode): boolean {
  const last = body.statements === undefined ? body : body.statements.at(-1);
  return ["RevertStatement", "Return", "Continue", "Break"].includes(last?.nodeType ?? "");
}
