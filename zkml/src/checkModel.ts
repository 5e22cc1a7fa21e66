import { elementCount } from "@haca/model-runtime/integerModel";
import { buildGraph, findObstacles } from "./kinds/buildGraph.ts";
import { parseOnnx } from "./onnx/parseOnnx.ts";

/**
 * Everything that stands between a model and a proof, without compiling it: a line for each obstacle, in the order of the
 * file, and one that sums up. A file that cannot be read at all throws (`onnx.malformed` and others).
 */
export function checkModel(parameters: {
  onnx: Uint8Array;
  external?: ReadonlyMap<string, Uint8Array>;
  rawScores?: boolean;
}): { lines: string[]; isReady: boolean } {
  const { onnx, external = new Map(), rawScores = false } = parameters;
  const parsed = parseOnnx(onnx, external);
  const obstacles = findObstacles(parsed, { rawScores });
  if (obstacles.length > 0) {
    const count = obstacles.length === 1 ? "1 obstacle" : `${obstacles.length} obstacles`;
    return { lines: [...obstacles.map(({ why }) => why), `not ready: ${count}`], isReady: false };
  }
  const graph = buildGraph(parsed, { rawScores });
  const outputs = graph.outputs.map(
    ({ name, shape, stripped }) =>
      `output ${name} [${shape}]${stripped === undefined ? "" : `, before ${stripped}`}`,
  );
  return {
    lines: [
      `input ${graph.input.name} [${graph.input.shape}]: ${elementCount(graph.input.shape)} elements`,
      ...outputs,
      `${graph.parameters} parameters, ${parsed.nodes.length} nodes`,
      "ready: compile tells how exact the integer model is",
    ],
    isReady: true,
  };
}
