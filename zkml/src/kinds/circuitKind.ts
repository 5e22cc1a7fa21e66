import type { IntegerNode } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import type { CircuitBuilder } from "../circuit/circuitBuilder.ts";
import type { Sum } from "../circuit/sum.ts";

/** A node of one kind. */
export type NodeOf<Kind extends IntegerNode["kind"]> = Extract<IntegerNode, { kind: Kind }>;

/** The constraints of one kind of integer node: its `compute` of `model-runtime/` as rows. */
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
    /** whether what alone reads the output takes products: the returned sums may lack them (`openProduct`) */
    isOpen?: boolean;
  }) => Sum[];
  /** set where `addRows` adds what the sums of its input lack (`takeProduct`), and puts a sum that lacks nothing in its place */
  takesProducts?: boolean;
  /** what the manifest says of the output: its elements count as activations, or it is the class */
  role?: "activations" | "label";
};
