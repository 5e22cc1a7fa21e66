import { encodeCbor } from "@haca/worker/enclave/encodeCbor";
import { describe, expect, it } from "vitest";
import { CborError, decodeCbor } from "../src/document/decodeCbor.ts";

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const decode = (hex: string) => decodeCbor({ bytes: bytesOf(hex) });

/** `byte <offset>: <reason>` of what is refused, `accepted` otherwise. */
function refusal(hex: string): string {
  try {
    decode(hex);
    return "accepted";
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    expect(error.code).toBe("cbor.malformed");
    return error.message;
  }
}

describe("decodeCbor", () => {
  // Examples of RFC 8949, appendix A, within the subset.
  it.each([
    ["00", 0n],
    ["17", 23n],
    ["18 18", 24n],
    ["19 03e8", 1000n],
    ["1a 000f4240", 1_000_000n],
    ["1b ffffffffffffffff", 18_446_744_073_709_551_615n],
    ["f6", null],
    ["44 01020304", Uint8Array.of(1, 2, 3, 4)],
    ["64 49455446", "IETF"],
    ["62 c3bc", "ü"],
    ["80", []],
    ["83 01 02 03", [1n, 2n, 3n]],
  ])("reads %s", (hex, value) => {
    expect(decode(hex)).toEqual({ value, end: bytesOf(hex).length });
  });

  it("reads maps of definite and indefinite length alike", () => {
    const entries = new Map<string | bigint, unknown>([
      ["a", 1n],
      [2n, [3n]],
    ]);
    expect(decode("a2 61 61 01 02 81 03").value).toEqual(entries);
    expect(decode("bf 61 61 01 02 81 03 ff").value).toEqual(entries);
    expect(decode("bf ff").value).toEqual(new Map());
  });

  it("starts where it is told, and says where the item ends", () => {
    expect(decodeCbor({ bytes: bytesOf("ff 18 18 00"), offset: 1 })).toEqual({
      value: 24n,
      end: 3,
    });
  });

  it("gives bytes of its own: a change of them does not change the document", () => {
    const bytes = bytesOf("41 07");
    (decodeCbor({ bytes }).value as Uint8Array)[0] = 9;
    expect(bytes[1]).toBe(7);
  });

  it("reads back what the simulated enclave's encoder writes", () => {
    const written = encodeCbor({
      entries: [
        ["text", "x".repeat(300)],
        [70_000n, new Uint8Array(70_000)],
        ["list", [null, 1n << 40n]],
      ],
      isIndefinite: true,
    });
    expect(decodeCbor({ bytes: written })).toEqual({
      value: new Map<string | bigint, unknown>([
        ["text", "x".repeat(300)],
        [70_000n, new Uint8Array(70_000)],
        ["list", [null, 1n << 40n]],
      ]),
      end: written.length,
    });
  });

  it.each([
    ["nothing", "", "byte 0: reaches behind the end"],
    ["a number cut short", "19 03", "byte 1: reaches behind the end"],
    ["bytes cut short", "44 010203", "byte 0: reaches behind the end"],
    ["text cut short", "64 494554", "byte 0: reaches behind the end"],
    ["a list cut short", "83 01 02", "byte 0: reaches behind the end"],
    ["a list that promises 2^63 items", "9b 8000000000000000 00", "byte 0: reaches behind the end"],
    ["bytes that promise 2^64 - 1", "5b ffffffffffffffff 00", "byte 0: reaches behind the end"],
    ["a map that promises 2^32 - 1 entries", "ba ffffffff 00 00", "byte 0: reaches behind the end"],
    ["an indefinite map without an end", "bf 01 02", "byte 3: reaches behind the end"],
    ["a key without a value", "bf 01 ff", "byte 2: unsupported header"],
    ["a break outside a map", "ff", "byte 0: unsupported header"],
    ["a break inside a definite map", "a1 ff", "byte 1: unsupported header"],
    ["indefinite bytes", "5f 41 00 ff", "byte 0: unsupported header"],
    ["an indefinite text", "7f 61 61 ff", "byte 0: unsupported header"],
    ["an indefinite list", "9f 01 ff", "byte 0: unsupported header"],
    ["reserved lengths", "1c", "byte 0: unsupported header"],
    ["a negative number", "20", "byte 0: unsupported major type 1"],
    ["a tag", "c0 00", "byte 0: unsupported major type 6"],
    ["false", "f4", "byte 0: unsupported major type 7"],
    ["undefined", "f7", "byte 0: unsupported major type 7"],
    ["a float", "f9 3c00", "byte 0: unsupported major type 7"],
    ["23 in two bytes", "18 17", "byte 0: not in shortest form"],
    ["255 in three bytes", "19 00ff", "byte 0: not in shortest form"],
    ["65535 in five bytes", "1a 0000ffff", "byte 0: not in shortest form"],
    ["2^32 - 1 in nine bytes", "1b 00000000ffffffff", "byte 0: not in shortest form"],
    ["a length that is not shortest", "58 01 00", "byte 0: not in shortest form"],
    ["a text key twice", "a2 61 61 01 61 61 02", "byte 4: key a comes twice"],
    ["a number key twice", "bf 01 01 01 02 ff", "byte 3: key 1 comes twice"],
    ["bytes as a key", "a1 41 00 01", "byte 1: a key is neither text nor number"],
    ["a list as a key", "a1 80 01", "byte 1: a key is neither text nor number"],
    ["null as a key", "a1 f6 01", "byte 1: a key is neither text nor number"],
    ["nine levels", `${"81".repeat(8)}00`, "byte 8: nested too deeply"],
    ["a flood of levels", "81".repeat(20_000), "byte 8: nested too deeply"],
  ])("refuses %s", (_, hex, reason) => {
    expect(refusal(hex)).toBe(reason);
  });

  it("takes eight levels", () => {
    expect(refusal(`${"81".repeat(7)}00`)).toBe("accepted");
  });

  it("refuses every beginning of an item that is shorter than it", () => {
    const whole = encodeCbor({
      entries: [["a", [1n, "bc", new Uint8Array(30)]]],
      isIndefinite: true,
    });
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeCbor({ bytes: whole.subarray(0, length) }), String(length)).toThrow(
        CborError,
      );
    }
  });
});
