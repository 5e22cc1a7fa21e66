import type { PinnedModel, PinnedSettlement, Pins } from "./pins.ts";
import {
  bytesOf,
  decimal,
  jsonOf,
  list,
  malformed,
  named,
  object,
  type Reader,
} from "./receipt/readers.ts";
import { readLayout } from "./witness/readLayout.ts";

const MAXIMUM_ENTRIES = 1000;
const MAXIMUM_NAME = 200;
const MAXIMUM_WORDS = 1024;

const wordCount: Reader<number> = (value, path) => {
  const isCount = typeof value === "number" && Number.isInteger(value);
  if (isCount && value >= 1 && value <= MAXIMUM_WORDS) return value;
  throw malformed(path, `must be a whole number, 1 to ${MAXIMUM_WORDS}`);
};

const readModel = object<Omit<PinnedModel, "source">>(
  {
    ...{ version: bytesOf(32), verifyingKeyHash: bytesOf(32), inputWords: wordCount },
    layoutsHash: bytesOf(32),
  },
  ["verifyingKeyHash", "inputWords", "layoutsHash"],
);

const readFields = object<Pins>(
  {
    settlements: list(
      object<PinnedSettlement>(
        { chainId: decimal(64), settlement: bytesOf(20), storage: readLayout },
        ["storage"],
      ),
      0,
      MAXIMUM_ENTRIES,
    ),
    images: list(bytesOf(32), 0, MAXIMUM_ENTRIES),
    attestationRoot: bytesOf(32),
    models: named(
      (value, path) => {
        const model = readModel(value, path);
        if ((model.verifyingKeyHash === undefined) === (model.inputWords === undefined))
          return model;
        throw malformed(path, "verifyingKeyHash and inputWords belong together");
      },
      { entries: MAXIMUM_ENTRIES, name: MAXIMUM_NAME },
    ),
  },
  ["settlements", "images", "attestationRoot", "models"],
);

/**
 * Pins from a file's text: JSON, in which unknown fields are refused.
 * @throws BaseError `format.malformed`, naming field and reason
 */
export function readPins(written: string): Pins {
  return readFields(jsonOf(written, "pins"), "pins");
}
