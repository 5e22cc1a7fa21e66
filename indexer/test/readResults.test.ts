import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { blobIdToWord, contentId } from "@haca/protocol/blobs/blobId";
import { checkPage, encodePageBlob, MAXIMUM_PAGE_BYTES } from "@haca/protocol/blobs/pageBlob";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createResultReader } from "../src/pages/readResults.ts";

const domain = settlementDomain({ chainId: 31337n, settlement: `0x${"5e".repeat(20)}` });
const word = (byte: string) => `0x${byte.repeat(32)}`;
const result = (index: number) => ({
  ...{ index, modelVersion: word("01"), inputHash: word("02"), outputHash: word("03") },
  ...{ requester: `0x${"04".repeat(20)}`, price: 2n ** 256n - 1n, timestamp: 2n ** 64n - 1n },
  ...{ teeId: word("05"), signature: `0x${"06".repeat(65)}` },
});
const content = { node: `0x${"07".repeat(20)}`, page: 9n, results: [0, 3, 255].map(result) };
const { root, bitmap } = checkPage({ page: content, domain });
const blob = encodePageBlob(content);
const page = {
  ...{ nodeAddress: content.node, number: 9n, bitmap, proved: 0n, root },
  blobId: blobIdToWord(contentId(blob)),
};

let server: Server;
let answer: RequestListener;
let requests = 0;
let clock = 0;

beforeEach(async () => {
  requests = 0;
  clock = 0;
  server = createServer((incoming, outgoing) => {
    requests += 1;
    answer(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const reader = () =>
  createResultReader({
    aggregator: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ domain, now: () => clock },
  });
const answering =
  (body: Uint8Array | string): RequestListener =>
  (_, outgoing) =>
    outgoing.end(body);

test("what the root says is read; a result that the page does not take is not", async () => {
  answer = answering(blob);
  const read = await reader()(page);
  expect(read).toEqual({ blob: "read", blobError: null, results: content.results });
  const taken = bitmap & ~(1n << 3n);
  const some = await reader()({ ...page, bitmap: taken });
  expect(await reader()({ ...page, proved: 1n << 3n })).toEqual(some);
  expect(some).toMatchObject({ blob: "read", results: [{ index: 0 }, { index: 255 }] });
});

const text = Buffer.from(blob).toString();
test.each([
  ["another result", text.replace("03".repeat(32), "08".repeat(32)), "blob.otherContent"],
  ["another signature", text.replace("06".repeat(65), "07".repeat(65)), "blob.otherContent"],
  ["another node", text.replace("07".repeat(20), "0a".repeat(20)), "blob.otherContent"],
  ["another page", text.replace('"page":"9"', '"page":"8"'), "blob.otherContent"],
  ["a page of spaces", `${text} `, "blob.malformed"],
  ["half of it", text.slice(0, text.length / 2), "blob.malformed"],
  ["nothing", "", "blob.malformed"],
  ["bytes that are no text", Uint8Array.of(0xff, 0xfe), "blob.malformed"],
  [
    "numbers without end",
    text.replace('"price":"1', `"price":"${"1".repeat(1000)}`),
    "blob.malformed",
  ],
  ["deep JSON", "[".repeat(100_000), "blob.malformed"],
  ["too much", "1".repeat(MAXIMUM_PAGE_BYTES + 1), "blob.tooLarge"],
] as const)("a store that answers %s is not believed", async (_, body, code) => {
  answer = answering(body);
  expect(await reader()(page)).toEqual({ blob: "wrong", blobError: code });
});

test("a page that takes a request without a result is wrong", async () => {
  answer = answering(blob);
  const read = await reader()({ ...page, bitmap: bitmap | 2n });
  expect(read).toEqual({ blob: "wrong", blobError: "blob.otherContent" });
});

test("a blob that the store does not have is missing, and asked for again", async () => {
  answer = (_, outgoing) => outgoing.writeHead(404).end();
  const read = reader();
  expect(await read(page)).toEqual({ blob: "missing", blobError: "blob.notFound" });
  answer = answering(blob);
  expect(await read(page)).toMatchObject({ blob: "read" });
});

test.each([
  [
    "answers 503",
    "blob.serverFailed",
    (_: unknown, outgoing: Parameters<RequestListener>[1]) => outgoing.writeHead(503).end(),
  ],
  [
    "closes the connection",
    "blob.unreachable",
    (incoming: Parameters<RequestListener>[0]) => incoming.socket.destroy(),
  ],
] as const)("a store that %s is left alone for a while", async (_, code, behaviour) => {
  answer = behaviour as RequestListener;
  const read = reader();
  expect(await read(page)).toEqual({ blob: "missing", blobError: code });
  answer = answering(blob);
  const asked = requests;
  clock = 29_999;
  expect(await read(page)).toEqual({ blob: "missing", blobError: code });
  expect(requests).toBe(asked);
  clock = 30_000;
  expect(await read(page)).toMatchObject({ blob: "read" });
});

test("without a store nothing is read, and nothing is said to be missing", async () => {
  const read = createResultReader({ aggregator: undefined, domain });
  expect(await read(page)).toEqual({ blob: "unread", blobError: null });
});
