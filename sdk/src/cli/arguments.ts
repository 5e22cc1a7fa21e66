import { isEndpoint } from "../chain/jsonRpc.ts";
import type { Pins } from "../pins.ts";
import { readPins } from "../readPins.ts";
import { readInput, UsageError } from "./readInput.ts";

/** Arguments that several commands take. */

const PINS_LIMIT = 1024 * 1024;

/** The pins of `--pins`. @throws UsageError */
export async function pinsIn(path: string): Promise<Pins> {
  const bytes = await readInput({ path, limit: PINS_LIMIT });
  if (bytes.length > PINS_LIMIT) throw new UsageError(`${path}: has more than ${PINS_LIMIT} bytes`);
  try {
    return readPins(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : "is malformed"}`);
  }
}

/** An address of `--rpc`. @throws UsageError */
export function requireUrl(text: string): void {
  if (isEndpoint(text)) return;
  throw new UsageError("--rpc: must be an address that begins with http:// or https://");
}
