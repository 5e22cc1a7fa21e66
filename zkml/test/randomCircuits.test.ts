import { mutateWitness, seededRandom } from "@haca/circuits/mutateWitness";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { commitInput } from "@haca/protocol/inputCommitment";
import { INPUT_MODES, modeOf } from "@haca/protocol/inputMode";
import { packWords } from "@haca/protocol/packedWords";
import { expect, it } from "vitest";
import { certifyCircuit } from "../src/constrain/certifyCircuit.ts";
import { buildGraph, findObstacles } from "../src/kinds/buildGraph.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { randomGraph } from "./utils/graphFuzzer.ts";
import { CONTEXT, layOutModel, SALT } from "./utils/layOutModel.ts";
import { noise } from "./utils/onnxFile.ts";

const GRAPHS = process.env.HACA_DEEP === undefined ? 8 : 400;

it.each(INPUT_MODES)(
  "circuits of random graphs compute the integer model: input %s",
  (inputMode) => {
    const random = seededRandom(BigInt(INPUT_MODES.indexOf(inputMode) + 1));
    let compared = 0;
    for (let seed = 1; seed <= GRAPHS; seed++) {
      // each mode has graphs of its own
      const onnx = randomGraph(INPUT_MODES.length * seed + INPUT_MODES.indexOf(inputMode));
      if (findObstacles(parseOnnx(onnx)).length > 0) continue;
      compared += 1;
      const { shape } = buildGraph(parseOnnx(onnx)).input;
      const calibration = [seed, seed + 1].map((one) => noise(shape, one).data);
      const { integerModel, tensors, circuit, r1cs, checker, witnessOf } = layOutModel({
        ...{ onnx, calibration, inputMode },
      });
      certifyCircuit(circuit);
      const { layout, minimum, maximum } = tensors.input;
      const integers = Array.from(
        { length: layout.count },
        () => BigInt(minimum) + random(BigInt(maximum - minimum + 1)),
      );
      const witness = witnessOf(integers);
      expect(checker.firstViolated(witness), `seed ${seed}`).toBe(undefined);
      const words = packWords({ layouts: [layout], integers });
      const mode = modeOf(tensors);
      expect(witness.slice(1, 1 + r1cs.publicInputCount), `seed ${seed}`).toEqual([
        ...(mode === "packed"
          ? words
          : [commitInput({ mode, words, ...(mode === "salted" ? { salt: SALT } : {}) })]),
        ...packWords({
          layouts: tensors.outputs.map((output) => output.layout),
          integers: runIntegerModel({ integerModel, input: integers }).flat(),
        }),
        CONTEXT,
      ]);
      expect(mutateWitness({ r1cs, checker, witness, random, groups: 5 }), `seed ${seed}`).toEqual(
        [],
      );
    }
    expect(compared).toBeGreaterThan(GRAPHS / 2);
  },
);
