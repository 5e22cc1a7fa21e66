import { z } from "zod";
import { affine } from "./kinds/affine.ts";
import { argMax } from "./kinds/argMax.ts";
import { concat } from "./kinds/concat.ts";
import { floor } from "./kinds/floor.ts";
import { type IntegerKind, integer, scaleExponent } from "./kinds/integerKind.ts";
import { leaves } from "./kinds/leaves.ts";
import { pick } from "./kinds/pick.ts";
import { parts, relu, rescale } from "./kinds/rescale.ts";

/** Every kind of node, by the name that a node has in `kind`. */
const KINDS = { affine, relu, rescale, parts, leaves, argMax, concat, pick, floor };

type NodeSchema = (typeof KINDS)[keyof typeof KINDS]["schema"];
const nodeSchemas = Object.values(KINDS).map(({ schema }) => schema);

/**
 * The quantised model: all that integer inference and the circuit need. A value stands for
 * `integer * 2^scaleExponent`.
 */
export const integerModelSchema = z.strictObject({
  format: z.literal(1),
  input: z.strictObject({
    name: z.string(),
    shape: z.array(integer.min(1)),
    minimum: integer,
    maximum: integer,
    scaleExponent,
    /** set where only whole numbers are taken: a request with a fraction is refused, not rounded */
    isInteger: z.boolean().optional(),
  }),
  nodes: z.array(z.discriminatedUnion("kind", nodeSchemas as [NodeSchema, ...NodeSchema[]])),
  outputs: z.array(
    z.strictObject({
      name: z.string(),
      shape: z.array(integer.min(1)),
      /** the value it shows */
      value: z.string(),
      scaleExponent,
    }),
  ),
});
export type IntegerModel = z.infer<typeof integerModelSchema>;
export type IntegerNode = IntegerModel["nodes"][number];

/** What a node means. */
export function kindOf(node: IntegerNode): IntegerKind<IntegerNode> {
  // the entry under a node's `kind` is the one for this node: the schema says so, the type system cannot
  return KINDS[node.kind] as IntegerKind<IntegerNode>;
}

/** The values that a node reads, in order; `compute` and `bounds` take their elements one after the other. */
export function inputsOf(node: IntegerNode): readonly string[] {
  return "inputs" in node ? node.inputs : [node.input];
}

/** The elements of several values, one value after the other. */
export function gather<Element>(
  names: readonly string[],
  values: ReadonlyMap<string, readonly Element[]>,
): readonly Element[] {
  const [first = ""] = names;
  return names.length === 1
    ? (values.get(first) ?? [])
    : names.flatMap((name) => values.get(name) ?? []);
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
