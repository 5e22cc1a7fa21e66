import { AbiCoder, concat, keccak256 } from "ethers";
import { expect, it } from "vitest";
import { airdropLeaf, airdropProof, airdropRoot, buildAirdropTree } from "../src/airdropTree.ts";

const entries = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    account: `0x${(i + 1).toString(16).padStart(40, "0")}`,
    amount: BigInt(i + 1) * 10n ** 18n,
  }));

/** OpenZeppelin's verification, written out. */
const climb = (leaf: string, proof: readonly string[]): string =>
  proof.reduce((hash, other) => keccak256(concat([hash, other].sort())), leaf);

it("hashes a leaf like OpenZeppelin's standard tree", () => {
  const [entry] = entries(1);
  if (entry === undefined) throw new Error("no entry");
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["uint256", "address", "uint256"],
    [7, entry.account, entry.amount],
  );
  expect(airdropLeaf({ index: 7, ...entry })).toBe(keccak256(keccak256(encoded)));
});

it.each([1, 2, 3, 4, 5, 31, 32, 33, 100])("proves every entry of %i", (count) => {
  const list = entries(count);
  const tree = buildAirdropTree(list);
  list.forEach((entry, index) => {
    const leaf = airdropLeaf({ index, ...entry });
    expect(climb(leaf, airdropProof({ tree, index }))).toBe(airdropRoot(tree));
  });
});

it("refuses an empty list and an index beyond the end", () => {
  expect(() => buildAirdropTree([])).toThrow("at least one entry");
  const tree = buildAirdropTree(entries(3));
  expect(() => airdropProof({ tree, index: 3 })).toThrow("which has 3 entries");
});

const LARGE = process.env.HACA_DEEP === "1" ? 100_000 : 5_000;

it(`builds ${LARGE} entries`, { timeout: 120_000 }, () => {
  const tree = buildAirdropTree(entries(LARGE));
  expect(tree.nodes).toHaveLength(2 * LARGE - 1);
});
