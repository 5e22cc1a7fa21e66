import { readFileSync } from "node:fs";
import { join } from "node:path";
import { channelAccount } from "@haca/protocol/pageOpening";
import { getBytes } from "ethers";
import { describe, expect, it } from "vitest";
import type { SignedResult } from "../src/profile/signAnswer.ts";
import { DONE, ends, eventsIn, frame, says, streaming } from "./support/bed.ts";
import { ChannelBed, ChannelPayer, chargedIn } from "./support/channelBed.ts";
import { expectSigned } from "./support/expectSigned.ts";
import {
  expectLegacySigned,
  isSignedByRsa,
  LEGACY_SIGNER,
  type LegacySignature,
} from "./support/legacySigned.ts";
import { PaidBed, Payer, PRICE, paidBy, QUESTION, TRANSACTION } from "./support/paidBed.ts";

const BATCH = { "x-settlement-type": "batch" };
const PRIVATE = { "x-settlement-type": "private" };
const HASHED =
  '{"messages": [{"content": "hello", "role": "user"}], "model": "m", "temperature": 0.0}';
const CALL = { id: "call_1", type: "function", function: { name: "f", arguments: '{"a": 1}' } };

type Answer = LegacySignature & {
  haca: {
    profile: string;
    settlement: string;
    result: Omit<SignedResult, "payment"> & { salt: string };
  };
  choices: { finish_reason: string; delta?: { content?: string } }[];
  usage?: unknown;
};

const startBed = (changes: Parameters<typeof PaidBed.start>[0] = {}) =>
  PaidBed.start(changes, LEGACY_SIGNER);

/** What the facilitator was given to settle of answers. */
const submitted = (bed: PaidBed) =>
  bed.facilitator.received.flatMap(({ headers, path }) => {
    if (path !== "/settle_data") return [];
    const data = Buffer.from(String(headers["x-settlement-data"]), "base64").toString();
    return [(JSON.parse(data) as { tee_signature: string }).tee_signature];
  });
const errorIn = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { error: string }).error,
];

/** That the answer is signed for its client, and as the result that the worker has, with who paid what. */
function expectBoth(parameters: {
  bed: PaidBed;
  payer: { address: string };
  answer: Answer;
  /** the answer as one has it who puts it together */
  shown: object;
  output: string;
  request?: object;
}): void {
  const { answer, bed, output, payer, request = QUESTION, shown } = parameters;
  expectLegacySigned(answer, { request: HASHED, output });
  const { result } = answer.haca;
  const charged = { requester: payer.address, price: String(PRICE) };
  const isGood = (digest: string, signature: string) => isSignedByRsa(digest, getBytes(signature));
  const key = { teeId: LEGACY_SIGNER.teeId, isGood };
  expectSigned({ result, request, salt: result.salt, answer: shown, key, charged });
  expect(bed.results.map(({ message }) => message)).toContainEqual(result.message);
}

describe("an answer in the profile legacy that costs something", () => {
  for (const [scheme, isHeld] of [
    ["exact", false],
    ["upto", true],
  ] as const) {
    it(`is paid by ${scheme}, signed for its client and, over the same bytes, as the result that is settled`, async () => {
      const bed = await startBed();
      const payer = new Payer(scheme);
      const response = await bed.post(QUESTION, BATCH, payer);
      expect(response.status).toBe(200);
      expect(paidBy(response)).toMatchObject({ success: true, transaction: TRANSACTION });
      const answer = (await response.json()) as Answer;
      expect(answer.haca).toMatchObject({ profile: "legacy", settlement: "batch" });
      expectBoth({ bed, payer, answer, shown: answer, output: "Hello, wörld" });
      const [result] = bed.results;
      expect(result?.payment).toEqual(
        isHeld ? expect.objectContaining({ payer: payer.address }) : undefined,
      );
      expect(submitted(bed)).toEqual([answer.tee_signature]);
    });
  }

  it("is the same one for the same payment again, and for the next process", async () => {
    const bed = await startBed();
    const payer = new Payer("exact");
    const first = await (await bed.post(QUESTION, BATCH, payer)).text();
    expect(await (await bed.post(QUESTION, { ...BATCH, ...payer.last })).text()).toBe(first);
    await bed.restart();
    expect(await (await bed.post(QUESTION, { ...BATCH, ...payer.last })).text()).toBe(first);
    expect([bed.settled.length, bed.upstream.received.length, bed.results.length]).toEqual([
      1, 1, 1,
    ]);
    expect(submitted(bed)).toHaveLength(1);
  });

  it("streams, and its result is of what the frames make", async () => {
    const bed = await startBed({ routes: ["exact"] });
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    for (const [frames, message, output, reason] of [
      [[says("Hel"), says("lo"), ends()], { content: "Hello" }, "Hello", "stop"],
      [
        [
          frame([
            { index: 0, delta: { tool_calls: [{ index: 0, ...CALL }] }, finish_reason: null },
          ]),
          ends("tool_calls"),
        ],
        { tool_calls: [CALL] },
        '[{"function": {"arguments": "{\\"a\\": 1}", "name": "f"}, "id": "call_1", "type": "function"}]',
        "tool_calls",
      ],
    ] as const) {
      bed.upstream.handler = streaming(...frames, frame([], { usage }), DONE);
      const payer = new Payer("exact");
      const request = { ...QUESTION, stream: true };
      const text = await (await bed.post(request, BATCH, payer)).text();
      const events = eventsIn(text);
      expect(events.at(-1)).toBe("[DONE]");
      const answer = JSON.parse(events.at(-2) ?? "") as Answer;
      const choices = [
        { index: 0, message: { role: "assistant", ...message }, finish_reason: reason },
      ];
      const shown = { model: "m", choices, usage };
      expectBoth({ bed, payer, answer, shown, output, request });
      const again = await bed.post(request, { ...BATCH, ...payer.last });
      expect(await again.text()).toBe(text);
    }
  });

  it("asks for money in the words of the public network's clients, and for none where it could not be signed", async () => {
    const bed = await startBed();
    const unpaid = await bed.post(QUESTION, BATCH);
    expect(unpaid.headers.get("payment-required")).not.toBeNull();
    expect((await errorIn(unpaid))[0]).toBe(402);
    for (const body of [
      '{"model":"m","messages":[],"seed":9007199254740993}',
      '{"model":"m","messages":[],"messages":[]}',
    ]) {
      const refused = await fetch(`${bed.gateway.url}/v1/chat/completions`, {
        ...{ method: "POST", headers: { "content-type": "application/json", ...BATCH }, body },
      });
      const [status, error] = await errorIn(refused);
      expect([status, error.startsWith("body: ")]).toEqual([400, true]);
    }
    expect([bed.settled.length, bed.upstream.received.length]).toEqual([0, 0]);
  });
});

it("by channel costs what its result says, and nothing where the facilitator refuses it", async () => {
  const bed = await ChannelBed.start({}, LEGACY_SIGNER);
  const client = new ChannelPayer();
  const payer = { paying: withHeaders(client.paying, BATCH) };
  bed.paid.takes = 400;
  expect((await bed.post(QUESTION, payer)).status).not.toBe(200);
  bed.paid.takes = 202;
  const response = await bed.post({ ...QUESTION, user: "2" }, payer);
  const text = await response.text();
  const answer = JSON.parse(text) as Answer;
  const [{ voucher } = { voucher: { channelId: "" } }] = client.signed;
  const address = channelAccount(voucher.channelId);
  const request = { ...QUESTION, user: "2" };
  const parts = { bed: bed.paid, payer: { address }, answer, shown: answer, request };
  expectBoth({ ...parts, output: "Hello, wörld" });
  const charged = [String(PRICE), String(PRICE)];
  expect(chargedIn(response).slice(0, 2)).toEqual(charged);
  const again = await bed.post(request, { headers: { ...client.last.headers, ...BATCH } });
  expect([await again.text(), chargedIn(again).slice(0, 2)]).toEqual([text, charged]);
  expect(bed.paid.results).toHaveLength(1);
});

it("by channel costs nothing as a stream whose result nobody has, since the facilitator refused it", async () => {
  const bed = await ChannelBed.start({}, LEGACY_SIGNER);
  bed.paid.takes = 400;
  bed.paid.upstream.handler = streaming(says("Hel"), says("lo"), ends(), DONE);
  const payer = { paying: withHeaders(new ChannelPayer().paying, BATCH) };
  const failed = await bed.post({ ...QUESTION, stream: true }, payer);
  expect(await failed.text()).toContain("error");
  const noted = () => {
    const journal = readFileSync(join(bed.paid.folder, "channels.journal"), "utf8");
    return JSON.parse(journal.trimEnd().split("\n").at(-1) ?? "");
  };
  await expect.poll(noted).toMatchObject({ charged: "0", hours: [{ failed: 1 }] });
  expect(bed.paid.results).toEqual([]);
});

/** A fetch that sends headers with every request. */
const withHeaders =
  (through: typeof fetch, headers: Record<string, string>): typeof fetch =>
  (input, init) =>
    through(input, { ...init, headers: { ...(init?.headers as object), ...headers } });

describe("known attacks on paid answers in the profile legacy", () => {
  it("an answer that the facilitator refuses: is captured for nobody, and the payer's money goes back", async () => {
    const bed = await startBed();
    bed.takes = 400;
    const payer = new Payer("upto");
    const [status, error] = await errorIn(await bed.post(QUESTION, BATCH, payer));
    expect([status, error]).toEqual([406, expect.stringContaining("goes back to the payer")]);
    expect(bed.results).toEqual([]);
    await expect.poll(() => bed.cancelled.map((it) => it.payer)).toEqual([payer.address]);
  });

  it("one payment for two profiles, or two settlements: pays for one answer", async () => {
    const bed = await startBed();
    const payer = new Payer("exact");
    const question = { ...QUESTION, max_tokens: 1 };
    expect((await bed.post(question, BATCH, payer)).status).toBe(200);
    const { last } = payer;
    // Another class of a number is another hash for the client, and the same canonical bytes.
    const classed = JSON.stringify(question).replace('"max_tokens":1', '"max_tokens":1.0');
    const asked = (headers: Record<string, string>, body = JSON.stringify(question)) =>
      fetch(`${bed.gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers, ...last },
        body,
      });
    for (const response of [await asked({}), await asked(PRIVATE), await asked(BATCH, classed)]) {
      expect(response.status).toBe(406);
      expect(await response.text()).toContain("was used for another request");
    }
    expect([bed.settled.length, bed.upstream.received.length]).toEqual([1, 1]);
  });

  it("a payer of both profiles: has each answer in its own, and pays for each", async () => {
    const bed = await startBed();
    const payer = new Payer("exact");
    const legacy = (await (await bed.post(QUESTION, BATCH, payer)).json()) as Answer;
    const own = (await (await bed.post(QUESTION, {}, payer)).json()) as Answer;
    expect([legacy.haca.profile, own.haca.profile]).toEqual(["legacy", "haca-1"]);
    expect(own.tee_signature).toBeUndefined();
    expect(bed.settled).toHaveLength(2);
  });

  it("what settles nothing (private): is paid, and settled as its result", async () => {
    const bed = await startBed();
    const payer = new Payer("exact");
    const answer = (await (await bed.post(QUESTION, PRIVATE, payer)).json()) as Answer;
    expectBoth({ bed, payer, answer, shown: answer, output: "Hello, wörld" });
    expect(submitted(bed)).toEqual([]);
  });
});
