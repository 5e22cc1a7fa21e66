import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hexlify, randomBytes, sha256 } from "ethers";
import { describe, expect, it } from "vitest";
import {
  decodeLegacyBlob,
  encodeLegacyBlob,
  legacyRoot,
  MAXIMUM_LEGACY_BATCH,
  withLegacyRoot,
} from "../../src/blobs/legacyBlob.ts";
import { hashLegacyLeaf, type LegacyLeaf, legacyMessageHash } from "../../src/legacySettlement.ts";
import { buildMerkleTree, isMerkleProof, merkleProof, merkleRoot } from "../../src/merkleTree.ts";
import { catchError } from "../catchError.ts";

const word = (i: number): string => `0x${i.toString(16).padStart(64, "0")}`;
const resultOf = (i: number): LegacyLeaf => ({
  teeId: word(1),
  inputHash: word(100 + i),
  outputHash: word(200 + i),
  teeSignature: `0x${(i % 256).toString(16).padStart(2, "0").repeat(256)}`,
  timestamp: 1_700_000_000n + BigInt(i),
});
const results = (count: number) => Array.from({ length: count }, (_, i) => resultOf(i));

// biome-ignore lint/suspicious/noExplicitAny: a blob that is taken apart to be falsified
type Blob = { format: string; leafEncoding: string[]; tree: string[]; values: any[] };
const bytesOf = (blob: unknown) => new TextEncoder().encode(JSON.stringify(blob));
const blobOf = (count: number): Blob =>
  JSON.parse(new TextDecoder().decode(encodeLegacyBlob(results(count))));
function falsified(count: number, change: (blob: Blob) => void): Uint8Array {
  const blob = blobOf(count);
  change(blob);
  return bytesOf(blob);
}

describe("the legacy blob", () => {
  it.each([1, 2, 3, 20, 33])("of %i results reads back as they were, each proved", (count) => {
    const list = results(count);
    const bytes = encodeLegacyBlob(list);
    const batch = decodeLegacyBlob(bytes);
    expect(batch).toEqual({ results: list, root: legacyRoot(list) });
    const { tree: nodes, values } = blobOf(count);
    const tree = { nodes, places: values.map(({ treeIndex }) => treeIndex) };
    list.forEach((leaf, index) => {
      const proof = merkleProof({ tree, index });
      expect(isMerkleProof({ proof, root: batch.root, leafHash: hashLegacyLeaf(leaf) })).toBe(true);
    });
  });

  it("has a known form", () => {
    expect(legacyRoot(results(5))).toMatchInlineSnapshot(
      `"0xc74fcc946e00b3675567f6d4de7cd3afe14cc4b0198d28f0ec005e5a26733c92"`,
    );
    expect(sha256(encodeLegacyBlob(results(5)))).toMatchInlineSnapshot(
      `"0xe39ad8080b6586cf50351a79bcf33d06510127fe6a0e2784febd743b9d62c87e"`,
    );
    expect(Object.keys(blobOf(1))).toEqual(["format", "leafEncoding", "tree", "values"]);
  });

  it("may have its values in any order, the same result twice, hashes without 0x", () => {
    const twice = [resultOf(1), resultOf(2), resultOf(1)];
    expect(decodeLegacyBlob(encodeLegacyBlob(twice)).results).toEqual(twice);
    const reversed = falsified(5, (blob) => blob.values.reverse());
    expect(decodeLegacyBlob(reversed).root).toBe(legacyRoot(results(5)));
    const bare = falsified(2, (blob) => {
      for (const entry of blob.values) {
        for (const i of [0, 1, 2]) entry.value[i] = entry.value[i].slice(2).toUpperCase();
      }
    });
    expect(decodeLegacyBlob(bare).results).toEqual(results(2));
  });

  it.each<[string, Uint8Array]>([
    ["no JSON", new Uint8Array([0xff])],
    ["no JSON", new TextEncoder().encode('{"format":"standard-v1"')],
    ["format", falsified(2, (blob) => (blob.format = "standard-v2"))],
    ["leafEncoding", falsified(2, (blob) => blob.leafEncoding.reverse())],
    ["tree", falsified(2, (blob) => blob.tree.pop())],
    ["node 0 is not", falsified(3, (blob) => (blob.tree[0] = word(7)))],
    [
      "node 1 is not",
      falsified(3, ({ tree }) => {
        tree[1] = word(7);
        tree[0] = merkleRoot(buildMerkleTree([word(7), tree[2] ?? ""]));
      }),
    ],
    ["values.0: is not the leaf", falsified(3, (blob) => (blob.values[0].value[1] = word(7)))],
    ["values.1: is not the leaf", falsified(3, (blob) => (blob.values[1].treeIndex = 0))],
    ["values.1: is not the leaf", falsified(3, (blob) => (blob.values[1].treeIndex = 99))],
    ["values.1: place", falsified(3, (blob) => (blob.values[1] = blob.values[0]))],
    ["values.0.value.4", falsified(1, (blob) => (blob.values[0].value[4] = "0x10"))],
    ["values.0.value.4", falsified(1, (blob) => (blob.values[0].value[4] = `9${"0".repeat(77)}`))],
    ["values.0.value.3", falsified(1, (blob) => (blob.values[0].value[3] = "0xabc"))],
    ["values.0.value.0", falsified(1, (blob) => (blob.values[0].value[0] = "0x12"))],
    ["values", falsified(1, (blob) => blob.values.pop())],
  ])("is refused, naming what is wrong: %s", (text, bytes) => {
    const error = catchError(() => decodeLegacyBlob(bytes));
    expect(error.code).toBe("blob.malformed");
    expect(error.message).toContain(text);
  });

  it("hides no leaf: a tree with more leaves than values is refused", () => {
    const hiding = falsified(4, (blob) => blob.values.pop());
    expect(catchError(() => decodeLegacyBlob(hiding)).message).toContain("7 nodes");
    const padded = falsified(4, (blob) => (blob.values[3] = blob.values[2]));
    expect(catchError(() => decodeLegacyBlob(padded)).message).toContain("taken twice");
  });

  it("is compared with the root and the size that were posted", () => {
    const bytes = encodeLegacyBlob(results(3));
    const root = legacyRoot(results(3));
    expect(
      withLegacyRoot({ root: root.toUpperCase().replace("0X", "0x"), size: 3 })(bytes).root,
    ).toBe(root);
    for (const expected of [{ root: word(1) }, { root, size: 4 }]) {
      expect(catchError(() => withLegacyRoot(expected)(bytes)).code).toBe("blob.otherContent");
    }
  });

  it("is not made of nothing, nor of too much", () => {
    expect(catchError(() => encodeLegacyBlob([])).code).toBe("blob.malformed");
    const many = new Array(MAXIMUM_LEGACY_BATCH + 1).fill(resultOf(0));
    expect(catchError(() => legacyRoot(many)).message).toContain("1 to 4096");
  });

  it("is refused wherever a byte of a value changes", () => {
    const list = Array.from({ length: 8 }, (_, i) => ({
      ...resultOf(i),
      teeSignature: hexlify(randomBytes(256)),
    }));
    const text = new TextDecoder().decode(encodeLegacyBlob(list));
    const digits = [...text.matchAll(/(?<=[0-9a-f]{8})[0-9a-f]/g)].map(({ index }) => index);
    for (let i = 0; i < digits.length; i += 97) {
      const at = digits[i] ?? 0;
      const other = text[at] === "1" ? "2" : "1";
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      expect(catchError(() => decodeLegacyBlob(new TextEncoder().encode(changed))).code).toBe(
        "blob.malformed",
      );
    }
  });
});

const FIXTURES =
  process.env.HACA_FIXTURES ?? join(import.meta.dirname, "../../../../shared/fixtures");
const VECTORS = join(FIXTURES, "legacy", "vectors.json");

describe("messages of the public network's enclaves", () => {
  it.skipIf(!existsSync(VECTORS))(
    "hash as theirs (skipped where HACA_FIXTURES has no legacy/vectors.json)",
    () => {
      const { _message: vector } = JSON.parse(readFileSync(VECTORS, "utf8"));
      expect(
        legacyMessageHash({
          inputHash: `0x${vector.input_hash}`,
          outputHash: `0x${vector.output_hash}`,
          timestamp: BigInt(vector.timestamp),
        }),
      ).toBe(`0x${vector.message}`);
    },
  );
});
