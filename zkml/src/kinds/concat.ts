import type { IntegerConcat } from "@haca/model-runtime/kinds/concat";
import type { CircuitKind } from "./circuitKind.ts";
import type { GraphNode } from "./kind.ts";

/** Several values as one, one after the other: what a node with several operands reads. Costs no constraint. */
export function concatNode(parameters: { inputs: string[]; output: string }): GraphNode {
  const { inputs, output } = parameters;
  return {
    inputs,
    output,
    compute: (x) => [...x],
    quantise: (quantiser) => {
      const values = inputs.map((name) => quantiser.valueOf(name));
      return quantiser.add(
        { kind: "concat", inputs: values.map(({ name }) => name), output },
        values.flatMap(({ exponents }) => [...exponents]),
      );
    },
  };
}

export const concatCircuit: CircuitKind<IntegerConcat> = {
  addRows: ({ input }) => [...input],
};
