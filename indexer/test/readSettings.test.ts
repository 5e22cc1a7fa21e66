import { addressBookPath } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { expect, test } from "vitest";
import { readSettings } from "../launch/readSettings.ts";

test("needs nothing on the local chain", () => {
  expect(readSettings({})).toMatchObject({
    chainId: 31337,
    addressBook: addressBookPath(31337),
    rpcUrl: "http://127.0.0.1:8545",
    databaseUrl: undefined,
    host: "127.0.0.1",
    port: 42069,
    logLevel: "info",
    logFormat: "json",
  });
});

test("reads every variable", () => {
  const settings = readSettings({
    HACA_CHAIN_ID: "84532",
    HACA_ADDRESS_BOOK: "/deployments/84532.json",
    HACA_RPC_URL: "https://rpc.example/key",
    HACA_INDEXER_DATABASE_URL: "postgresql://user@db.example/haca",
    HACA_INDEXER_DATA_DIR: "/var/lib/haca",
    HACA_INDEXER_HOST: "0.0.0.0",
    HACA_INDEXER_PORT: "8080",
    HACA_LOG_LEVEL: "warn",
    HACA_LOG_FORMAT: "pretty",
  });
  expect(settings).toEqual({
    chainId: 84532,
    addressBook: "/deployments/84532.json",
    rpcUrl: "https://rpc.example/key",
    databaseUrl: "postgresql://user@db.example/haca",
    dataDirectory: "/var/lib/haca",
    host: "0.0.0.0",
    port: 8080,
    logLevel: "warn",
    logFormat: "pretty",
  });
});

test("takes an empty variable as absent", () => {
  const empty = {
    HACA_CHAIN_ID: "",
    HACA_RPC_URL: "",
    HACA_INDEXER_DATABASE_URL: "",
    HACA_ADDRESS_BOOK: "",
  };
  expect(readSettings(empty)).toEqual(readSettings({}));
});

test.each([
  ["HACA_CHAIN_ID", "0"],
  ["HACA_CHAIN_ID", "1e3"],
  ["HACA_RPC_URL", "127.0.0.1:8545"],
  ["HACA_RPC_URL", "ws://127.0.0.1:8545"],
  ["HACA_INDEXER_DATABASE_URL", "mysql://db.example"],
  ["HACA_INDEXER_PORT", "0"],
  ["HACA_INDEXER_PORT", "65536"],
  ["HACA_INDEXER_PORT", "http"],
  ["HACA_LOG_LEVEL", "loud"],
  ["HACA_LOG_FORMAT", "xml"],
])("names the variable: %s = %s", (name, value) => {
  const read = () => readSettings({ [name]: value });
  expect(read).toThrow(BaseError);
  expect(read).toThrow(new RegExp(`^${name}: must be [^\n]+$`));
});

test("wants HACA_RPC_URL on any other chain", () => {
  const read = () => readSettings({ HACA_CHAIN_ID: "84532" });
  expect(read).toThrow("HACA_RPC_URL: must be set for chain 84532");
});
