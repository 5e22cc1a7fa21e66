import { expect, it } from "vitest";
import { ifBranches } from "./ifBranches.ts";
import { lineHits } from "./lineHits.ts";

it("reads the lines of every file", () => {
  const lcov = "TN:\nSF:a.sol\nDA:1,1\nDA:2,0\nend_of_record\nSF:b.sol\nDA:7,3\nend_of_record\n";
  expect(lineHits({ lcov })).toEqual(
    new Map([
      [
        "a.sol",
        new Map([
          [1, true],
          [2, false],
        ]),
      ],
      ["b.sol", new Map([[7, true]])],
    ]),
  );
});

it("finds both ways of an if, by the lines where they begin", () => {
  const source =
    "if (a)\n  revert E();\nif (b) {\n  c();\n} else {\n  d();\n}\nif (e) f();\ng();\n";
  const node = (nodeType: string, text: string, more: object = {}) => ({
    nodeType,
    src: `${source.indexOf(text)}:1:0`,
    ...more,
  });
  const block = (statement: object, text: string) =>
    node("Block", text, { statements: [statement] });
  const statements = [
    node("IfStatement", "if (a)", { trueBody: node("RevertStatement", "revert") }),
    node("IfStatement", "if (b)", {
      trueBody: block(node("ExpressionStatement", "c()"), "{"),
      falseBody: block(node("ExpressionStatement", "d()"), "{"),
    }),
    node("IfStatement", "if (e)", { trueBody: node("ExpressionStatement", "f()") }),
    node("ExpressionStatement", "g()"),
  ];
  expect(ifBranches({ ast: node("Block", "if (a)", { statements }), source })).toEqual([
    { line: 1, taken: 2, passed: 3 },
    { line: 3, taken: 4, passed: 6 },
    // a branch that does not leave: reaching the next line says nothing
    { line: 8, taken: 8, passed: undefined },
  ]);
});
