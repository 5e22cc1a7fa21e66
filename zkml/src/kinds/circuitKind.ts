import type { IntegerNode } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import type { CircuitBuilder } from "../circuit/circuitBuilder.ts";
import type { Sum } from "../circuit/sum.ts";

/** A node of one kind. */
export type NodeOf<Kind extends IntegerNode["kind"]> = Extract<IntegerNode, { kind: Kind }>;

/** The constraints of one kind of integer node: its `compute` of `model-runtime/` as rows, and as circom. */
export type CircuitKind<Node> = {
  /** adds the rows that make the returned sums what the node computes from the sums of its input */
  addRows: (parameters: {
    node: Node;
    /** may be replaced, element by element, by a wire that is the same sum */
    input: Sum[];
    /** exact, element by element: they decide all widths */
    ranges: readonly Range[];
    /** what the wires' names start with */
    name: string;
    circuit: CircuitBuilder;
  }) => Sum[];
  /** file of `circuits/templates` that the lines use */
  template?: string;
  /** lines that declare the signal `output` and constrain it to be what the node computes from `input` */
  constrain: (parameters: {
    node: Node;
    /** the signal that the node reads; its ranges are exact, element by element, and decide all bit widths */
    input: { signal: string; ranges: readonly Range[] };
    /** all that it reads, of which `input` is the first */
    inputs: readonly { signal: string; ranges: readonly Range[] }[];
    output: { signal: string; count: number };
  }) => { title: string; lines: string[] };
  /** what the manifest says of the output: its elements count as activations, or it is the class */
  role?: "activations" | "label";
};

/** `[1, 2, 3]` as circom has it. */
export function vector(values: readonly (number | string)[]): string {
  return `[${values.join(", ")}]`;
}

/** A matrix, with a line per row. */
export function matrix(rows: readonly (readonly number[])[]): string {
  return `[\n${rows.map((row) => `        ${vector(row)}`).join(",\n")}\n    ]`;
}

/** A name of the ONNX file in a comment: whatever could end the comment is left out. */
export function commentText(name: string): string {
  return name.replaceAll(/[^\w./:^-]/g, "?").slice(0, 80);
}
