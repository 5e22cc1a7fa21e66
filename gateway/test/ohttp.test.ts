import { constants, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getBytes } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configHash, recordOf } from "../src/ohttp/keyRecord.ts";
import { OhttpKeys } from "../src/ohttp/ohttpKeys.ts";
import { varint } from "../src/ohttp/sealAnswer.ts";
import { SeenRequests } from "../src/ohttp/seenRequests.ts";
import { openResultSigner } from "../src/profile/resultSigner.ts";
import { ANSWER, type Answer, Bed, DONE, ends, frame, says, streaming } from "./support/bed.ts";
import { sealRequest } from "./support/ohttpClient.ts";

const FIXTURES = process.env.HACA_FIXTURES ?? join(import.meta.dirname, "../../../shared/fixtures");
const PATH = join(FIXTURES, "legacy/vectors.json");
const QUESTION = { model: "m", messages: [{ role: "user", content: "Say hello" }] };
const MALFORMED = { status: 400, body: '{"error":"malformed encapsulated request"}' };

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const RSA = openResultSigner({
  attestedKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
});

let bed: Bed;
let key: { keyId: number; publicKey: string };
beforeAll(async () => {
  bed = await Bed.start({ signer: RSA, operator: { host: "127.0.0.1", port: 0 } });
});
beforeEach(async () => {
  bed.reset();
  key = await configKey();
});
afterAll(() => bed.stop());

const config = async () => {
  const response = await fetch(`${bed.gateway.url}/v1/ohttp/config`);
  return (await response.json()) as Record<string, string> & { key_id: number };
};
const configKey = async () => {
  const { key_id, public_key = "" } = await config();
  return { keyId: key_id, publicKey: public_key };
};
const send = (bytes: Uint8Array, type = "message/ohttp-req") =>
  fetch(`${bed.gateway.url}/v1/ohttp`, {
    method: "POST",
    // A connection on which a body was not read is closed.
    headers: { "content-type": type, connection: "close" },
    body: Uint8Array.from(bytes),
  });
const outcome = async (bytes: Uint8Array) => {
  const response = await send(bytes);
  return { status: response.status, body: await response.text() };
};
/** What the client reads of the sealed answer. */
const ask = async (body: unknown): Promise<unknown> => {
  const sealed = sealRequest(key, typeof body === "string" ? body : JSON.stringify(body));
  const response = await send(sealed.bytes);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("message/ohttp-res");
  return JSON.parse(sealed.open(new Uint8Array(await response.arrayBuffer())));
};
const stream = async (...frames: string[]) => {
  bed.upstream.handler = streaming(...frames);
  const sealed = sealRequest(key, JSON.stringify({ ...QUESTION, stream: true }));
  const response = await send(sealed.bytes);
  expect(response.headers.get("content-type")).toBe("message/ohttp-chunked-res");
  return { sealed, bytes: new Uint8Array(await response.arrayBuffer()) };
};

describe("the key", () => {
  it.skipIf(!existsSync(PATH))(
    "is hashed as the public network hashes it (skipped where HACA_FIXTURES has no legacy/vectors.json)",
    () => {
      const { _ohttp_config: vector } = JSON.parse(readFileSync(PATH, "utf8"));
      const record = recordOf(vector.key_id, `0x${vector.public_key}`);
      expect(record.keyConfig).toBe(`0x${vector.key_config}`);
      expect(configHash(`0x${vector.tee_id}`, record)).toBe(`0x${vector.hash}`);
    },
  );

  it("is shown with the attested key's signature, and in /signing-key", async () => {
    const shown = await config();
    const { key_config = "", public_key = "", signature = "", signature_hash = "" } = shown;
    expect(shown).toMatchObject({
      key_id: 1,
      kem_id: 32,
      kdf_id: 1,
      aead_id: 3,
      tee_id: RSA.teeId,
    });
    expect(Buffer.from(key_config, "base64").toString("hex")).toBe(
      `010020${public_key}000400010003`,
    );
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32, key: publicKey };
    const hash = configHash(RSA.teeId, recordOf(1, `0x${public_key}`));
    expect(signature_hash).toBe(hash);
    expect(verify("sha256", getBytes(hash), pss, Buffer.from(signature, "base64"))).toBe(true);
    const signingKey = await fetch(`${bed.gateway.url}/signing-key`);
    expect(await signingKey.json()).toMatchObject({ hpke: shown });
  });

  it("is none where a session key signs for the enclave", async () => {
    const attestedKey = createPublicKey(RSA.publicKey).export({ type: "spki", format: "pem" });
    const signer = openResultSigner({
      attestedKey: attestedKey.toString(),
      sessionKey: `0x${"11".repeat(32)}`,
    });
    const other = await Bed.forTest({ signer });
    for (const [path, method] of [
      ["/v1/ohttp/config", "GET"],
      ["/v1/ohttp", "POST"],
    ] as const) {
      const headers = { "content-type": "message/ohttp-req" };
      const response = await fetch(`${other.gateway.url}${path}`, { method, headers });
      expect(response.status).toBe(503);
    }
    const signingKey = await fetch(`${other.gateway.url}/signing-key`);
    expect(await signingKey.json()).toMatchObject({ hpke: null });
  });
});

describe("a sealed request", () => {
  it("is answered, sealed, with a signed answer; who asks goes no further", async () => {
    const named = {
      user: "u-4711",
      metadata: { a: "m-4711" },
      request_id: "r",
      "x-request-id": "x",
    };
    const answer = (await ask({ ...QUESTION, ...named })) as Answer;
    const { haca, ...rest } = answer;
    expect(rest).toEqual(ANSWER);
    expect(haca.profile).toBe("haca-1");
    expect(bed.results).toEqual([{ message: haca.message, signature: haca.signature }]);
    expect(JSON.parse(bed.upstream.received[0]?.body ?? "")).toEqual(QUESTION);
    expect(bed.log.join()).not.toMatch(/4711|Say hello/);
  });

  it("has its refusals sealed, too", async () => {
    expect(await ask({ ...QUESTION, model: "other" })).toMatchObject({
      status: 400,
      body: { error: { code: "model.unknown", param: "model" } },
    });
    expect(await ask("{")).toMatchObject({
      status: 400,
      body: { error: { code: "body.malformed" } },
    });
    bed.upstream.handler = (response) => void response.writeHead(500).end();
    expect(await ask(QUESTION)).toMatchObject({ status: 502 });
  });

  it("is answered once", async () => {
    const { bytes } = sealRequest(key, JSON.stringify(QUESTION));
    const together = await Promise.all([outcome(bytes), outcome(bytes)]);
    expect(together.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(await outcome(bytes)).toEqual(MALFORMED);
    expect(bed.results).toHaveLength(1);
  });

  it("is refused in the same words whatever is wrong with it", async () => {
    const { bytes } = sealRequest(key, JSON.stringify(QUESTION));
    const changed = (at: number) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy;
    };
    const otherKey = sealRequest({ ...key, publicKey: "09".padEnd(64, "0") }, "{}").bytes;
    const zero = Buffer.from(bytes).fill(0, 7, 39);
    for (const wrong of [
      ...[Buffer.alloc(0), bytes.subarray(0, 1), bytes.subarray(0, 6), bytes.subarray(0, 38)],
      ...[bytes.subarray(0, 39), bytes.subarray(0, 54), bytes.subarray(0, -1), otherKey, zero],
      ...[Buffer.concat([bytes, Buffer.alloc(1)])],
      // Key id, suite, what is encapsulated, what is sealed, its tag.
      ...[0, 2, 4, 6, 7, 39, bytes.length - 1].map(changed),
    ]) {
      expect(await outcome(wrong), wrong.toString("hex")).toEqual(MALFORMED);
    }
    // None of them has used it up.
    expect((await outcome(bytes)).status).toBe(200);
  });

  it("has a limit, and a type of its own", async () => {
    const large = await outcome(Buffer.alloc(512 * 1024 + 1));
    expect(large.status).toBe(413);
    expect(JSON.parse(large.body).error).toMatch(/^body: /);
    // The largest that is read.
    expect(await outcome(Buffer.alloc(512 * 1024))).toEqual(MALFORMED);
    expect((await send(Buffer.alloc(60), "application/json")).status).toBe(415);
  });
});

describe("a sealed stream", () => {
  it("is a chunk for each event, and one final chunk", async () => {
    const { bytes, sealed } = await stream(says("Hello, "), says("wörld"), ends(), DONE);
    const events = sealed.openChunks(bytes);
    expect(events).toHaveLength(4);
    expect(events.every((event) => /^data: .*\n\n$/.test(event))).toBe(true);
    expect(events.at(-1)).toBe(DONE);
    const last = JSON.parse((events.at(-2) ?? "").slice("data: ".length)) as Answer;
    expect(bed.results).toEqual([{ message: last.haca.message, signature: last.haca.signature }]);
  });

  it("is believed by no client that does not get its final chunk", async () => {
    const { bytes, sealed } = await stream(says("a"), ends(), DONE);
    // The final chunk is its length, 0, and a tag.
    expect(() => sealed.openChunks(bytes.subarray(0, -17))).toThrow("no final chunk");
    expect(() => sealed.openChunks(bytes.subarray(0, -1))).toThrow();
    const longer = Buffer.concat([bytes, bytes.subarray(-17)]);
    expect(() => sealed.openChunks(longer)).toThrow();
    // A chunk that is no final one in its place.
    const forged = Buffer.from(bytes);
    forged.writeUInt8(16, forged.length - 17);
    expect(() => sealed.openChunks(forged)).toThrow();
  });

  it("tells of a failure before and after its first event", async () => {
    const { bytes, sealed } = await stream(says("a"), frame([], { error: { message: "x" } }));
    const events = sealed.openChunks(bytes);
    expect(events.at(-1)).toContain("upstream.failedMidway");
    expect(events.join()).not.toContain("[DONE]");
    bed.upstream.handler = (response) => void response.writeHead(500).end();
    const other = sealRequest(key, JSON.stringify({ ...QUESTION, stream: true }));
    const response = await send(other.bytes);
    expect(response.status).toBe(200);
    const [only, ...more] = other.openChunks(new Uint8Array(await response.arrayBuffer()));
    const { error } = JSON.parse((only ?? "").slice("data: ".length));
    // So that a client of a stream knows, too, whether another node may be asked.
    expect(error).toMatchObject({ code: "upstream.failed", status: 502 });
    expect(more).toEqual([]);
    expect(bed.results).toEqual([]);
  });
});

describe("OhttpKeys", () => {
  it("opens with the key before for as long as the settings say, and then no longer", async () => {
    let now = 1_000;
    const keys = await OhttpKeys.make({ overlapMs: 500, clock: () => now });
    const first = keys.current;
    const second = await keys.rotate(first.keyId);
    expect(second.keyId).toBe(2);
    expect(second.publicKey).not.toBe(first.publicKey);
    // Asked again, because the answer was lost.
    expect(await keys.rotate(first.keyId)).toBe(second);
    expect(keys.current).toBe(second);
    now = 1_499;
    expect(keys.find(1)).toBeDefined();
    now = 1_500;
    expect(keys.find(1)).toBeUndefined();
    expect(keys.find(2)).toBeDefined();
    expect(keys.find(3)).toBeUndefined();
  });

  it("makes one key of several requests for the next, and gives no id twice that is still good", async () => {
    let now = 0;
    const keys = await OhttpKeys.make({ overlapMs: 10, clock: () => now });
    const [one, two] = await Promise.all([keys.rotate(1), keys.rotate(1)]);
    expect(one).toBe(two);
    for (let id = 2; id < 255; id += 1) await keys.rotate(id);
    expect(keys.current.keyId).toBe(255);
    await expect(keys.rotate(255)).rejects.toMatchObject({ code: "ohttp.noKeyId" });
    now = 10;
    expect((await keys.rotate(255)).keyId).toBe(1);
  });
});

describe("after a rotation", () => {
  it("requests to either key are answered", async () => {
    const before = key;
    const { operatorUrl } = bed.gateway;
    const response = await fetch(`${operatorUrl}/enclave/ohttp-key/next`, {
      ...{ method: "POST", body: JSON.stringify({ keyId: before.keyId }) },
    });
    expect(await response.json()).toMatchObject({ keyId: before.keyId + 1 });
    key = await configKey();
    expect(key.keyId).toBe(before.keyId + 1);
    expect(await ask(QUESTION)).toMatchObject({ model: ANSWER.model });
    const old = sealRequest(before, JSON.stringify(QUESTION));
    const answer = await send(old.bytes);
    expect(JSON.parse(old.open(new Uint8Array(await answer.arrayBuffer())))).toMatchObject({
      model: ANSWER.model,
    });
    // The id of one and the key of the other.
    expect(await outcome(sealRequest({ ...key, keyId: before.keyId }, "{}").bytes)).toEqual(
      MALFORMED,
    );
  });
});

it("no more requests are remembered than there is room for, the oldest least", () => {
  const seen = new SeenRequests(2);
  const [a, b, c] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
  for (const one of [a, b]) expect(seen.add(one ?? new Uint8Array())).toBe(true);
  expect(seen.add(a ?? new Uint8Array())).toBe(false);
  expect(seen.add(c ?? new Uint8Array())).toBe(true);
  expect(seen.add(b ?? new Uint8Array())).toBe(false);
  expect(seen.add(a ?? new Uint8Array())).toBe(true);
});

it("varint writes RFC 9000's lengths", () => {
  for (const [value, hex] of [
    ...[
      [0, "00"],
      [37, "25"],
      [63, "3f"],
      [64, "4040"],
      [15_293, "7bbd"],
      [16_383, "7fff"],
    ],
    ...[
      [16_384, "80004000"],
      [494_878_333, "9d7f3e7d"],
    ],
  ] as const) {
    expect(Buffer.from(varint(Number(value))).toString("hex")).toBe(hex);
  }
  expect(() => varint(2 ** 30)).toThrow(RangeError);
});
