import { governorAbi } from "@haca/protocol/abi";
import {
  concat,
  decodeEventLog,
  encodeAbiParameters,
  encodeEventTopics,
  type Hex,
  keccak256,
  stringToHex,
  zeroAddress,
} from "viem";
import { expect, test } from "vitest";
import { descriptionBytes } from "../src/proposalBytes.ts";

const CREATED = [
  ...["uint256", "address", "address[]", "uint256[]", "bytes[]", "bytes[]", "uint256", "uint256"],
  "bytes",
].map((type) => ({ type }));

/** The data of a `ProposalCreated` event with these bytes for its text. */
const eventData = (description: Hex): Hex =>
  encodeAbiParameters(CREATED, [1n, zeroAddress, [], [], [], [], 2n, 3n, description]);

test.each([
  ["text", stringToHex("größer")],
  ["nothing", "0x"],
  ["a byte that is no UTF-8", concat([stringToHex("Voting p"), "0xe9", stringToHex("riode")])],
  ["NULs at both ends", concat(["0x00", stringToHex("x"), "0x00"])],
] as const)("keeps the bytes of a description that is %s", (_, description) => {
  expect(descriptionBytes(eventData(description))).toBe(description);
});

test("is needed: decoded as text, such a description has another hash", () => {
  const description = concat([stringToHex("Voting p"), "0xe9", stringToHex("riode")]);
  const { args } = decodeEventLog({
    abi: governorAbi,
    eventName: "ProposalCreated",
    topics: encodeEventTopics({ abi: governorAbi, eventName: "ProposalCreated" }) as [Hex],
    data: eventData(description),
  });
  const text = args?.description ?? "";
  expect(text).toBe("Voting p\ufffdriode");
  expect(keccak256(stringToHex(text))).not.toBe(keccak256(description));
});
