import { AbiCoder, concat, id, ParamType, toUtf8Bytes } from "ethers";
import { describe, expect, it } from "vitest";
import { decodeText, TextInterface, textOf } from "../src/chainText.ts";

/** "Voting p", one byte of Latin-1, "riode". */
const BROKEN = concat([toUtf8Bytes("Voting p"), "0xe9", toUtf8Bytes("riode")]);
const coder = AbiCoder.defaultAbiCoder();

describe("text from a chain", () => {
  it("keeps what is UTF-8, and shows the rest as replacement characters", () => {
    expect(textOf(toUtf8Bytes("größer \u0000 🙂"))).toBe("größer \u0000 🙂");
    expect(textOf(BROKEN)).toBe("Voting p\ufffdriode");
  });

  it("decodes strings wherever they stand, with their names", () => {
    const types = [
      "uint256 number",
      "tuple(string name, string[] more)[] nodes",
      "string text",
    ].map((type) => ParamType.from(type));
    const data = coder.encode(
      ["uint256", "tuple(bytes, bytes[])[]", "bytes"],
      [7, [[BROKEN, [toUtf8Bytes("a"), BROKEN]]], toUtf8Bytes("b")],
    );
    const result = decodeText(types, data);
    expect([result.number, result.text]).toEqual([7n, "b"]);
    expect(result.nodes[0].name).toBe("Voting p\ufffdriode");
    expect([...result.nodes[0].more]).toEqual(["a", "Voting p\ufffdriode"]);
  });

  it("reads a contract's answer, and leaves a revert's data to ethers", () => {
    const contract = new TextInterface([
      "function name() view returns (string)",
      "error Unknown(uint256 number)",
    ]);
    const answer = coder.encode(["bytes"], [BROKEN]);
    expect(contract.decodeFunctionResult("name", answer)[0]).toBe("Voting p\ufffdriode");
    const revert = concat([id("Unknown(uint256)").slice(0, 10), coder.encode(["uint256"], [3])]);
    expect(() => contract.decodeFunctionResult("name", revert)).toThrow("invalid length");
    expect(() => contract.decodeFunctionResult("name", "0x")).toThrow("could not decode");
  });
});
