import { decimal, list, object, type Reader, text } from "../receipt/readers.ts";
import type { StorageLayout, StoragePlace } from "./storageLayout.ts";

const MAXIMUM_PLACES = 200;
const MAXIMUM_TEXT = 200;
const WORD_BITS = 256;
/** An offset, and a number of bytes, of a word of 32. */
const BYTE_BITS = 6;

export const readPlaces: Reader<readonly StoragePlace[]> = list(
  object<StoragePlace>({
    name: text(MAXIMUM_TEXT),
    type: text(MAXIMUM_TEXT),
    slot: decimal(WORD_BITS),
    offset: decimal(BYTE_BITS),
    bytes: decimal(WORD_BITS),
  }),
  0,
  MAXIMUM_PLACES,
);

export const readLayout: Reader<StorageLayout> = object<StorageLayout>({
  settlement: readPlaces,
  teeRegistry: readPlaces,
});
