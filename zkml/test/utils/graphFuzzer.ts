import { noise, onnxFile, type TestConstant, type TestNode } from "./onnxFile.ts";

/** A value of a random graph. */
type Value = { name: string; shape: number[] };

/**
 * A random graph of supported operators: layers, activations, wires and sums of two values, over an image, a signal or a
 * vector. Now and then a node does not fit, and must be refused by its name, which is `n` and a number.
 */
export function randomGraph(seed: number): Uint8Array {
  let state = Math.imul(seed, 2654435761) >>> 0 || 1;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const size = () => 2 + below(3);
  const input = pick([
    [1, size() * 2],
    [1, size(), size() + 2],
    [1, size(), size() + 2, size() + 2],
  ]);
  const nodes: TestNode[] = [];
  const constants: Record<string, TestConstant> = {};
  const values: Value[] = [{ name: "x", shape: input }];
  const constant = (value: TestConstant): string => {
    const name = `c${Object.keys(constants).length}`;
    constants[name] = value;
    return name;
  };
  const number = (value: number) => constant({ shape: [], data: [value] });
  const add = (
    operator: string,
    inputs: string[],
    shape: number[],
    attributes: NonNullable<TestNode["attributes"]> = {},
  ): void => {
    const output = `v${nodes.length}`;
    nodes.push({ operator, name: `n${nodes.length}`, inputs, output, attributes });
    values.push({ name: output, shape });
  };
  const depth = 2 + below(5);
  for (let step = 0; step < depth; step++) {
    const { name, shape } = below(3) === 0 ? pick(values) : (values.at(-1) as Value);
    const rank = shape.length;
    const last = shape.at(-1) as number;
    const random = (of: number[]) => constant(noise(of, below(1 << 30)));
    const steps: (() => void)[] = [
      () => add("Relu", [name], shape),
      () => add("LeakyRelu", [name], shape, { alpha: { float: 0.125 } }),
      () => add("Clip", [name, number(-0.5), number(0.75)], shape),
      () => add("Abs", [name], shape),
      () => add(pick(["Add", "Sub", "Mul"]), [name, random([last])], shape),
      () => add("Div", [name, number(pick([2, -0.5, 3]))], shape),
      () => add("Neg", [name], shape),
      () => add("MatMul", [name, random([last, 3])], [...shape.slice(0, -1), 3]),
      () => add("Flatten", [name], [1, shape.reduce((a, b) => a * b, 1)], { axis: 1 }),
      () => {
        const order = [0, ...shape.keys()]
          .slice(0, 1)
          .concat([...shape.keys()].slice(1).toReversed());
        add(
          "Transpose",
          [name],
          order.map((axis) => shape[axis] as number),
          { perm: order },
        );
      },
      () => add("ReduceMean", [name], [...shape.slice(0, -1), 1], { axes: [rank - 1] }),
      () => {
        const twin = values.find((value) => value.shape.join() === shape.join()) as Value;
        add(pick(["Add", "Sub", "Max", "Min"]), [name, twin.name], shape);
      },
      () => {
        const twin = values.find((value) => value.shape.join() === shape.join()) as Value;
        const joined = shape.with(1, 2 * (shape[1] as number));
        add("Concat", [name, twin.name], joined, { axis: 1 });
      },
      () => {
        // one in a while does not fit
        const depthOf = below(12) === 0 ? last + 1 : last;
        const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
        if (rank === 2) add("Gemm", [name, random([depthOf, 2]), random([2])], [rows, 2]);
      },
      () => {
        const spatial = shape.slice(2);
        if (spatial.length === 0 || spatial.some((n) => n < 2)) return;
        const kernel = spatial.map(() => 2);
        const result = [1, shape[1] as number, ...spatial.map((n) => n - 1)];
        add(pick(["MaxPool", "AveragePool"]), [name], result, { kernel_shape: kernel });
      },
      () => {
        const spatial = shape.slice(2);
        if (spatial.length === 0 || spatial.some((n) => n < 2)) return;
        const kernel = random([2, shape[1] as number, ...spatial.map(() => 2)]);
        add("Conv", [name, kernel, random([2])], [1, 2, ...spatial.map((n) => n - 1)]);
      },
    ];
    pick(steps)();
  }
  if (nodes.length === 0) add("Relu", ["x"], input);
  return onnxFile({ input, nodes, constants, outputs: [nodes.at(-1)?.output ?? ""] });
}
