import { BaseError } from "@haca/protocol/baseError";
import { describe, expect, it } from "vitest";
import { buildGraph } from "../src/kinds/buildGraph.ts";
import { onnxModelType } from "../src/onnx/onnxSchema.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { multilayerPerceptron, onnxFile } from "./utils/onnxFile.ts";

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

const opsetImport = [{ version: 17 }];

/** An ONNX file with one constant tensor, described as the format has it. */
function withTensor(tensor: object): Uint8Array {
  return onnxModelType
    .encode(
      onnxModelType.fromObject({ opsetImport, graph: { initializer: [{ name: "w", ...tensor }] } }),
    )
    .finish();
}

describe("parseOnnx", () => {
  it("reads nodes, attributes, constants and shapes", () => {
    const graph = parseOnnx(
      onnxFile({
        input: ["batch", 3],
        nodes: [
          {
            operator: "Gemm",
            name: "layer",
            inputs: ["x", "w"],
            output: "y",
            attributes: { alpha: { float: 0.5 }, transB: 1, pads: [1, -2] },
          },
        ],
        constants: {
          w: { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] },
          shape: { shape: [2], data: [-1, 3], isInt64: true },
        },
        outputs: ["y"],
      }),
    );
    expect(graph).toMatchObject({
      opset: 17,
      inputs: [{ name: "x", elementType: 1, dimensions: [undefined, 3] }],
      outputs: ["y"],
      nodes: [{ name: "layer", operator: "Gemm", inputs: ["x", "w"], outputs: ["y"] }],
    });
    expect(graph.nodes[0]?.attributes).toEqual(
      new Map<string, unknown>([
        ["alpha", 0.5],
        ["transB", 1],
        ["pads", [1, -2]],
      ]),
    );
    expect(graph.initialisers.get("w")?.data).toEqual(Float64Array.of(1, 2, 3, 4, 5, 6));
    expect(graph.initialisers.get("shape")?.data).toEqual(Float64Array.of(-1, 3));
  });

  it("reads raw data of every element type", () => {
    const raw = [
      [1, new Uint8Array(Float32Array.of(1.5, -2).buffer)],
      [6, new Uint8Array(Int32Array.of(7, -8).buffer)],
      [7, new Uint8Array(BigInt64Array.of(9n, -10n).buffer)],
      [11, new Uint8Array(Float64Array.of(0.25, -4).buffer)],
    ] as const;
    const values = raw.map(([dataType, rawData]) => {
      const graph = parseOnnx(withTensor({ dims: [2], dataType, rawData }));
      return [...(graph.initialisers.get("w")?.data ?? [])];
    });
    expect(values).toEqual([
      [1.5, -2],
      [7, -8],
      [9, -10],
      [0.25, -4],
    ]);
  });

  it("refuses a file that is cut anywhere", () => {
    const bytes = multilayerPerceptron({ inputs: 4, hidden: 3, classes: 2 });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseOnnx(bytes.subarray(0, length)), `${length}`).toThrow(
        expect.objectContaining({ code: "onnx.malformed" }),
      );
    }
  });

  it("refuses what is not an ONNX file", () => {
    const texts = ["", "{}", "hello, this is text", "\x00\xff\x00\xff"];
    for (const text of texts) {
      expect(() => parseOnnx(Buffer.from(text, "latin1"))).toThrow(
        failure("onnx.malformed", /not an ONNX model/),
      );
    }
  });

  it.each([
    ["missing data", { dims: [3], dataType: 1, floatData: [1, 2] }, /needs 3 elements.* has 2/],
    ["surplus data", { dims: [1], dataType: 1, floatData: [1, 2] }, /needs 1 elements.* has 2/],
    ["enormous dimensions", { dims: [2 ** 40, 2 ** 10], dataType: 1 }, /the file has 0/],
    ["a negative dimension", { dims: [-1], dataType: 1 }, /not sizes/],
    ["an odd number of bytes", { dims: [1], dataType: 1, rawData: new Uint8Array(3) }, /3 bytes/],
  ])("refuses a tensor with %s, naming it", (_, tensor, message) => {
    expect(() => parseOnnx(withTensor(tensor))).toThrow(failure("onnx.tensorInvalid", message));
    expect(() => parseOnnx(withTensor(tensor))).toThrow(/tensor w/);
  });

  it.each([
    ["no operator set", []],
    ["an operator set of another domain only", [{ domain: "com.microsoft", version: 1 }]],
    ["an operator set before 7", [{ version: 6 }]],
  ])("refuses %s", (_, opsets) => {
    const model = onnxModelType.fromObject({ opsetImport: opsets, graph: {} });
    expect(() => parseOnnx(onnxModelType.encode(model).finish())).toThrow(
      failure("onnx.malformed", /operator set/),
    );
  });

  it.each([
    ["an element type it cannot read", { dims: [1], dataType: 14 }, /element type 14/],
    ["texts", { dims: [1], dataType: 8, stringData: [Buffer.from("a")] }, /element type string/],
    ["not a number", { dims: [1], dataType: 1, floatData: [Number.NaN] }, /element 0 is NaN/],
    ["infinity", { dims: [2], dataType: 1, floatData: [1, Infinity] }, /element 1 is Infinity/],
  ])("leaves a tensor with %s to the node that reads it", (_, tensor, problem) => {
    const { initialisers } = parseOnnx(withTensor(tensor));
    expect(initialisers.get("w")?.problem).toMatch(problem);
  });

  it("reads half precision", () => {
    const numbers = [0, 1, -2, 0.5, 65504, 2 ** -14, 2 ** -24];
    const halves = [0, 0x3c00, 0xc000, 0x3800, 0x7bff, 0x0400, 0x0001];
    const raw = new Uint8Array(Uint16Array.from(halves).buffer);
    for (const data of [{ rawData: raw }, { int32Data: halves }]) {
      const { initialisers } = parseOnnx(withTensor({ dims: [7], dataType: 10, ...data }));
      expect([...(initialisers.get("w")?.data ?? [])]).toEqual(numbers);
    }
  });

  it("names operators of other domains by them, and keeps attributes that it does not read", () => {
    const graph = (node: object) =>
      parseOnnx(
        onnxModelType
          .encode(onnxModelType.fromObject({ opsetImport, graph: { node: [node] } }))
          .finish(),
      ).nodes[0];
    const gelu = graph({ opType: "Gelu", domain: "com.microsoft", name: "act", output: ["y"] });
    expect(gelu).toMatchObject({ name: "act", operator: "com.microsoft.Gelu" });
    const branch = graph({ opType: "If", name: "n", attribute: [{ name: "branch", type: 5 }] });
    expect(branch?.attributes.get("branch")).toEqual({ unread: 5 });
  });

  it("refuses a file above its size limit before decoding it", () => {
    const oversized = { length: 2 ** 30 } as Uint8Array;
    expect(() => parseOnnx(oversized)).toThrow(failure("onnx.tooLarge", /1073741824 bytes/));
  });

  it("fails with a name for whatever a damaged file holds", () => {
    const whole = multilayerPerceptron({ inputs: 3, hidden: 2, classes: 2 });
    const read = (bytes: Uint8Array): void => {
      try {
        buildGraph(parseOnnx(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(BaseError);
      }
    };
    for (const [index, byte] of whole.entries()) {
      read(whole.subarray(0, index));
      for (const value of [0, 1, 0x7f, 0x80, 0xff, byte ^ 1, byte ^ 8]) {
        read(Uint8Array.from(whole).with(index, value));
      }
    }
  });
});
