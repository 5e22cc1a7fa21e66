import type { AddressBook } from "@haca/protocol/addressBook";
import { expect, test } from "vitest";
import { databaseSchemaName } from "../launch/databaseSchemaName.ts";

const contract = {
  address: `0x${"11".repeat(20)}`,
  block: 3,
  transaction: `0x${"22".repeat(32)}`,
  constructorArguments: [],
  codeHash: `0x${"33".repeat(32)}`,
};
const book: AddressBook = {
  format: 1,
  chainId: 84532,
  network: "baseSepolia",
  gitCommit: "",
  compiler: { version: "", evmVersion: "", optimizerRuns: 0 },
  contracts: {
    AccessManager: contract,
    ModelRegistry: contract,
    InferenceSettlement: contract,
  },
  parameters: { settlementWindow: 1 },
  models: [],
};
const creationBlock = `0x${"44".repeat(32)}`;

test("is the same for the same history and code", () => {
  const name = databaseSchemaName({ book, creationBlock });
  expect(name).toMatch(/^haca_84532_[0-9a-f]{16}$/);
  expect(databaseSchemaName({ book: { ...book, network: "other" }, creationBlock })).toBe(name);
});

test.each([
  ["another history of the chain", { book, creationBlock: `0x${"55".repeat(32)}` }],
  [
    "another registry",
    {
      book: {
        ...book,
        contracts: { ...book.contracts, ModelRegistry: { ...contract, block: 4 } },
      },
      creationBlock,
    },
  ],
])("differs for %s", (_, parameters) => {
  expect(databaseSchemaName(parameters)).not.toBe(databaseSchemaName({ book, creationBlock }));
});
