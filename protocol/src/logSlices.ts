/** How much more is asked for after an answer: a span that was cut once finds its way back. */
const GROWTH = 1.1;
const TOO_MANY_REQUESTS = 429;
/** With these, providers refuse a query in a body that is JSON-RPC all the same. */
const REFUSING_STATUSES: readonly number[] = [400, 413];
/** JSON-RPC errors have codes from here down. */
const JSON_RPC_CODES = -32_000;
/** Not the query is refused but the caller: smaller questions would only be more of them. */
const ABOUT_THE_CALLER =
  /rate.?limit|too many requests|request count|requests per|compute units|capacity|quota|unauthori[sz]ed|api key|forbidden/i;

/** Reads the blocks `from` to `to`, both included. */
export type ReadSlice<Item> = (from: number, to: number) => Promise<Item[]>;

/**
 * Reads logs over any range of blocks from an endpoint that limits the range, the number of results or the time of
 * `eth_getLogs`, and says so in whatever words: a range that is refused is halved, down to one block. What an endpoint
 * takes is remembered for the next range. Keep one for each endpoint.
 */
export class LogSlices {
  readonly #isAboutQuery: (error: unknown) => boolean;
  #span = Number.POSITIVE_INFINITY;

  /** @param isRefusal whether an error may be about the range; absent: `isAboutQuery` */
  constructor(isRefusal: (error: unknown) => boolean = isAboutQuery) {
    this.#isAboutQuery = isRefusal;
  }

  /** Items in the order of the slices. @throws the endpoint's error where it is not about the range */
  async read<Item>(parameters: {
    from: number;
    to: number;
    readSlice: ReadSlice<Item>;
  }): Promise<Item[]> {
    const { from, to, readSlice } = parameters;
    const items: Item[] = [];
    for (let start = from; start <= to; ) {
      const end = Math.min(to, start + this.#span - 1);
      const length = end - start + 1;
      try {
        for (const item of await readSlice(start, end)) items.push(item);
      } catch (error) {
        if (length === 1 || !this.#isAboutQuery(error)) throw error;
        this.#span = Math.floor(length / 2);
        continue;
      }
      start = end + 1;
      if (length === this.#span) this.#span = Math.ceil(this.#span * GROWTH);
    }
    return items;
  }
}

/**
 * Whether an endpoint refused this query, and might take a smaller one. An endpoint that is away, or that has enough of
 * its caller, refuses every query. Libraries wrap what the endpoint said, so every layer is looked at.
 */
export function isAboutQuery(error: unknown): boolean {
  const layers = layersOf(error);
  const numbers = layers.flatMap(({ code, status, statusCode }) => [code, status, statusCode]);
  if (numbers.includes(TOO_MANY_REQUESTS)) return false;
  if (layers.some(({ message }) => ABOUT_THE_CALLER.test(String(message ?? "")))) return false;
  return numbers.some(
    (number) =>
      typeof number === "number" &&
      (number <= JSON_RPC_CODES || REFUSING_STATUSES.includes(number)),
  );
}

type Layer = Readonly<Record<string, unknown>>;
/** Where libraries put what lies behind an error. */
const INNER = ["cause", "error", "info"] as const;

function layersOf(error: unknown): Layer[] {
  if (typeof error !== "object" || error === null) return [];
  const layer = error as Layer;
  return [layer, ...INNER.flatMap((name) => layersOf(layer[name]))];
}
