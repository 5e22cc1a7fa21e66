import { BaseError } from "@haca/protocol/baseError";

/**
 * The elements of an input tensor in row-major order, given flat or as nested arrays of the model's shape.
 * Throws `input.wrongType`, `input.notFinite` and `input.wrongShape`, with the element (`input[3][5]`) in `details.field`.
 */
export function flattenInput(parameters: {
  input: readonly unknown[];
  shape: readonly number[];
}): number[] {
  const { input, shape } = parameters;
  const count = shape.reduce((product, size) => product * size, 1);
  const isNested = input.some((element) => Array.isArray(element));
  const values: number[] = [];
  collect({ element: input, sizes: isNested ? shape : [count], path: "input", values });
  return values;
}

function collect(parameters: {
  element: unknown;
  sizes: readonly number[];
  path: string;
  values: number[];
}): void {
  const { element, sizes, path, values } = parameters;
  const [size, ...rest] = sizes;
  if (size === undefined) {
    if (typeof element !== "number") {
      throw refused("input.wrongType", path, `must be a number, got ${kindOf(element)}`);
    }
    if (!Number.isFinite(element)) {
      throw refused("input.notFinite", path, `must be a finite number, got ${element}`);
    }
    values.push(element);
    return;
  }
  if (!Array.isArray(element)) {
    throw refused("input.wrongShape", path, `must be ${size} elements, got ${kindOf(element)}`);
  }
  if (element.length !== size) {
    throw refused("input.wrongShape", path, `must have ${size} elements, got ${element.length}`);
  }
  for (const [index, inner] of element.entries()) {
    collect({ element: inner, sizes: rest, path: `${path}[${index}]`, values });
  }
}

function refused(code: string, field: string, reason: string): BaseError {
  return new BaseError({ code, message: `${field}: ${reason}`, details: { field } });
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value)
    ? "an array"
    : typeof value === "object"
      ? "an object"
      : `a ${typeof value}`;
}
