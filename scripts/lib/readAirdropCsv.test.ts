import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getAddress } from "ethers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readAirdropCsv } from "./readAirdropCsv.ts";

const A = getAddress(`0x${"ab".repeat(20)}`);
const B = getAddress(`0x${"cd".repeat(20)}`);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-airdrop-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string) => {
  const path = join(folder, "a.csv");
  writeFileSync(path, text);
  return readAirdropCsv(path);
};

it("reads rows in their order, with or without header, empty lines and carriage returns", () => {
  const expected = [
    { account: A, amount: 1_500_000_000_000_000_000n },
    { account: B, amount: 1n },
  ];
  expect(read(`address,amount\r\n${A},1.5\r\n\r\n${B},0.000000000000000001\r\n`)).toEqual(expected);
  expect(read(`${A.toLowerCase()} , 1.5\n${B},0.000000000000000001`)).toEqual(expected);
});

it.each([
  [
    "a duplicate, whatever its case",
    `${A},1\n${B},1\n${A.toLowerCase()},2`,
    `:3: ${A} is already on line 1`,
  ],
  ["a zero amount", `${A},1\n${B},0.0`, ":2: amount is zero"],
  ["the zero address", `0x${"00".repeat(20)},1`, ":1: the zero address"],
  ["a short address", `address,amount\n0x12,1`, ":2: 0x12 is not an address"],
  ["a wrong checksum", `${A.replace("0xa", "0xA").replace("0xAB", "0xaB")},1`, ":1:"],
  ["a negative amount", `${A},-1`, ":1: amount -1 is not a number"],
  ["an exponent", `${A},1e3`, ":1: amount 1e3 is not a number"],
  ["19 decimals", `${A},0.${"1".repeat(19)}`, ":1: amount"],
  ["an overflow", `${A},79228162515`, ":1: amount 79228162515 overflows"],
  ["a missing column", A, ":1: expected"],
  ["a column too many", `${A},1,2`, ":1: expected"],
  ["a header in the middle", `${A},1\naddress,amount`, ":2: address is not an address"],
  ["an empty file", "\n", "has no rows"],
])("refuses %s", (_, text, message) => {
  expect(() => read(text)).toThrow(message);
});
