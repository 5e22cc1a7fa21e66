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
  constrain: ({ inputs, output }) => {
    let start = 0;
    const lines = [`    signal ${output.signal}[${output.count}];`];
    for (const { signal, ranges } of inputs) {
      lines.push(
        `    for (var i = 0; i < ${ranges.length}; i++) {`,
        `        ${output.signal}[${start} + i] <== ${signal}[i];`,
        "    }",
      );
      start += ranges.length;
    }
    return { title: `${inputs.length} values, one after the other`, lines };
  },
};
