import { type Client, type HacaOptions, readClient } from "./client.ts";

/** A client: what answers are asked by, with what is known beforehand. */
export type Haca = {
  /** what its operations work with */
  readonly client: Client;
};

/**
 * A client of nodes. What it answers with is verified, or it throws.
 * @throws BaseError `option.wrong`, `node.badAddress`
 */
export function createHaca(options: HacaOptions): Haca {
  return { client: readClient(options) };
}
