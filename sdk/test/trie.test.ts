import { concat, encodeRlp, id, keccak256, toBeHex } from "ethers";
import { describe, expect, it } from "vitest";
import { toBytes, toHex } from "../src/bytes.ts";
import { decodeRlp, isList } from "../src/witness/rlp.ts";
import { valueInTrie } from "../src/witness/trie.ts";

type Item = string | Item[];

const KEY = id("key");
const PATH = keccak256(KEY).slice(2);
const VALUE = `0x${"ab".repeat(40)}`;
const SOME_HASH = id("some node");
const nibble = (depth: number): number => Number.parseInt(PATH[depth] ?? "", 16);

/** Nibbles with their flags: 2 of a leaf, 0 of an extension, and 1 more where their number is odd. */
function path(nibbles: string, flag: number): string {
  const isOdd = nibbles.length % 2 === 1;
  return `0x${(flag + (isOdd ? 1 : 0)).toString(16)}${isOdd ? "" : "0"}${nibbles}`;
}
const leaf = (nibbles: string, value = VALUE): Item[] => [path(nibbles, 2), value];
function branch(children: Readonly<Record<number, Item>>, value = "0x"): Item[] {
  return [...Array.from({ length: 16 }, (_, place) => children[place] ?? "0x"), value];
}
const other = (depth: number): number => nibble(depth) ^ 1;

/** Looks the key up in nodes of which the first is the root; each node refers to the next one by `NEXT`. */
const NEXT = "next";
function look(...nodes: readonly Item[]): string | undefined {
  const stored = new Map<string, string>();
  let hash = "";
  for (const node of nodes.toReversed()) {
    const put = (item: Item): Item =>
      Array.isArray(item) ? item.map(put) : item === NEXT ? hash : item;
    const bytes = encodeRlp(put(node));
    hash = keccak256(bytes);
    stored.set(hash, bytes);
  }
  const found = valueInTrie(hash, toBytes(KEY), (wanted) => {
    const node = stored.get(wanted);
    if (node === undefined) throw new Error("no such node");
    return toBytes(node);
  });
  return found && toHex(found);
}

describe("a trie", () => {
  it("has what leads from its root to a value, by leaf, branch and extension", () => {
    expect(look(leaf(PATH))).toBe(VALUE);
    const two = { [nibble(0)]: NEXT, [other(0)]: SOME_HASH };
    expect(look(branch(two), leaf(PATH.slice(1)))).toBe(VALUE);
    const behind = branch({ [nibble(3)]: NEXT, [other(3)]: SOME_HASH });
    expect(look([path(PATH.slice(0, 3), 0), NEXT], behind, leaf(PATH.slice(4)))).toBe(VALUE);
    const even = branch({ [nibble(4)]: NEXT, [other(4)]: SOME_HASH });
    expect(look([path(PATH.slice(0, 4), 0), NEXT], even, leaf(PATH.slice(5)))).toBe(VALUE);
  });

  it("has nodes in nodes where these are shorter than a hash", () => {
    // All the way down to the last nibble but one.
    const depth = 62;
    const short = leaf(PATH.slice(depth + 1), "0x05");
    const inside = branch({ [nibble(depth)]: short, [other(depth)]: SOME_HASH });
    expect(look([path(PATH.slice(0, depth), 0), NEXT], inside)).toBe("0x05");
    const long = leaf(PATH.slice(depth + 1), VALUE);
    const wrong = branch({ [nibble(depth)]: long, [other(depth)]: SOME_HASH });
    expect(() => look([path(PATH.slice(0, depth), 0), NEXT], wrong)).toThrow("trie: a branch");
  });

  it("shows that it has nothing: an empty one, another leaf, no child, another extension", () => {
    const empty = keccak256(encodeRlp("0x"));
    const none = () => {
      throw new Error("asked for a node");
    };
    expect(valueInTrie(empty, toBytes(KEY), none)).toBeUndefined();
    const otherPath = other(0).toString(16) + PATH.slice(1);
    expect(look(leaf(otherPath))).toBeUndefined();
    const children = { [other(0)]: SOME_HASH, [nibble(0) ^ 2]: SOME_HASH };
    expect(look(branch(children))).toBeUndefined();
    expect(look([path(otherPath.slice(0, 4), 0), SOME_HASH])).toBeUndefined();
  });

  const pair = { [nibble(0)]: NEXT, [other(0)]: SOME_HASH };
  it.each<[string, Item[]]>([
    ["a branch with a value", [branch(pair, "0x01"), leaf(PATH.slice(1))]],
    ["a branch with one child", [branch({ [nibble(0)]: NEXT }), leaf(PATH.slice(1))]],
    ["a branch with a child that is no hash", [branch({ ...pair, [nibble(0) ^ 2]: "0x01" })]],
    ["a leaf that is too short", [leaf(PATH.slice(1))]],
    ["a leaf that is too long", [leaf(`${PATH}00`)]],
    ["a leaf without a value", [leaf(PATH, "0x")]],
    ["a leaf whose value is a list", [[path(PATH, 2), [VALUE]]]],
    ["an extension without nibbles", [["0x00", NEXT], branch(pair), leaf(PATH.slice(1))]],
    ["an extension as long as the key", [[path(PATH, 0), SOME_HASH]]],
    ["an extension before a leaf", [[path(PATH.slice(0, 4), 0), NEXT], leaf(PATH.slice(4))]],
    ["an extension that leads to no hash", [[path(PATH.slice(0, 4), 0), "0x0102"]]],
    ["other flags", [[`0x4${PATH.slice(1)}`, VALUE]]],
    ["padding that is not zero", [[`0x21${PATH}`, VALUE]]],
    ["a path without flags", [["0x", VALUE]]],
    ["a path that is a list", [[[], VALUE]]],
    ["three items", [[path(PATH, 2), VALUE, "0x"]]],
    ["no list", ["0x01"]],
    ["a hash of a node that is too short", [branch(pair), leaf("", "0x01")]],
    ["a node that is missing", [branch({ ...pair, [nibble(0)]: id("missing") })]],
  ])("refuses %s", (_, nodes) => {
    expect(() => look(...nodes)).toThrow();
  });
});

describe("RLP", () => {
  it.each(["0x", "0x00", "0x7f", "0x80", `0x${"11".repeat(55)}`, `0x${"11".repeat(300)}`])(
    "reads bytes as they are written: %s",
    (bytes) => {
      expect(decodeRlp(toBytes(encodeRlp(bytes)))).toEqual(toBytes(bytes));
      const list = decodeRlp(toBytes(encodeRlp([bytes, [bytes]])));
      expect(isList(list) && list.items[0]).toEqual(toBytes(bytes));
    },
  );

  it.each([
    ["nothing", "0x"],
    ["two values", "0x0101"],
    ["a byte with a head", "0x8101"],
    ["a short length in the long form", concat(["0xb837", `0x${"11".repeat(55)}`])],
    ["a long length with a zero first", concat(["0xb90038", `0x${"11".repeat(56)}`])],
    ["a list's length in the long form", concat(["0xf801", "0x01"])],
    ["bytes that are missing", "0x820101".slice(0, 6)],
    ["a length that is missing", "0xb9"],
    ["a length beyond everything", "0xbbffffffff"],
    ["an item that leads out of its list", "0xc28201"],
    ["an item across its list's end", concat(["0xc38301", "0x0202"])],
    ["lists in lists in lists", `0x${"c5c4c3c2c1c0"}`],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeRlp(toBytes(bytes))).toThrow("RLP:");
  });

  it("refuses whatever else than its own writing gives the same value", () => {
    const written = toBytes(encodeRlp([toBeHex(1), `0x${"22".repeat(60)}`, []]));
    for (let at = 0; at < written.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = written.with(at, (written[at] ?? 0) ^ (1 << bit));
        const read = (): string => JSON.stringify(decodeRlp(flipped), plain);
        const plain = (_: string, value: unknown) =>
          value instanceof Uint8Array ? toHex(value) : value;
        let text: string | undefined;
        try {
          text = read();
        } catch {
          continue;
        }
        expect(text).not.toBe(JSON.stringify(decodeRlp(written), plain));
      }
    }
  });
});
