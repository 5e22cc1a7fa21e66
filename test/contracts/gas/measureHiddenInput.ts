import { commitInput } from "@haca/protocol/inputCommitment";
import {
  COMMITTED,
  deploySettlement,
  makeInference,
  PACKED,
  randomWords,
} from "../utils/settlementFixture.ts";
import { gasOf, MEASUREMENT_TIME, type Measure } from "./measurement.ts";

const SAMPLES = 4;
/** 784 elements of a byte, 31 of which fit a word. */
const WORDS = 26;
/** Of 128 random bits and more, as a requester draws it. */
const SALT = 2n ** 200n;

/**
 * Single settlements of a perceptron 784-64-10, whose scores fit one word, sent by the node: with the words of the input, and with a
 * commitment to them in their place. A commitment is any number below the field's order.
 */
export const measureHiddenInput: Measure = async (connection) => {
  await connection.networkHelpers.time.increaseTo(MEASUREMENT_TIME);
  const samples: Record<string, bigint[]> = {};
  for (const [key, inputMode] of [
    ["settle.mlp784.packed", PACKED],
    ["settle.mlp784.committed", COMMITTED],
  ] as const) {
    const fixture = await deploySettlement(connection, { inputWords: WORDS, inputMode });
    const { node, relayer, settlement } = fixture;
    const settle = async (nonce: bigint): Promise<bigint> => {
      const words = randomWords({ seed: `input ${nonce}`, count: WORDS });
      const shown =
        inputMode === PACKED ? words : [commitInput({ mode: "salted", words, salt: SALT + nonce })];
      const {
        result,
        words: all,
        proof,
      } = makeInference({
        ...{ ...fixture, node: node.address, nonce, timestamp: MEASUREMENT_TIME },
        words: [...shown, ...randomWords({ seed: `output ${nonce}`, count: 1 })],
        overrides: { requester: relayer.address },
      });
      return await gasOf(settlement.connect(node).settleZkml(result, all, proof, "0x"));
    };
    // the first request of its slot, as with the other single settlements
    await settle(0n);
    samples[key] = [];
    for (let nonce = 1n; nonce <= BigInt(SAMPLES); nonce++) samples[key].push(await settle(nonce));
  }
  return {
    samples,
    notes: {
      "settle.mlp784.packed": `one proof, ${WORDS} input words, 1 output word, context; sent by the node, its bitmap word not zero`,
      "settle.mlp784.committed": "the same with a commitment to the input words in their place",
    },
  };
};
