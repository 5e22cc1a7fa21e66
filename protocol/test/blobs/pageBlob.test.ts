import { concat, keccak256, sha256, toBeHex, toUtf8Bytes } from "ethers";
import { describe, expect, it } from "vitest";
import {
  checkPage,
  countFitting,
  decodePageBlob,
  encodePageBlob,
  MAXIMUM_PAGE_BYTES,
  type PageResult,
  type ResultPage,
  withPageRoot,
  wordsOf,
} from "../../src/blobs/pageBlob.ts";
import { hashResult, settlementDomain } from "../../src/inferenceResult.ts";
import { encodeRequestId } from "../../src/requestId.ts";
import { resultLeaf, resultPageProof, verifyResultPageProof } from "../../src/resultPage.ts";
import { catchError } from "../catchError.ts";

const NODE = `0x${"a1".repeat(20)}`;
const domain = settlementDomain({ chainId: 31337n, settlement: `0x${"c0".repeat(20)}` });
const word = (text: string): string => keccak256(toUtf8Bytes(text));
const resultOf = (index: number): PageResult => ({
  index,
  modelVersion: word("version"),
  inputHash: word(`input ${index}`),
  outputHash: word(`output ${index}`),
  requester: `0x${"00".repeat(20)}`,
  price: BigInt(index) * 10n ** 18n,
  timestamp: 1_700_000_000n + BigInt(index),
  teeId: word("tee"),
  signature: `0x${"5a".repeat(256)}`,
});
const pageOf = (...places: number[]): ResultPage => ({
  node: NODE,
  page: 3n,
  results: places.map(resultOf),
});
const ALL = Array.from({ length: 256 }, (_, i) => i);

// biome-ignore lint/suspicious/noExplicitAny: a blob that is taken apart to be falsified
type Blob = any;
function falsified(change: (blob: Blob) => void): Uint8Array {
  const blob = JSON.parse(new TextDecoder().decode(encodePageBlob(pageOf(0, 7, 255))));
  change(blob);
  return new TextEncoder().encode(JSON.stringify(blob));
}

describe("a page's blob", () => {
  it.each([[[0]], [[0, 7, 255]], [ALL]])("reads back as it was: places %j", (places) => {
    const page = pageOf(...places);
    expect(decodePageBlob(encodePageBlob(page))).toEqual(page);
  });

  it("has the longest signatures and all places below its limit", () => {
    const signature = `0x${"ff".repeat(1024)}`;
    const page = { ...pageOf(), results: ALL.map((i) => ({ ...resultOf(i), signature })) };
    const { length } = encodePageBlob(page);
    expect(length).toBeLessThan(MAXIMUM_PAGE_BYTES);
    expect(length).toBeGreaterThan(MAXIMUM_PAGE_BYTES / 2);
  });

  it.each([1, 3, 256])("counts to the byte how many of %i results fit", (count) => {
    const [last, ...others] = ALL.slice(0, count).map(resultOf).reverse() as [PageResult];
    const withDigits = (digits: number): ResultPage => {
      const words = `0x${"1".repeat(digits)}`;
      return { ...pageOf(), results: [{ ...last, words }, ...others].reverse() };
    };
    const room = MAXIMUM_PAGE_BYTES - (encodePageBlob(withDigits(64)).length - 64);
    expect(countFitting(withDigits(room))).toBe(count);
    expect(countFitting(withDigits(room + 1))).toBe(count - 1);
  });

  it("carries words, which are no part of a leaf", () => {
    const words = concat([1n, 2n, 3n].map((value) => toBeHex(value, 32)));
    const [first] = pageOf(7).results;
    const page = { ...pageOf(7), results: [{ ...(first as PageResult), words }] };
    expect(decodePageBlob(encodePageBlob(page))).toEqual(page);
    expect(checkPage({ page, domain }).root).toBe(checkPage({ page: pageOf(7), domain }).root);
    const bytes = new TextDecoder().decode(encodePageBlob(page)).replace(words, `${words}00`);
    expect(catchError(() => decodePageBlob(new TextEncoder().encode(bytes)))).toMatchObject({
      message: expect.stringContaining("results.0.words"),
    });
  });

  it("knows words by the hashes of a result, and no others", () => {
    const values = [1n, 2n, 3n].map((value) => toBeHex(value, 32));
    const words = concat(values);
    const result = {
      inputHash: keccak256(concat(values.slice(0, 2))),
      outputHash: keccak256(values[2] as string),
    };
    expect(wordsOf({ ...result, words })).toEqual({ input: [1n, 2n], output: [3n] });
    expect(wordsOf(result)).toBeUndefined();
    expect(wordsOf({ ...result, words: concat([...values, toBeHex(4n, 32)]) })).toBeUndefined();
    expect(wordsOf({ ...result, words: concat(values.toReversed()) })).toBeUndefined();
  });

  it("has a known form and root", () => {
    const page = pageOf(0, 7, 255);
    expect(sha256(encodePageBlob(page))).toMatchInlineSnapshot(
      `"0xa5dabbc42fce5e7214e7769e0bb72f405a8481bce7d678cb15ff606791e7f9c3"`,
    );
    expect(checkPage({ page, domain }).root).toMatchInlineSnapshot(
      `"0x8103b923f815f9fa24802f816acd2d79d14dbcac28856acb31d52843bc7dc0db"`,
    );
  });

  it("has for each result the leaf of its request, and no other", () => {
    const checked = checkPage({ page: pageOf(0, 7, 255), domain });
    expect(checked.bitmap).toBe(1n | (1n << 7n) | (1n << 255n));
    const { index, signature, ...result } = resultOf(7);
    const requestId = encodeRequestId({ node: NODE, nonce: 3n * 256n + 7n });
    const leaf = resultLeaf({
      digest: hashResult({ domain, result: { ...result, requestId } }),
      signature,
    });
    const proof = resultPageProof({ tree: checked.tree, index });
    expect(verifyResultPageProof({ root: checked.root, leaf, index, proof })).toBe(true);
  });

  it("is compared with what was proposed", () => {
    const bytes = encodePageBlob(pageOf(0, 7, 255));
    const { root, bitmap } = checkPage({ page: pageOf(0, 7, 255), domain });
    const expected = {
      domain,
      root,
      bitmap,
      node: NODE.toUpperCase().replace("0X", "0x"),
      page: 3n,
    };
    expect(withPageRoot(expected)(bytes).root).toBe(root);
    // The ledger held some: what is judged is less than what is shown.
    expect(withPageRoot({ ...expected, bitmap: 1n })(bytes).root).toBe(root);
    const other = settlementDomain({ chainId: 1n, settlement: `0x${"c0".repeat(20)}` });
    const wrong = [
      [{ root: word("other") }, "root"],
      [{ domain: other }, "root"],
      [{ node: `0x${"a2".repeat(20)}` }, "node"],
      [{ page: 4n }, "page"],
      [{ bitmap: bitmap | 2n }, "bit"],
    ] as const;
    for (const [change, text] of wrong) {
      const error = catchError(() => withPageRoot({ ...expected, ...change })(bytes));
      expect(error.code).toBe("blob.otherContent");
      expect(error.message).toContain(text);
    }
  });

  it("changes its root with every field of a result", () => {
    const { root } = checkPage({ page: pageOf(7), domain });
    const changes: Partial<PageResult>[] = [
      { index: 8 },
      { modelVersion: word("x") },
      { inputHash: word("x") },
      { outputHash: word("x") },
      { requester: NODE },
      { price: 1n },
      { timestamp: 1n },
      { teeId: word("x") },
      { signature: "0x5a" },
    ];
    expect(changes.map((change) => Object.keys(change)[0]).sort()).toEqual(
      Object.keys(resultOf(7)).sort(),
    );
    for (const change of changes) {
      const page = { ...pageOf(), results: [{ ...resultOf(7), ...change }] };
      expect(checkPage({ page, domain }).root).not.toBe(root);
    }
  });

  it.each<[string, Uint8Array]>([
    ["no UTF-8", new Uint8Array([0xff])],
    ["no JSON", new TextEncoder().encode("{")],
    ["at most", new Uint8Array(MAXIMUM_PAGE_BYTES + 1)],
    [
      "not written as",
      new TextEncoder().encode(`${new TextDecoder().decode(falsified(() => 0))}\n`),
    ],
    [
      "not written as",
      falsified((blob) => {
        const { node } = blob;
        delete blob.node;
        blob.node = node;
      }),
    ],
    ["format", falsified((blob) => (blob.format = "haca.page/2"))],
    ["node", falsified((blob) => (blob.node = NODE.toUpperCase()))],
    ["page", falsified((blob) => (blob.page = "03"))],
    ["page", falsified((blob) => (blob.page = String(1n << 88n)))],
    ["Unrecognized", falsified((blob) => (blob.more = 1))],
    ["results.1.index: must rise", falsified((blob) => (blob.results[1].index = 0))],
    ["results.2.index", falsified((blob) => (blob.results[2].index = 256))],
    ["results.0.signature", falsified((blob) => (blob.results[0].signature = "0x"))],
    [
      "results.0.signature",
      falsified((blob) => (blob.results[0].signature = `0x${"00".repeat(1025)}`)),
    ],
    ["results.0.timestamp", falsified((blob) => (blob.results[0].timestamp = String(1n << 64n)))],
    ["results.0.price", falsified((blob) => (blob.results[0].price = 5))],
    ["results.0", falsified((blob) => delete blob.results[0].teeId)],
    ["results", falsified((blob) => (blob.results = []))],
  ])("is refused, naming what is wrong: %s", (text, bytes) => {
    const error = catchError(() => decodePageBlob(bytes));
    expect(error.code).toBe("blob.malformed");
    expect(error.message).toContain(text);
  });

  it("is not written where it could not be read", () => {
    const page = { ...pageOf(), results: [resultOf(3), resultOf(2)] };
    expect(catchError(() => encodePageBlob(page)).message).toContain("must rise");
  });
});
