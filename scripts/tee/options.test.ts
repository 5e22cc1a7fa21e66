import { describe, expect, it } from "vitest";
import {
  addressOption,
  endpointOption,
  integerOption,
  teeIdArgument,
  urlOption,
} from "./options.ts";

describe("options", () => {
  const integer = (text: string) => integerOption({ name: "page", text, minimum: 1, maximum: 9 });

  it.each(["0", "10", "-1", "1.5", "1e0", "", " 1", "0x1"])("refuse the number %j", (text) => {
    expect(() => integer(text)).toThrow(/^--page must be an integer from 1 to 9, got/);
  });

  it("take numbers at both ends", () => {
    expect([integer("1"), integer("9")]).toEqual([1, 9]);
  });

  it.each([
    undefined,
    "",
    "0x12",
    // A digit of the checksum is wrong.
    "0x70997970C51812dc3A010C7d01b50e0d17dc79c8",
  ])("refuse the address %j", (text) => {
    expect(() => addressOption("payment", text)).toThrow(/^--payment must be an address, got/);
  });

  it.each([undefined, "node.example", "ftp://node.example", "file:///etc/passwd", "//x"])(
    "refuse the URL %j",
    (text) => {
      expect(() => urlOption("enclave", text)).toThrow(/^--enclave must be an http or https URL/);
    },
  );

  it("take endpoints of 256 bytes, and https only", () => {
    const url = `https://node.example/${"a".repeat(256 - 21)}`;
    expect(endpointOption(url)).toBe(url);
    expect(() => endpointOption(`${url}a`)).toThrow(/256 bytes at most, got 257/);
    expect(() => endpointOption("http://node.example")).toThrow(/must be an https URL/);
  });

  it.each(["", "0x12", `0x${"g".repeat(64)}`, "1".repeat(64)])("refuse the teeId %j", (text) => {
    expect(() => teeIdArgument(text)).toThrow(/^expected a teeId/);
  });
});
