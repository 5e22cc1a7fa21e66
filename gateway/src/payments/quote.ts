import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** Seconds that a quote is honoured. */
export const QUOTE_SECONDS = 60;
const KEY_BYTES = 32;

const uint = z.string().regex(/^\d{1,39}$/);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const seconds = z.int().min(0);
const quoteSchema = z.strictObject({
  path: z.string(),
  amount: uint,
  token: address,
  node: address,
  payee: address,
  requestHash: hash,
  feeBps: z.int().min(0),
  kinds: z.int().min(0),
  captureWindow: seconds,
  /** the public escrow, where it may hold the money */
  commerceEscrow: address.optional(),
  expiresAt: seconds,
  /** dollars for one of the token, with 18 decimals, and when that was; null where the price is in the token, and that of a fixed rate */
  rate: uint.nullable(),
  rateAt: seconds.nullable(),
  /** of the request hash, where the client gave none; never sent upstream */
  salt: hash.nullable(),
  mac: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What one request costs, for a minute, as it stands in `extra.haca` of every offer; who pays brings it back. */
export type Quote = z.output<typeof quoteSchema>;
export type Terms = Omit<Quote, "mac">;

/** Quotes of this process: it knows its own by their MAC, and honours no other's. */
export class Quotes {
  readonly #key = randomBytes(KEY_BYTES);

  sign(terms: Terms): Quote {
    return { ...terms, mac: this.#macOf(terms).toString("hex") };
  }

  /** The quote that a payment brings back; undefined where it is none of this process, or too old. */
  read(given: unknown, now: number): Quote | undefined {
    const parsed = quoteSchema.safeParse(given);
    if (!parsed.success) return undefined;
    const { mac, ...terms } = parsed.data;
    if (!timingSafeEqual(Buffer.from(mac, "hex"), this.#macOf(terms))) return undefined;
    return now < terms.expiresAt ? parsed.data : undefined;
  }

  /** A quote of whatever process, as what was signed by it is looked up. */
  static parse(given: unknown): Quote | undefined {
    const parsed = quoteSchema.safeParse(given);
    return parsed.success ? parsed.data : undefined;
  }

  #macOf(terms: Terms): Buffer {
    const sorted = Object.entries(terms).sort(([a], [b]) => (a < b ? -1 : 1));
    return createHmac("sha256", this.#key).update(JSON.stringify(sorted)).digest();
  }
}
