import { describe, expect, it } from "vitest";
import { ANSWER, answering } from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import { PaidBed, Payer, QUESTION, refusalIn } from "./support/paidBed.ts";

const other = { ...QUESTION, n: 1 };
/** Requests that are answered at the same time. */
const PLACES = 8;

async function waiting(bed: PaidBed, many: number): Promise<void> {
  const health = async () => await (await fetch(`${bed.gateway.url}/health`)).json();
  await expect.poll(health).toMatchObject({ running: PLACES, waiting: many });
}

/** The second payment under the nonce of the first. */
function underOneNonce(payments: readonly string[]): Record<string, string> {
  const [one, two] = payments.map((it) => JSON.parse(Buffer.from(it, "base64").toString()));
  const form = "authorization" in two.payload ? "authorization" : "permit2Authorization";
  two.payload[form].nonce = one.payload[form].nonce;
  return { "payment-signature": Buffer.from(JSON.stringify(two)).toString("base64") };
}

describe("known attack: two payments under one nonce, both read before either is noted", () => {
  it.each(["upto", "exact"] as const)(
    "by %s: the second has no answer for the first one's money",
    async (scheme) => {
      const bed = await PaidBed.start();
      const payer = new Payer(
        scheme,
        (_, offers) => offers.find((offer) => offer.scheme === scheme) as never,
      );
      bed.settles = { success: false, errorReason: "insufficient_funds" };
      for (const body of [QUESTION, other]) await bed.post(body, {}, payer);
      bed.settles = { success: true, transaction: "0x01" };
      const before = bed.settled.length;
      const one = new Deferred();
      const [rest, taken, finish] = [new Deferred(), new Deferred(), new Deferred()];
      const places = [one, ...Array.from({ length: PLACES - 1 }, () => rest)];
      bed.upstream.handler = async (response, request) => {
        const { model, n, user } = JSON.parse(request.body);
        if (model === "n") await places[Number(user)]?.promise;
        else if (n === undefined) {
          taken.resolve();
          await finish.promise;
        }
        await answering(ANSWER)(response, request);
      };
      const others = places.map((_, user) =>
        bed.post({ ...QUESTION, model: "n", user: String(user) }),
      );
      await waiting(bed, 0);
      const first = bed.post(QUESTION, { "payment-signature": payer.payments[0] ?? "" });
      await waiting(bed, 1);
      const second = bed.post(other, underOneNonce(payer.payments));
      await waiting(bed, 2);
      // The first has its turn, and is paid, while the second waits.
      one.resolve();
      await taken.promise;
      rest.resolve();
      await Promise.all(others);
      expect(await refusalIn(await second)).toEqual([402, "payment.otherUnderNonce"]);
      // Nor does it end what the first one's money is held for.
      const again = bed.post(QUESTION, { "payment-signature": payer.payments[0] ?? "" });
      finish.resolve();
      expect([(await first).status, bed.settled.length - before]).toEqual([200, 1]);
      expect((await again).status).toBe(200);
      await bed.restart();
      expect(bed.cancelled).toEqual([]);
    },
  );
});
