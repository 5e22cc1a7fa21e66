import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ANSWER, type Answer, answering } from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import { forgedBy, PaidBed, Payer, paidBy, QUESTION, refusalIn } from "./support/paidBed.ts";

const NAME = "pay_7d5d747be160e280504c";
const other = { ...QUESTION, n: 1 };

/** Requests that are answered at the same time. */
const PLACES = 8;

async function health(bed: PaidBed): Promise<{ running: number; waiting: number }> {
  const response = await fetch(`${bed.gateway.url}/health`);
  return (await response.json()) as { running: number; waiting: number };
}

/** A payer who names what it pays for. */
function namingPayer(scheme?: "exact"): Payer {
  const payer = new Payer(scheme);
  payer.name = NAME;
  return payer;
}

describe("a payment with an identifier", () => {
  it("is answered as the first of its name, whatever was paid with later, and by whichever process", async () => {
    const bed = await PaidBed.start();
    const payer = namingPayer();
    const first = await bed.post(QUESTION, {}, payer);
    const answer = await first.text();
    expect(first.status).toBe(200);
    await bed.restart();
    const again = await bed.post(QUESTION, {}, payer);
    expect([again.status, await again.text()]).toEqual([200, answer]);
    expect(paidBy(again)).toEqual(paidBy(first));
    expect(new Set(payer.payments).size).toBe(2);
    expect([bed.settled.length, bed.results.length]).toEqual([1, 1]);
  });

  it("is for one request: another is refused, and nothing is taken for it", async () => {
    const bed = await PaidBed.start();
    const payer = namingPayer();
    await bed.post(QUESTION, {}, payer);
    const refused = await bed.post(other, {}, payer);
    expect(await refusalIn(refused)).toEqual([400, "payment.otherUnderIdentifier"]);
    expect(bed.settled).toHaveLength(1);
    payer.name = `${NAME}-2`;
    expect((await bed.post(other, {}, payer)).status).toBe(200);
  });

  it("is for one of two requests that come at once", async () => {
    const bed = await PaidBed.start();
    const payer = namingPayer();
    bed.settles = { success: false, errorReason: "insufficient_funds" };
    const bodies = [QUESTION, other];
    for (const body of bodies) await bed.post(body, {}, payer);
    bed.settles = { success: true, transaction: "0x01" };
    const [one = "", two = ""] = payer.payments;
    // Both are read before either is noted: no place is free for them until then.
    const free = new Deferred();
    bed.upstream.handler = async (response, request) => {
      if (request.body.includes('"n"')) await free.promise;
      await answering(ANSWER)(response, request);
    };
    const others = Array.from({ length: PLACES }, () => bed.post({ ...QUESTION, model: "n" }));
    await expect.poll(async () => (await health(bed)).running).toBe(PLACES);
    const posted = [
      ...[bed.post(QUESTION, { "payment-signature": one })],
      ...[bed.post(other, { "payment-signature": two })],
    ];
    await expect.poll(async () => (await health(bed)).waiting).toBe(2);
    free.resolve();
    const responses = await Promise.all(posted);
    await Promise.all(others);
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(bed.settled).toHaveLength(3);
  });

  it("shares its name with no other payer's, and with none who says that they are the payer", async () => {
    const bed = await PaidBed.start();
    const payer = namingPayer();
    const answer = await (await bed.post(QUESTION, {}, payer)).text();
    const stranger = namingPayer();
    const response = await bed.post(other, {}, stranger);
    expect([response.status, bed.settled.length]).toEqual([200, 2]);
    bed.settles = { success: false, errorReason: "invalid_upto_evm_transaction_failed" };
    const thief = namingPayer();
    await bed.post(QUESTION, {}, thief);
    const forged = await bed.post(QUESTION, forgedBy(thief, payer));
    expect(await refusalIn(forged)).toEqual([402, "payment.refused"]);
    expect(await (await bed.post(QUESTION, {}, payer)).text()).toBe(answer);
  });

  it.each([undefined, `0x${"5a".repeat(32)}`])(
    "leaves nothing to try a guessable prompt by, on the disk or at the facilitator (client's salt: %s)",
    async (own) => {
      const bed = await PaidBed.start();
      const payer = namingPayer();
      const salted: Record<string, string> = own === undefined ? {} : { "haca-salt": own };
      const answer = await (await bed.post(QUESTION, salted, payer)).json();
      const [{ body = "" } = {}] = bed.upstream.received;
      const given = (answer as Answer).haca.salt ?? "";
      const unsalted = (salt: string) =>
        createHash("sha256").update(`chat/completions\n${salt}\n${body}`).digest("hex");
      expect([own ?? given, body.includes("hello")]).toEqual([given, true]);
      const told = bed.facilitator.received.map((it) => it.body);
      const seen = [readFileSync(join(bed.folder, "payments.journal"), "utf8"), ...told].join();
      for (const secret of [NAME, given, unsalted(""), unsalted(given)]) {
        expect(seen).not.toContain(secret);
      }
    },
  );

  it("has its name free again where its request had no answer", async () => {
    const bed = await PaidBed.start();
    const payer = namingPayer();
    bed.upstream.handler = answering({ error: { message: "no" } }, 500);
    const told = new Deferred();
    bed.worker.handler = (response, { path }) => {
      response.writeHead(202).end("{}");
      if (path === "/v1/payments/cancelled") told.resolve();
    };
    expect((await bed.post(QUESTION, {}, payer)).status).toBe(406);
    await told.promise;
    bed.upstream.handler = answering(ANSWER);
    expect([(await bed.post(other, {}, payer)).status, bed.settled.length]).toEqual([200, 2]);
  });

  it("is not made up for by another, where it was taken and has no answer yet", async () => {
    const bed = await PaidBed.start();
    const payer = namingPayer("exact");
    bed.upstream.handler = answering({ error: { message: "no" } }, 500);
    expect((await bed.post(QUESTION, {}, payer)).status).toBe(406);
    const taken = payer.last;
    await bed.restart();
    bed.upstream.handler = answering(ANSWER);
    const later = await bed.post(QUESTION, {}, payer);
    expect(await refusalIn(later)).toEqual([406, "payment.underWay"]);
    expect([(await bed.post(QUESTION, taken)).status, bed.settled.length]).toEqual([200, 1]);
  });

  it.each(["too-short", `${NAME}/`, "x".repeat(129)])(
    "has none of the form of %s",
    async (name) => {
      const bed = await PaidBed.start();
      const payer = namingPayer();
      payer.name = name;
      const response = await bed.post(QUESTION, {}, payer);
      expect(await refusalIn(response)).toEqual([400, "payment.identifierMalformed"]);
      expect(bed.settled).toEqual([]);
    },
  );
});
