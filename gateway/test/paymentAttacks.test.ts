import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readStrictJson } from "@haca/protocol/json/readJson";
import { expect, it } from "vitest";
import { canonicalBytes } from "../src/json/canonicalJson.ts";
import { inputHashOf } from "../src/profile/hashes.ts";
import { ANSWER, accepting, answering } from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import { PaidBed, Payer, QUESTION, refusalIn, TRANSACTION } from "./support/paidBed.ts";

const FAILED = answering({ error: { message: "no" } }, 500);
const REFUSED = { success: false, errorReason: "invalid_exact_evm_transaction_failed" };
const SETTLED = { success: true, transaction: TRANSACTION };

type Header = {
  accepted: { extra: { haca: Record<string, unknown> } };
  payload: Record<"authorization" | "permit2Authorization", Record<string, unknown>>;
};

/** A payment that was made, otherwise. */
function changed(payer: Payer, change: (payment: Header) => void): Record<string, string> {
  const text = Buffer.from(payer.last["payment-signature"] ?? "", "base64").toString();
  const payment = JSON.parse(text) as Header;
  change(payment);
  return { "payment-signature": Buffer.from(JSON.stringify(payment)).toString("base64") };
}

/** A payer with a payment that was offered to the gateway, and refused by the facilitator. */
async function refusedPayer(bed: PaidBed, scheme: "upto" | "exact"): Promise<Payer> {
  const payer = new Payer(scheme);
  const { settles } = bed;
  bed.settles = REFUSED;
  expect((await bed.post(QUESTION, {}, payer)).status).toBe(402);
  bed.settles = settles;
  return payer;
}

it("a payment whose request failed pays for no other, whatever quote is made up for it", async () => {
  const bed = await PaidBed.start();
  const payer = new Payer("exact");
  bed.upstream.handler = FAILED;
  expect((await bed.post(QUESTION, {}, payer)).status).toBe(406);
  bed.upstream.handler = answering(ANSWER);
  const other = { ...QUESTION, n: 1 };
  const salt = `0x${"5a".repeat(32)}`;
  const body = canonicalBytes(readStrictJson(Buffer.from(JSON.stringify(other))));
  const forged = changed(payer, ({ accepted: { extra } }) => {
    extra.haca.requestHash = inputHashOf(salt, body);
  });
  const response = await bed.post(other, { ...forged, "haca-salt": salt });
  expect(await refusalIn(response)).toEqual([402, "payment.otherRequest"]);
});

it("a payment that is known is answered again though its quote comes back in other letters", async () => {
  const bed = await PaidBed.start();
  const payer = new Payer();
  expect((await bed.post(QUESTION, {}, payer)).status).toBe(200);
  const written = changed(payer, ({ accepted: { extra } }) => {
    const [, start, letter = "", rest] =
      /^(0x[^a-f]*)([a-f])(.*)$/i.exec(String(extra.haca.node)) ?? [];
    const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    extra.haca.node = `${start}${other}${rest}`;
  });
  expect((await bed.post(QUESTION, written)).status).toBe(200);
});

for (const [what, seconds] of [
  ["cannot be used any more is told of by the facilitator, and is none for a new request", -1],
  ["can be used for ever would have to be watched for ever, and is not taken", 10 ** 9],
] as const) {
  it(`a payment that ${what}`, async () => {
    const bed = await PaidBed.start();
    const payer = await refusedPayer(bed, "exact");
    bed.settles = { ...REFUSED, errorReason: "duplicate_settlement", transaction: TRANSACTION };
    const late = changed(payer, ({ payload: { authorization } }) => {
      authorization.validBefore = String(Math.floor(Date.now() / 1_000) + seconds);
    });
    expect(await refusalIn(await bed.post(QUESTION, late))).toEqual([402, "payment.doesNotFit"]);
  });
}

it("a nonce that is no number of the chain's is malformed, before it is noted for the worker", async () => {
  const bed = await PaidBed.start();
  const payer = await refusedPayer(bed, "upto");
  const header = changed(payer, ({ payload: { permit2Authorization } }) => {
    permit2Authorization.nonce = String(1n << 256n);
  });
  expect(await refusalIn(await bed.post(QUESTION, header))).toEqual([400, "payment.malformed"]);
});

it.each([400, 500])(
  "a cancelled payment that the worker answers with %i keeps no other from going back",
  async (status) => {
    const bed = await PaidBed.start();
    const [first, second] = [new Payer(), new Payer()];
    bed.upstream.handler = FAILED;
    const told = new Deferred();
    const wasRefused = new Deferred();
    bed.worker.handler = (response, { body }) => {
      const isFirst = body.includes(first.address);
      response.writeHead(isFirst ? status : 202).end("{}");
      (isFirst ? wasRefused : told).resolve();
    };
    expect((await bed.post(QUESTION, {}, first)).status).toBe(406);
    await wasRefused.promise;
    expect((await bed.post(QUESTION, {}, second)).status).toBe(406);
    await told.promise;
  },
);

it("what was never taken is no failure of the payer: others could name them", async () => {
  const limits = { spend: undefined, failures: 1 };
  const bed = await PaidBed.start({ settleMs: 10, retryMs: 0, limits });
  const payer = new Payer();
  bed.settles = { success: false, errorReason: "settlement_pending", transaction: "" };
  expect((await bed.post(QUESTION, {}, payer)).status).toBe(503);
  bed.settles = SETTLED;
  await bed.restart();
  expect((await bed.post({ ...QUESTION, n: 1 }, {}, payer)).status).toBe(200);
});

it("what is being settled for somebody else is not waited for, and may come again", async () => {
  const bed = await PaidBed.start();
  const payer = new Payer();
  bed.settles = { success: false, errorReason: "duplicate_settlement", transaction: "" };
  expect(await refusalIn(await bed.post(QUESTION, {}, payer))).toEqual([503, "payment.pending"]);
  expect(bed.settled).toHaveLength(1);
  bed.settles = SETTLED;
  expect((await bed.post(QUESTION, payer.last)).status).toBe(200);
});

it("an answer whose grant a dying process did not note is no failure: it is shown, and not given back", async () => {
  const bed = await PaidBed.start({ retryMs: 0 });
  const payer = new Payer();
  const first = await (await bed.post(QUESTION, {}, payer)).text();
  const journal = join(bed.folder, "payments.journal");
  const lines = readFileSync(journal, "utf8").trimEnd().split("\n");
  const granted = { ...JSON.parse(lines.at(-1) ?? ""), state: "granted" };
  appendFileSync(journal, `${JSON.stringify(granted)}\n`);
  await bed.restart();
  const again = await bed.post(QUESTION, payer.last);
  expect([again.status, await again.text()]).toEqual([200, first]);
  expect(bed.cancelled).toEqual([]);
});

it("an answer that waits for the worker is the payer's still, and says so", async () => {
  const bed = await PaidBed.start();
  // As long as a worker that is well may need on a busy machine.
  bed.queueMs = 2_000;
  await bed.restart();
  const payer = new Payer();
  bed.worker.handler = FAILED;
  const response = await bed.post(QUESTION, {}, payer);
  expect([response.status, await response.json()]).toEqual([
    406,
    { error: expect.objectContaining({ message: expect.stringContaining("without another") }) },
  ]);
  bed.worker.handler = accepting;
  expect((await bed.post(QUESTION, payer.last)).status).toBe(200);
  expect(bed.cancelled).toEqual([]);
});

it("the result of an answer that was refused its payer is not handed in by the next process", async () => {
  const bed = await PaidBed.start();
  const payer = new Payer();
  bed.worker.handler = answering({ error: { code: "collect.unauthorized" } }, 401);
  expect((await bed.post(QUESTION, {}, payer)).status).toBe(406);
  const before = bed.results.length;
  bed.worker.handler = accepting;
  await bed.restart();
  expect(bed.results.length).toBe(before);
});
