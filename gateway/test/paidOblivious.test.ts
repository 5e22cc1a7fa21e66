import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ZeroAddress } from "ethers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openAnswer, repeatOf } from "../src/answers/answerFile.ts";
import { GrantLedger } from "../src/payments/grantLedger.ts";
import { keyOf, requestBytes } from "../src/payments/paidRequest.ts";
import { sealedPayable } from "../src/payments/payable.ts";
import { ANSWER, type Answer, answering, DONE, ends, says, streaming } from "./support/bed.ts";
import { LEGACY_SIGNER } from "./support/legacySigned.ts";
import { PaidBed, Payer, paidBy, QUESTION, TRANSACTION } from "./support/paidBed.ts";
import { PayingRelay } from "./support/payingRelay.ts";
import {
  bring,
  FLAT,
  MALFORMED,
  PATH,
  readBy,
  relayedClients,
  rotate,
  SEALED,
  sealFor,
} from "./support/sealedBed.ts";

const FAILED = answering({ error: { message: "no" } }, 500);
const start = (signer?: typeof LEGACY_SIGNER) => PaidBed.start(SEALED, signer);
const relay = () => new Payer("exact");
const offersIn = (response: Response) => {
  const header = response.headers.get("payment-required") ?? "";
  return JSON.parse(Buffer.from(header, "base64").toString()).accepts;
};
const bytesIn = async (response: Response) => Buffer.from(await response.arrayBuffer());
const outcome = async (response: Response) => [response.status, await response.text()];
const asked = (bed: PaidBed) => bed.upstream.received.length;
const clientOf = relayedClients();

describe("a sealed request that costs something", () => {
  it("is offered one price by exact, and nothing of that says what is in it", async () => {
    const bed = await start();
    const texts = [QUESTION, { ...QUESTION, model: "n" }, "no JSON"];
    const sealed = await Promise.all(texts.map((text) => sealFor(bed, text)));
    const all = [...sealed.map(({ bytes }) => bytes), Buffer.from("not sealed at all")];
    const told = [];
    for (const bytes of all) {
      const response = await bring(bed, bytes);
      const [{ extra, ...offer }, ...more] = offersIn(response);
      const { expiresAt: _end, mac: _mac, requestHash: _hash, ...terms } = extra.haca;
      told.push({ status: response.status, body: await response.text(), offer, more, terms });
    }
    expect(told[0]).toMatchObject({
      ...{ status: 402, offer: { scheme: "exact", amount: String(FLAT) }, more: [] },
      terms: { path: "ohttp", salt: null },
    });
    for (const other of told.slice(1)) expect(other).toEqual(told[0]);
    expect([asked(bed), bed.settled.length]).toEqual([0, 0]);
  });

  it("is answered for the stock client that brings it, and its result says nothing of the payment", async () => {
    const bed = await start();
    const payer = relay();
    const sealed = await sealFor(bed);
    const response = await bring(bed, sealed.bytes, payer);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      ...[200, "message/ohttp-res"],
    ]);
    expect(paidBy(response)).toMatchObject({ transaction: TRANSACTION, amount: String(FLAT) });
    const { haca } = (await readBy(sealed, response)) as Answer;
    const nobody = { requester: ZeroAddress, price: "0" };
    expect(haca.message).toMatchObject(nobody);
    expect(bed.results).toEqual([{ message: haca.message, signature: haca.signature }]);
    const { nonce } = JSON.parse(Buffer.from(payer.payments[0] ?? "", "base64").toString()).payload
      .authorization;
    expect(bed.log.join()).toContain('"msg":"paid"');
    const said = [...bed.log, ...bed.worker.received.map(({ body }) => body)].join();
    for (const secret of [payer.address, TRANSACTION, nonce, "hello", haca.salt]) {
      expect(said.toLowerCase()).not.toContain(secret.slice(2));
    }
    expect(bed.upstream.received.map(({ headers }) => headers["payment-signature"])).toEqual([
      undefined,
    ]);
  });

  it("streams once it is paid, and the same payment has the whole stream again", async () => {
    const bed = await start();
    bed.upstream.handler = streaming(says("Hello"), ends(), DONE);
    const payer = relay();
    const sealed = await sealFor(bed, { ...QUESTION, stream: true });
    const response = await bring(bed, sealed.bytes, payer);
    expect(response.headers.get("content-type")).toBe("message/ohttp-chunked-res");
    expect(paidBy(response)).toMatchObject({ success: true });
    const events = sealed.openChunks(await bytesIn(response));
    expect(events).toHaveLength(3);
    const again = await bring(bed, sealed.bytes, { headers: payer.last });
    expect(sealed.openChunks(await bytesIn(again))).toEqual(events);
    expect([asked(bed), bed.settled.length]).toEqual([1, 1]);
  });

  it("is answered in the profile legacy, and as the result of nobody", async () => {
    const bed = await start(LEGACY_SIGNER);
    const sealed = await sealFor(bed);
    const answer = await readBy(sealed, await bring(bed, sealed.bytes, relay()));
    expect(answer).toMatchObject({
      tee_id: LEGACY_SIGNER.teeId,
      haca: { profile: "legacy", result: { message: { requester: ZeroAddress, price: "0" } } },
    });
  });

  it("is the SDK's, by a relay that pays", async () => {
    const bed = await start();
    const payer = relay();
    const { statuses, url } = await PayingRelay.start(`${bed.gateway.url}${PATH}`, payer);
    const haca = await clientOf(bed, url);
    const { text, verification } = await haca.chat({ model: "m", messages: QUESTION.messages });
    expect([text, verification]).toEqual(["Hello, wörld", "verified"]);
    bed.upstream.handler = streaming(says("Hello"), ends(), DONE);
    const stream = haca.streamChat({ model: "m", messages: QUESTION.messages });
    let next = await stream.next();
    while (next.done !== true) next = await stream.next();
    expect(next.value.text).toBe("Hello");
    bed.upstream.handler = FAILED;
    // None that a client, or the SDK with another node, asks for anew at the relay's cost.
    await expect(haca.chat({ model: "m", messages: QUESTION.messages })).rejects.toMatchObject({
      details: { status: 406, code: "upstream.failed" },
    });
    expect([statuses, bed.settled.length]).toEqual([[200, 200, 200], 3]);
  });
});

describe("the same payment for the same bytes", () => {
  it("has the same answer, also of a process that has not the key any more, and costs nothing more", async () => {
    const bed = await start();
    const payer = relay();
    const sealed = await sealFor(bed);
    const first = await bytesIn(await bring(bed, sealed.bytes, payer));
    await bed.restart();
    const again = await bring(bed, sealed.bytes, { headers: payer.last });
    expect(await bytesIn(again)).toEqual(first);
    expect([paidBy(again).transaction, bed.settled.length, asked(bed)]).toEqual([
      TRANSACTION,
      1,
      1,
    ]);
  });

  it("three at a time have one answer, and a second payment by the same payer is not taken", async () => {
    const bed = await start();
    const payer = relay();
    const { bytes } = await sealFor(bed);
    bed.settles = { success: false, errorReason: "insufficient_funds" };
    expect((await bring(bed, bytes, payer)).status).toBe(402);
    bed.settles = { success: true, transaction: TRANSACTION };
    const before = bed.settled.length;
    const three = await Promise.all(
      [1, 2, 3].map(() => bring(bed, bytes, { headers: payer.last })),
    );
    const second = await bring(bed, bytes, payer);
    const answers = await Promise.all([...three, second].map(bytesIn));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect([bed.settled.length - before, asked(bed), payer.payments.length]).toEqual([1, 1, 2]);
  });

  it("has that answer by its name, too, also after a restart, and other bytes under the name have none", async () => {
    const bed = await start();
    const payer = relay();
    payer.name = "pay_7d5d747be160e280504c";
    const sealed = await sealFor(bed);
    const first = await bytesIn(await bring(bed, sealed.bytes, payer));
    await bed.restart();
    expect(await bytesIn(await bring(bed, sealed.bytes, payer))).toEqual(first);
    expect((await bring(bed, (await sealFor(bed)).bytes, payer)).status).toBe(400);
    expect([payer.payments.length, bed.settled.length, asked(bed)]).toEqual([3, 1, 1]);
  });

  it("keeps an answer that neither disk nor whoever brought it reads, also together", async () => {
    const bed = await start();
    const sealed = await sealFor(bed);
    await (await bring(bed, sealed.bytes, relay())).arrayBuffer();
    const ledger = await GrantLedger.open(bed.folder);
    const [grant] = [...ledger.all()];
    await ledger.close();
    expect(grant?.isSealed).toBe(true);
    const [file = ""] = readdirSync(bed.folder).filter((name) => name.endsWith(".kept"));
    const key = keyOf(grant ?? { id: "", contentHash: "" });
    const repeat = repeatOf({ key, request: requestBytes(sealedPayable(sealed.bytes), "") });
    const { answer } = openAnswer(readFileSync(join(bed.folder, file)), repeat);
    const kept = Buffer.from(answer.text, "base64");
    expect([answer.salt, kept.includes("Hello")]).toEqual(["", false]);
    expect(JSON.parse(sealed.open(kept))).toMatchObject({ model: ANSWER.model });
  });
});

describe("known attacks on who is paid for sealed requests", () => {
  it("one payment for two requests: is for the bytes that were quoted alone", async () => {
    const bed = await start();
    const payer = relay();
    const [one, two] = [await sealFor(bed), await sealFor(bed)];
    await bring(bed, one.bytes, payer);
    const other = await bring(bed, two.bytes, { headers: payer.last });
    expect(await outcome(other)).toEqual([402, '{"error":"the payment is for another request"}']);
    expect([asked(bed), bed.settled.length]).toEqual([1, 1]);
  });

  it("one request by two payers: the second has no answer, and is not charged", async () => {
    const bed = await start();
    const { bytes } = await sealFor(bed);
    const both = await Promise.all([bring(bed, bytes, relay()), bring(bed, bytes, relay())]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(await outcome(await bring(bed, bytes, relay()))).toEqual([400, MALFORMED]);
    expect([asked(bed), bed.settled.length]).toEqual([1, 1]);
  });

  it("a payer who cannot pay does not use a request up for who can", async () => {
    const bed = await start();
    const { bytes } = await sealFor(bed);
    bed.settles = { success: false, errorReason: "insufficient_funds" };
    expect((await bring(bed, bytes, relay())).status).toBe(402);
    bed.settles = { success: true, transaction: TRANSACTION };
    expect((await bring(bed, bytes, relay())).status).toBe(200);
  });

  it("a payment that is not decided keeps its request from another payer's", async () => {
    const bed = await PaidBed.start({ ...SEALED, settleMs: 10 });
    const { bytes } = await sealFor(bed);
    const payer = relay();
    bed.settles = { success: false, errorReason: "settlement_pending", transaction: "" };
    // None that its client seals anew, and the relay pays again for.
    expect(await outcome(await bring(bed, bytes, payer))).toEqual([
      406,
      expect.stringContaining("not decided yet"),
    ]);
    bed.settles = { success: true, transaction: TRANSACTION };
    const before = bed.settled.length;
    expect((await bring(bed, bytes, relay())).status).toBe(400);
    expect((await bring(bed, bytes, { headers: payer.last })).status).toBe(200);
    expect(bed.settled.length - before).toBe(1);
  });

  it("a request to a key that is gone: nobody is charged, and who has paid before has the answer", async () => {
    const bed = await start();
    bed.ohttpOverlapMs = 0;
    await bed.restart();
    const payer = relay();
    const [answered, late] = [await sealFor(bed), await sealFor(bed)];
    const first = await bytesIn(await bring(bed, answered.bytes, payer));
    await rotate(bed);
    expect(await outcome(await bring(bed, late.bytes, relay()))).toEqual([400, MALFORMED]);
    expect(await outcome(await bring(bed, answered.bytes, relay()))).toEqual([400, MALFORMED]);
    const again = await bring(bed, answered.bytes, { headers: payer.last });
    expect(await bytesIn(again)).toEqual(first);
    expect([asked(bed), bed.settled.length]).toEqual([1, 1]);
  });

  it("what does not open: has one answer, is charged nothing, and is paid for by no loop", async () => {
    const bed = await start();
    const { bytes } = await sealFor(bed);
    const changed = (at: number) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy;
    };
    for (const wrong of [
      ...[Buffer.alloc(0), bytes.subarray(0, 6), bytes.subarray(0, 39), bytes.subarray(0, -1)],
      // Key id, suite, what is encapsulated, what is sealed, its tag.
      ...[0, 2, 7, 39, bytes.length - 1].map(changed),
    ]) {
      const payer = relay();
      expect(await outcome(await bring(bed, wrong, payer))).toEqual([400, MALFORMED]);
      expect(payer.payments).toHaveLength(1);
    }
    expect([asked(bed), bed.settled.length]).toEqual([0, 0]);
    expect((await bring(bed, bytes, relay())).status).toBe(200);
  });

  it("less than the price, or the payment of another path or scheme: is not brought to the chain", async () => {
    const bed = await PaidBed.start({ ...SEALED, routes: ["escrow", "exact"] });
    const { bytes } = await sealFor(bed);
    const cheap = new Payer("exact", (_, [first]) => ({ ...first, amount: "1" }) as never);
    expect((await bring(bed, bytes, cheap)).status).toBe(402);
    const forPlain = new Payer("exact", (_, [first]) => ({ ...first, amount: "1" }) as never);
    await bed.post(QUESTION, {}, forPlain);
    expect((await bring(bed, bytes, { headers: forPlain.last })).status).toBe(402);
    expect((await bed.post(QUESTION, cheap.last)).status).toBe(402);
    const held = new Payer("upto");
    bed.settles = { success: false, errorReason: "permit2_insufficient_balance" };
    await bed.post(QUESTION, {}, held);
    const before = bed.settled.length;
    const [status, body] = await outcome(await bring(bed, bytes, { headers: held.last }));
    expect([status, body]).toEqual([402, expect.stringContaining("paid by exact alone")]);
    expect([bed.settled.length - before, asked(bed)]).toEqual([0, 0]);
  });

  it("a large body, or one of another type: is refused before anybody is asked for money", async () => {
    const bed = await start();
    const large = await bring(bed, Buffer.alloc(512 * 1024 + 1), {
      headers: { connection: "close" },
    });
    expect([large.status, large.headers.get("payment-required")]).toEqual([413, null]);
    const headers = { "content-type": "application/json" };
    expect((await bring(bed, Buffer.alloc(60), { headers })).status).toBe(415);
  });

  it.each([
    { "payment-signature": "x" },
    { "X-PAYMENT": "x" },
    { headers: { "Payment-Signature": "x" } },
  ])("a payment inside, %o: is refused by its name, and goes nowhere", async (payment) => {
    const bed = await start();
    const sealed = await sealFor(bed, { ...QUESTION, ...payment });
    const response = await bring(bed, sealed.bytes, relay());
    expect(await readBy(sealed, response)).toMatchObject({
      status: 400,
      body: { error: { code: "ohttp.paidInside" } },
    });
    expect([response.status, asked(bed)]).toEqual([200, 0]);
  });

  it("asking with what nobody can pay: says nothing of what is inside", async () => {
    const bed = await start();
    bed.settles = { success: false, errorReason: "insufficient_funds" };
    const told = [];
    const read = vi.spyOn(JSON, "parse");
    onTestFinished(() => read.mockRestore());
    for (const text of [QUESTION, { ...QUESTION, model: "none" }, "no JSON"]) {
      const { bytes } = await sealFor(bed, text);
      told.push(await outcome(await bring(bed, bytes, relay())));
    }
    // How long that takes would say something, too.
    expect(read.mock.calls.filter(([text]) => /"messages"|no JSON/.test(String(text)))).toEqual([]);
    expect(told[0]?.[0]).toBe(402);
    for (const other of told.slice(1)) expect(other).toEqual(told[0]);
  });
});

describe("after a sealed request is paid", () => {
  it.each([false, true])(
    "a failure is told its client alone, as none to ask anew for, and made up for (stream: %s)",
    async (stream) => {
      const bed = await start();
      const payer = relay();
      const sealed = await sealFor(bed, { ...QUESTION, stream });
      const read = async (response: Response): Promise<string> => {
        const bytes = await bytesIn(response);
        return stream ? sealed.openChunks(bytes).join("") : sealed.open(bytes);
      };
      bed.upstream.handler = FAILED;
      const failed = await bring(bed, sealed.bytes, payer);
      expect([failed.status, paidBy(failed).success]).toEqual([200, true]);
      const told = await read(failed);
      expect(told).toContain("upstream.failed");
      expect(told).toMatch(/"status":406/);
      const good = streaming(says("Hello"), ends(), DONE);
      bed.upstream.handler = stream ? good : answering(ANSWER);
      const made = await bring(bed, sealed.bytes, { headers: payer.last });
      expect(await read(made)).toContain("Hello");
      expect(bed.settled).toHaveLength(1);
    },
  );

  it("a request that cannot be answered is refused by its field, inside", async () => {
    const bed = await start();
    const sealed = await sealFor(bed, { ...QUESTION, model: "none" });
    const response = await bring(bed, sealed.bytes, relay());
    expect(response.status).toBe(200);
    expect(await readBy(sealed, response)).toMatchObject({
      status: 400,
      body: { error: { code: "model.unknown", param: "model" } },
    });
    const metrics = await (await fetch(`${bed.gateway.url}/metrics`)).text();
    expect(metrics).toContain('failures_total{code="ohttp.refused"} 1');
    expect(metrics).not.toContain("model.unknown");
  });

  it("an answer whose result waits for the worker is given for the same payment later", async () => {
    const bed = await start();
    bed.queueMs = 10;
    await bed.restart();
    const accepts = bed.worker.handler;
    bed.worker.handler = (response) => void response.writeHead(503).end();
    const payer = relay();
    const sealed = await sealFor(bed);
    expect((await bring(bed, sealed.bytes, payer)).status).toBe(406);
    bed.worker.handler = accepts;
    const later = await bring(bed, sealed.bytes, { headers: payer.last });
    expect(await readBy(sealed, later)).toMatchObject({ model: ANSWER.model });
    expect([asked(bed), bed.settled.length]).toEqual([1, 1]);
  });

  it("one whose key is gone before it had an answer has none, and no client asks anew for that", async () => {
    const bed = await start();
    const payer = relay();
    const { bytes } = await sealFor(bed);
    bed.upstream.handler = FAILED;
    await bring(bed, bytes, payer);
    await bed.restart();
    const [status, body] = await outcome(await bring(bed, bytes, { headers: payer.last }));
    expect([status, body]).toEqual([406, expect.stringContaining("is gone")]);
  });
});
