import { channelAccount } from "@haca/protocol/pageOpening";
import { describe, expect, it } from "vitest";
import { ANSWER, type Answer, DONE, ends, frame, says, streaming } from "./support/bed.ts";
import { ChannelBed, ChannelPayer, chargedIn, FAILED, offersIn } from "./support/channelBed.ts";
import { Deferred } from "./support/deferred.ts";
import { QUESTION } from "./support/paidBed.ts";
import { PayingRelay } from "./support/payingRelay.ts";
import {
  bring,
  FLAT,
  MALFORMED,
  readBy,
  relayedClients,
  SEALED,
  sealFor,
} from "./support/sealedBed.ts";

const PATH = "/v1/channel/ohttp";
const clientOf = relayedClients();
const start = () => ChannelBed.start(SEALED);
const post = (
  bed: ChannelBed,
  bytes: Uint8Array,
  by: { paying?: typeof fetch; headers?: Record<string, string> } = {},
) => bring(bed.paid, bytes, { ...by, path: PATH });
const outcome = async (response: Response) => [response.status, await response.text()];
const sums = (payer: ChannelPayer) => payer.signed.map(({ voucher }) => voucher.maxClaimableAmount);
const by = (count: bigint) => String(count * FLAT);

describe("a sealed request that its relay pays for by channel", () => {
  it("costs the one price, is the relay's result, and the SDK verifies it", async () => {
    const bed = await start();
    const payer = new ChannelPayer(bed);
    const node = `${bed.paid.gateway.url}${PATH}`;
    const { statuses, url } = await PayingRelay.start(node, payer);
    const haca = await clientOf(bed.paid, url);
    for (let count = 0; count < 2; count += 1) {
      const reply = await haca.chat({ model: "m", messages: QUESTION.messages });
      expect(reply.verification).toBe("verified");
    }
    expect([statuses, bed.deposits, sums(payer)]).toEqual([[200, 200], 1, [by(1n), by(2n)]]);
    const id = payer.signed[0]?.voucher.channelId ?? "0x";
    const results = bed.paid.results.map(({ message, voucher }) => [
      ...[message.requester, message.price, voucher?.maxClaimableAmount],
    ]);
    const paid = [channelAccount(id), String(FLAT)];
    expect(results).toEqual([
      [...paid, by(1n)],
      [...paid, by(2n)],
    ]);
  });

  it("is offered by channel alone there, and not opened for it", async () => {
    const bed = await start();
    const response = await post(bed, Buffer.from("not sealed at all"));
    expect(response.status).toBe(402);
    for (const offer of offersIn(response)) {
      expect(offer).toMatchObject({ scheme: "batch-settlement", amount: String(FLAT) });
    }
    const payer = new ChannelPayer(bed);
    expect(await outcome(await post(bed, Buffer.alloc(80), payer))).toEqual([400, MALFORMED]);
    expect([bed.deposits, bed.paid.upstream.received.length]).toEqual([0, 0]);
  });

  it("costs nothing where it has no answer, and says so to its client alone", async () => {
    const bed = await start();
    const payer = new ChannelPayer(bed);
    const sealed = await sealFor(bed.paid);
    const answers = bed.paid.upstream.handler;
    bed.paid.upstream.handler = FAILED;
    const failed = await post(bed, sealed.bytes, payer);
    expect([failed.status, chargedIn(failed).slice(0, 2)]).toEqual([200, ["0", "0"]]);
    expect(await readBy(sealed, failed)).toMatchObject({ status: 502 });
    bed.paid.upstream.handler = answers;
    const made = await post(bed, sealed.bytes, payer.last);
    expect(await readBy(sealed, made)).toMatchObject({ model: ANSWER.model });
    expect(chargedIn(made).slice(0, 2)).toEqual([by(1n), by(1n)]);
  });

  it("is no failure of its payer's where the request is why, and one where the upstream is", async () => {
    const limits = { spend: undefined, failures: 1 };
    const bed = await ChannelBed.start({ ...SEALED, limits });
    const payer = new ChannelPayer(bed);
    const ask = async (question: object) =>
      (await post(bed, (await sealFor(bed.paid, question)).bytes, payer)).status;
    const answers = bed.paid.upstream.handler;
    expect(await ask({ ...QUESTION, model: "none" })).toBe(200);
    expect(await ask({ ...QUESTION, model: "none" })).toBe(200);
    bed.paid.upstream.handler = FAILED;
    expect(await ask(QUESTION)).toBe(200);
    bed.paid.upstream.handler = answers;
    expect(await ask(QUESTION)).toBe(403);
  });

  it("streams, has the same answer for the same voucher, and is answered for no other", async () => {
    const bed = await start();
    bed.paid.upstream.handler = streaming(says("Hello"), ends(), DONE);
    const payer = new ChannelPayer(bed);
    const sealed = await sealFor(bed.paid, { ...QUESTION, stream: true });
    const read = async (response: Response) =>
      sealed.openChunks(Buffer.from(await response.arrayBuffer()));
    const first = await post(bed, sealed.bytes, payer);
    expect(chargedIn(first).slice(0, 2)).toEqual([by(1n), by(1n)]);
    const events = await read(first);
    const last = JSON.parse((events.at(-2) ?? "").slice("data: ".length)) as Answer;
    expect(last.haca.message.price).toBe(String(FLAT));
    expect(await read(await post(bed, sealed.bytes, payer.last))).toEqual(events);
    expect(await outcome(await post(bed, sealed.bytes, payer))).toEqual([400, MALFORMED]);
    expect(sums(payer)).toEqual([by(1n), by(2n)]);
    expect(bed.paid.upstream.received).toHaveLength(1);
    // What was refused was charged nothing: the next voucher is for the same sum.
    const next = await sealFor(bed.paid, { ...QUESTION, stream: true });
    expect((await post(bed, next.bytes, payer)).status).toBe(200);
    expect(sums(payer).at(-1)).toBe(by(2n));
  });

  it("why a stream breaks off is told its client alone, and not who brings the same meanwhile", async () => {
    const bed = await start();
    const [asked, finish] = [new Deferred(), new Deferred()];
    bed.paid.upstream.handler = async (response, request) => {
      asked.resolve();
      await finish.promise;
      await streaming(says("a"), frame([], { error: { message: "x" } }))(response, request);
    };
    const payer = new ChannelPayer(bed);
    const sealed = await sealFor(bed.paid, { ...QUESTION, stream: true });
    const first = post(bed, sealed.bytes, payer);
    await asked.promise;
    const waiting = post(bed, sealed.bytes, payer.last);
    finish.resolve();
    const response = await first;
    const events = sealed.openChunks(Buffer.from(await response.arrayBuffer()));
    expect(events.at(-1)).toContain("upstream.failedMidway");
    expect(await (await waiting).text()).not.toContain("upstream");
    expect(bed.paid.results).toEqual([]);
  });
});
