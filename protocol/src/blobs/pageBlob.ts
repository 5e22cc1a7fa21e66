import { concat, dataLength, dataSlice, keccak256, type TypedDataDomain } from "ethers";
import { z } from "zod";
import { hashResult, type InferenceResult } from "../inferenceResult.ts";
import { encodeRequestId } from "../requestId.ts";
import {
  buildResultPage,
  nonceOfPlace,
  PAGE_SIZE,
  type ResultPageTree,
  resultLeaf,
  resultPageRoot,
} from "../resultPage.ts";
import { BlobError } from "./blobError.ts";
import type { BlobCheck } from "./blobStore.ts";

/** A result in a page; its request id follows from node, page and place. */
export type PageResult = Omit<InferenceResult, "requestId"> & {
  /** place in the page, 0 to 255 */
  index: number;
  /** bytes as hex */
  signature: string;
  /**
   * packed input words, then packed output words, 32 bytes each, as hex: of a result whose proof can be demanded, so that
   * anybody can run the model again. No part of the leaf: whether they are those of the result, `wordsOf` says
   */
  words?: string;
};

/** What a page's blob holds: everything that its leaves are made of, but the domain of the contract. */
export type ResultPage = {
  node: string;
  /** number of the page: its nonces are `256 * page + index` */
  page: bigint;
  /** by rising index */
  results: readonly PageResult[];
};

/** A page with the tree over it. */
export type CheckedPage = ResultPage & {
  tree: ResultPageTree;
  root: string;
  /** bit i is set where leaf i is a result */
  bitmap: bigint;
};

/** Signatures of today's keys have 65 to 512 bytes; a certified session key's brings a little more. */
const MAXIMUM_SIGNATURE_DIGITS = 2 * 1_024;
/** 256 results with the longest signatures. */
export const MAXIMUM_PAGE_BYTES = 1_048_576;

const FORMAT = "haca.page/1";
const WORD_BYTES = 32;
const word = z.string().regex(/^0x[0-9a-f]{64}$/, "must be 0x and 64 lower-case hex digits");
const address = z.string().regex(/^0x[0-9a-f]{40}$/, "must be 0x and 40 lower-case hex digits");
const uint = (bits: number) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,77})$/, "must be a decimal number")
    .transform(BigInt)
    .refine((value) => value < 1n << BigInt(bits), `must be below 2^${bits}`);
const pageSchema = z.strictObject({
  format: z.literal(FORMAT),
  node: address,
  page: uint(88),
  results: z
    .array(
      z.strictObject({
        index: z
          .int()
          .min(0)
          .max(PAGE_SIZE - 1),
        modelVersion: word,
        inputHash: word,
        outputHash: word,
        requester: address,
        price: uint(256),
        timestamp: uint(64),
        teeId: word,
        signature: z
          .string()
          .regex(/^0x([0-9a-f]{2})+$/, "must be 0x and lower-case hex digits, two a byte")
          .max(2 + MAXIMUM_SIGNATURE_DIGITS),
        words: z
          .string()
          .regex(/^0x([0-9a-f]{64})+$/, "must be 0x and 64 lower-case hex digits a word")
          .optional(),
      }),
    )
    .min(1)
    .max(PAGE_SIZE),
});

/**
 * The blob of a page: one line of JSON with its fields in a fixed order, so that a page has one blob and one id.
 * Error: `blob.malformed` naming the field.
 */
export function encodePageBlob(page: ResultPage): Uint8Array {
  const text = textOf(page);
  parse(text);
  return new TextEncoder().encode(text);
}

/** How many of a page's results, from the first on, fit into a blob of `MAXIMUM_PAGE_BYTES`. */
export function countFitting(page: ResultPage): number {
  let bytes = textOf({ ...page, results: [] }).length;
  for (const [place, result] of page.results.entries()) {
    // One character is one byte; all but the first come after a comma.
    bytes += JSON.stringify(fieldsOf(result)).length + Math.min(place, 1);
    if (bytes > MAXIMUM_PAGE_BYTES) return place;
  }
  return page.results.length;
}

const textOf = ({ node, page, results }: ResultPage): string =>
  JSON.stringify({
    ...{ format: FORMAT, node: node.toLowerCase(), page: page.toString() },
    results: results.map(fieldsOf),
  });

/** In the order in which a blob has them. */
const fieldsOf = (result: PageResult) => ({
  index: result.index,
  modelVersion: result.modelVersion.toLowerCase(),
  inputHash: result.inputHash.toLowerCase(),
  outputHash: result.outputHash.toLowerCase(),
  requester: result.requester.toLowerCase(),
  price: result.price.toString(),
  timestamp: result.timestamp.toString(),
  teeId: result.teeId.toLowerCase(),
  signature: result.signature.toLowerCase(),
  ...(result.words === undefined ? {} : { words: result.words.toLowerCase() }),
});

/**
 * Reads a page's blob. What could be written in two ways is refused in all but one.
 * Error: `blob.malformed` naming the field.
 */
export function decodePageBlob(bytes: Uint8Array): ResultPage {
  if (bytes.length > MAXIMUM_PAGE_BYTES) {
    throw malformed(`a page has at most ${MAXIMUM_PAGE_BYTES} bytes, got ${bytes.length}`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed("the blob is no UTF-8 text", cause);
  }
  const page = parse(text);
  if (!Buffer.from(encodePageBlob(page)).equals(bytes)) {
    throw malformed(
      "the blob is not written as a page's blob is: spaces, or another order of fields",
    );
  }
  return page;
}

/** Computes the tree over a page, with the domain of the contract that settles it. */
export function checkPage(parameters: { page: ResultPage; domain: TypedDataDomain }): CheckedPage {
  const { page, domain } = parameters;
  const leaves = new Map<number, string>();
  let bitmap = 0n;
  for (const { index, signature, words: _, ...result } of page.results) {
    const nonce = nonceOfPlace({ page: page.page, index });
    const requestId = encodeRequestId({ node: page.node, nonce });
    const digest = hashResult({ domain, result: { ...result, requestId } });
    leaves.set(index, resultLeaf({ digest, signature }));
    bitmap |= 1n << BigInt(index);
  }
  const tree = buildResultPage(leaves);
  return { ...page, tree, root: resultPageRoot(tree), bitmap };
}

/** The words of a result by its hashes; nothing where the blob has none, or others. */
export function wordsOf(
  result: Pick<PageResult, "inputHash" | "outputHash" | "words">,
): { input: bigint[]; output: bigint[] } | undefined {
  const { inputHash, outputHash, words = "0x" } = result;
  const all = Array.from({ length: dataLength(words) / WORD_BYTES }, (_, i) =>
    dataSlice(words, WORD_BYTES * i, WORD_BYTES * (i + 1)),
  );
  const isThere = (count: number) =>
    keccak256(concat(all.slice(0, count))) === inputHash &&
    keccak256(concat(all.slice(count))) === outputHash;
  const count = all.findIndex((_, i) => i > 0 && isThere(i));
  if (count === -1) return undefined;
  const values = all.map(BigInt);
  return { input: values.slice(0, count), output: values.slice(count) };
}

/**
 * The check of a page's blob by what was proposed. The root decides about every leaf; of the bitmap, which says what is
 * judged, no bit may be without a result.
 */
export function withPageRoot(expected: {
  domain: TypedDataDomain;
  root: string;
  node: string;
  page: bigint;
  /** what the contract stored; all results of the page where it is left out */
  bitmap?: bigint;
}): BlobCheck<CheckedPage> {
  return (bytes) => {
    const page = checkPage({ page: decodePageBlob(bytes), domain: expected.domain });
    const { root, node, bitmap = page.bitmap } = expected;
    const differences = [
      ...(page.node === node.toLowerCase() ? [] : [`node ${page.node}, expected ${node}`]),
      ...(page.page === expected.page ? [] : [`page ${page.page}, expected ${expected.page}`]),
      ...(page.root === root.toLowerCase() ? [] : [`root ${page.root}, expected ${root}`]),
      ...((bitmap & ~page.bitmap) === 0n ? [] : ["no result for a bit that is set"]),
    ];
    if (differences.length === 0) return page;
    throw new BlobError({
      code: "blob.otherContent",
      message: `the blob has ${differences.join("; ")}`,
    });
  };
}

function parse(text: string): ResultPage {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw malformed("the blob is no JSON", cause);
  }
  const parsed = pageSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join(".") || "blob"}: ${issue?.message}`);
  }
  const { node, page } = parsed.data;
  const results = parsed.data.results.map(({ words, ...rest }) =>
    words === undefined ? rest : { ...rest, words },
  );
  const disordered = results.findIndex(
    ({ index }, i) => i > 0 && index <= (results[i - 1]?.index ?? -1),
  );
  if (disordered !== -1) throw malformed(`results.${disordered}.index: must rise`);
  return { node, page, results };
}

const malformed = (message: string, cause?: unknown): BlobError =>
  new BlobError({ code: "blob.malformed", message, cause });
