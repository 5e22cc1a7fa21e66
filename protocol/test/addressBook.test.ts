import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { id, ZeroAddress } from "ethers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  type AddressBook,
  addressBookPath,
  readAddressBook,
  writeAddressBook,
} from "../src/addressBook.ts";
import { userPath } from "../src/userPath.ts";
import { catchError } from "./catchError.ts";

const contract = {
  address: ZeroAddress,
  block: 1,
  transaction: id("transaction"),
  constructorArguments: [],
  codeHash: id("code"),
};
const BOOK: AddressBook = {
  format: 1,
  chainId: 31337,
  network: "localhost",
  gitCommit: "unknown",
  compiler: { version: "0.8.37", evmVersion: "osaka", optimizerRuns: 1 },
  contracts: { AccessManager: contract, ModelRegistry: contract, InferenceSettlement: contract },
  parameters: { settlementWindow: 604_800 },
  models: [],
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-book-"));
  path = join(folder, "deployments", "31337.json");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("reads what it wrote, and leaves no other file", () => {
  writeAddressBook({ path, book: BOOK });
  expect(readAddressBook(path)).toEqual(BOOK);
  writeAddressBook({ path, book: { ...BOOK, gitCommit: "other" } });
  expect(readAddressBook(path).gitCommit).toBe("other");
  expect(readdirSync(join(folder, "deployments"))).toEqual(["31337.json"]);
});

it("keeps the old book when the new one is invalid", () => {
  writeAddressBook({ path, book: BOOK });
  const before = readFileSync(path, "utf8");
  expect(() => writeAddressBook({ path, book: { ...BOOK, chainId: 0 } })).toThrow();
  expect(readFileSync(path, "utf8")).toBe(before);
});

it("says how to get a missing book", () => {
  const error = catchError(() => readAddressBook(path));
  expect(error.code).toBe("addressBook.missing");
  expect(error.message).toContain(path);
  expect(error.message).toContain("npm run deploy");
});

it("names the file that is not JSON", () => {
  const file = join(folder, "book.json");
  writeFileSync(file, "{");
  const error = catchError(() => readAddressBook(file));
  expect(error.code).toBe("addressBook.malformed");
  expect(error.message).toContain(file);
});

it("names the field that is wrong", () => {
  const file = join(folder, "book.json");
  const wrong = { ...contract, address: "0x12" };
  for (const [book, field] of [
    [
      { ...BOOK, contracts: { ...BOOK.contracts, ModelRegistry: wrong } },
      "contracts.ModelRegistry.address",
    ],
    [{ ...BOOK, format: 2 }, "format"],
    [{ ...BOOK, parameters: {} }, "parameters.settlementWindow"],
  ] as const) {
    writeFileSync(file, JSON.stringify(book));
    const error = catchError(() => readAddressBook(file));
    expect(error.code).toBe("addressBook.invalid");
    expect(error.message).toContain(`${file}: ${field}: `);
  }
});

it("has one place for each chain", () => {
  expect(addressBookPath(31337)).toMatch(/deployments[/\\]31337\.json$/);
});

it("is where HACA_ADDRESS_BOOK says, by the person's folder; an empty one is none", () => {
  vi.stubEnv("HACA_ADDRESS_BOOK", "books/mine.json");
  expect(addressBookPath(31337)).toBe(userPath("books/mine.json"));
  vi.stubEnv("HACA_ADDRESS_BOOK", "");
  expect(addressBookPath(31337)).toMatch(/deployments[/\\]31337\.json$/);
});

it("is refused where it is of another chain", () => {
  writeAddressBook({ path, book: BOOK });
  expect(readAddressBook(path, BOOK.chainId)).toEqual(BOOK);
  const error = catchError(() => readAddressBook(path, BOOK.chainId + 1));
  expect(error.code).toBe("addressBook.otherChain");
  expect(error.message).toBe(
    `${path} is of chain ${BOOK.chainId}, the network is chain ${BOOK.chainId + 1}`,
  );
});

it("is written under a temporary name that no process of the same id can have, and leaves none", () => {
  mkdirSync(`${path}.${process.pid}.tmp`, { recursive: true });
  writeAddressBook({ path, book: BOOK });
  expect(readAddressBook(path)).toEqual(BOOK);
  expect(readdirSync(dirname(path)).sort()).toEqual([
    basename(path),
    `${basename(path)}.${process.pid}.tmp`,
  ]);
});

it("leaves no temporary file where it cannot be written", () => {
  mkdirSync(join(path, "taken"), { recursive: true });
  expect(() => writeAddressBook({ path, book: BOOK })).toThrow();
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
});
