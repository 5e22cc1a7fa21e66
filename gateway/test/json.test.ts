import { isObject, type Json } from "@haca/protocol/json/json";
import { legacyText } from "@haca/protocol/json/legacyText";
import { readLegacyJson, readStrictJson } from "@haca/protocol/json/readJson";
import { describe, expect, it } from "vitest";
import { TEXTS } from "../../tools/receipts/inputs.ts";
import { canonicalBytes, canonicalJson } from "../src/json/canonicalJson.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytesOf = (name: string) => TEXTS[name] ?? utf8("");
const canonicalOf = (text: string) => canonicalJson(readStrictJson(utf8(text)));
const legacyOf = (text: string) => legacyText(readLegacyJson(utf8(text)));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What the platform's own parser would make of it; for texts that both take. */
function plain(value: Json): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (isObject(value)) return Object.fromEntries([...value].map(([key, v]) => [key, plain(v)]));
  return value;
}

describe("canonical JSON", () => {
  it("has the bytes of RFC 8785, section 3.2.4", () => {
    const expected =
      "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a" +
      "5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c" +
      "22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d";
    expect(hexOf(canonicalBytes(readStrictJson(bytesOf("rfc8785Values"))))).toBe(expected);
  });

  it("has the order of RFC 8785, section 3.2.3: by UTF-16 units", () => {
    const read = readStrictJson(bytesOf("rfc8785Order"));
    const written = [...canonicalJson(read).matchAll(/:"([^"]*)"/g)].map(([, value]) => value);
    expect(written).toEqual([
      ...["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis"],
      ...["Euro Sign", "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"],
    ]);
  });

  it("writes the numbers of RFC 8785, appendix B", () => {
    const doubles = [
      ["0000000000000000", "0"],
      ["8000000000000000", "0"],
      ["0000000000000001", "5e-324"],
      ["8000000000000001", "-5e-324"],
      ["7fefffffffffffff", "1.7976931348623157e+308"],
      ["4340000000000000", "9007199254740992"],
      ["4430000000000000", "295147905179352830000"],
      ["44b52d02c7e14af5", "9.999999999999997e+22"],
      ["44b52d02c7e14af6", "1e+23"],
      ["444b1ae4d6e2ef4e", "999999999999999700000"],
      ["444b1ae4d6e2ef50", "1e+21"],
      ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
      ["3eb0c6f7a0b5ed8d", "0.000001"],
      ["41b3de4355555553", "333333333.3333332"],
      ["41b3de4355555557", "333333333.33333343"],
      ["becbf647612f3696", "-0.0000033333333333333333"],
      ["43143ff3c1cb0959", "1424953923781206.2"],
    ] as const;
    for (const [bits, text] of doubles) {
      expect(canonicalJson(Buffer.from(bits, "hex").readDoubleBE(0))).toBe(text);
    }
  });

  it("keeps keys that objects of the language have by themselves", () => {
    expect(canonicalOf('{"__proto__":{"a":1},"toString":2}')).toBe(
      '{"__proto__":{"a":1},"toString":2}',
    );
  });
});

describe("readStrictJson", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ...(["twice", "twiceEscaped", "twiceInside"] as const).map(
      (name) => [name, /key .* already/] as const,
    ),
    ...(["loneHigh", "loneLow", "loneInKey", "pairHalfRaw"] as const).map(
      (name) => [name, /lone surrogate/] as const,
    ),
    ...(["loneRaw", "notUtf8", "overlong"] as const).map((name) => [name, /UTF-8/] as const),
    ...(["overflow", "minusOverflow", "above53Bits", "below53Bits"] as const).map(
      (name) => [name, /double does not hold/] as const,
    ),
    ...(["nulRaw", "tabRaw", "noEnd"] as const).map((name) => [name, /control character/] as const),
    ...(["byteOrderMark", "empty", "plusSign", "notANumber", "noBreakSpace"] as const).map(
      (name) => [name, /no value/] as const,
    ),
    ["deep65", /more than 64 deep/],
    ["nulAfter", /something follows/],
    ["two", /something follows/],
  ];
  for (const [name, reason] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => readStrictJson(bytesOf(name))).toThrow(reason);
      expect(() => readStrictJson(bytesOf(name))).toThrow(
        expect.objectContaining({ code: "json.malformed" }),
      );
    });
  }

  it("takes what is at the edge, and rounds nothing that is written as an integer", () => {
    expect(canonicalOf("[9007199254740991,-9007199254740991]")).toBe(
      "[9007199254740991,-9007199254740991]",
    );
    expect(canonicalOf("[-0,-0.0,1e-400]")).toBe("[0,0,0]");
    expect(canonicalOf('["a\\u0000b"]')).toBe('["a\\u0000b"]');
    expect(canonicalOf(`${"[".repeat(64)}${"]".repeat(64)}`)).toHaveLength(128);
  });

  it("says nothing of what stands in the text", () => {
    const texts = ['{"secret":1,"secret":2}', '["secret\\ud800"]', '{"secret" 1}', "[secret]"];
    for (const text of texts) {
      expect(() => readStrictJson(utf8(text))).toThrow(/^(?!.*secret)/);
    }
  });

  it("reads and writes what is long", () => {
    const long = JSON.stringify(
      Array.from({ length: 20_000 }, (_, i) => ({ [`key${i}`]: "x\n".repeat(9) })),
    );
    expect(canonicalOf(long)).toBe(long);
  });

  it("agrees with the platform's parser about random values, and writes them the same way again", () => {
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const make = (depth: number): unknown => {
      const kind = random(depth > 4 ? 4 : 6);
      if (kind === 0) return [null, true, false][random(3)];
      if (kind === 1) return (random(2000) - 1000) * 10 ** (random(40) - 28);
      if (kind === 2) return random(1 << 24) - (1 << 23);
      if (kind === 3) {
        return String.fromCodePoint(...Array.from({ length: random(6) }, () => random(0xd800)));
      }
      if (kind === 4) return Array.from({ length: random(4) }, () => make(depth + 1));
      return Object.fromEntries(
        Array.from({ length: random(4) }, () => [`k${random(99)}`, make(depth + 1)]),
      );
    };
    for (let i = 0; i < 500; i++) {
      const value = make(0);
      const text = JSON.stringify(value, null, random(3));
      const read = readStrictJson(utf8(text));
      expect(plain(read)).toEqual(JSON.parse(text));
      expect(JSON.parse(canonicalJson(read))).toEqual(JSON.parse(text));
    }
  });
});

describe("the legacy text", () => {
  it("keeps a number in the class in which it came", () => {
    expect(legacyOf("[1, 1.0, 1e2, 9007199254740993, 123456789012345678901234567890]")).toBe(
      "[1, 1.0, 100.0, 9007199254740993, 123456789012345678901234567890]",
    );
    expect(legacyOf("[1e-7, 0.0001, 0.00009, 1e15, 1e16, 1.5e16, 1e20, -0.0, -0, 1e400]")).toBe(
      "[1e-07, 0.0001, 9e-05, 1000000000000000.0, 1e+16, 1.5e+16, 1e+20, -0.0, 0, Infinity]",
    );
  });

  it("orders by code point, escapes all that is not ASCII, and takes the last of equal keys", () => {
    expect(legacyOf('{"\uffff":1,"😀":2,"a":3,"a":4,"/":"\u007f"}')).toBe(
      '{"/": "\\u007f", "a": 4, "\\uffff": 1, "\\ud83d\\ude00": 2}',
    );
    expect(legacyOf('["\\ud83d", {}, []]')).toBe('["\\ud83d", {}, []]');
  });
});
