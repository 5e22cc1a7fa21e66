import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { id, ZeroAddress } from "ethers";
import { pino } from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import { parseReceipt } from "../src/roles/watch/parseReceipt.ts";
import { ReceiptFolder } from "../src/roles/watch/receiptFolder.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

const message = {
  ...{ modelVersion: id("version"), inputHash: id("input"), outputHash: id("output") },
  ...{ requester: ZeroAddress, requestId: id("request"), price: "1", timestamp: "2" },
  teeId: id("enclave"),
};
const signature = `0x${"AB".repeat(65)}`;
const receipt = { message, signature };

describe("a receipt", () => {
  it("is read as a node's client and as an enclave's operator has it", () => {
    const words = { inputWords: ["1"], outputWords: ["2"], primaryType: "InferenceResult" };
    for (const whole of [receipt, { ...receipt, alone: true }, { ...receipt, ...words }]) {
      const { result, signature: read } = parseReceipt(JSON.stringify(whole));
      expect(result).toEqual({ ...message, price: 1n, timestamp: 2n });
      expect(read).toBe(signature.toLowerCase());
    }
  });

  it.each<[unknown, string]>([
    [[], "the file: Invalid input: expected object, received array"],
    [{ message }, "signature: is missing"],
    [{ ...receipt, extra: 1 }, "extra: is not a known field"],
    [{ ...receipt, signature: "0x1" }, "signature: must be 0x and hex digits, two a byte"],
    [
      { ...receipt, signature: `0x${"11".repeat(1_025)}` },
      "signature: is longer than any signature",
    ],
    [
      { signature, message: { ...message, price: 1 } },
      "message.price: must be a decimal number, as text",
    ],
    [
      { signature, message: { ...message, timestamp: String(2n ** 64n) } },
      "message.timestamp: must be below 2^64",
    ],
    [
      { signature, message: { ...message, teeId: "0x1" } },
      "message.teeId: must be 0x and 64 hex digits",
    ],
  ])("is refused by the name of its field: %j", (json, words) => {
    expect(() => parseReceipt(JSON.stringify(json))).toThrow(words);
  });
});

describe("a folder of receipts", () => {
  let path: string;
  let folder: ReceiptFolder;
  let lines: { msg: string; file?: string; error?: string }[];
  const write = (name: string, text: string) => writeFileSync(join(path, name), text);

  beforeEach(() => {
    path = temporaryFolder();
    lines = [];
    const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
    const domain = settlementDomain({ chainId: 1n, settlement: ZeroAddress });
    folder = new ReceiptFolder({ path, domain, logger });
  });

  it("reads what is new or has changed, and forgets what is gone", async () => {
    write("a.json", JSON.stringify(receipt));
    write("a.txt", JSON.stringify(receipt));
    expect((await folder.look()).map(({ name }) => name)).toEqual(["a.json"]);
    expect(folder.of(message.requestId)).toHaveLength(1);
    expect(await folder.look()).toEqual([]);
    // Half of it is there when it is read for the first time.
    const text = JSON.stringify({ ...receipt, message: { ...message, price: "12" } });
    write("b.json", text.slice(0, 100));
    expect(await folder.look()).toEqual([]);
    write("b.json", text);
    expect((await folder.look()).map(({ name }) => name)).toEqual(["b.json"]);
    expect(folder.of(message.requestId)).toHaveLength(2);
    rmSync(join(path, "a.json"));
    expect(await folder.look()).toEqual([]);
    expect(folder.of(message.requestId).map(({ name }) => name)).toEqual(["b.json"]);
  });

  it("names what is none once, and reads the rest", async () => {
    write("a.json", "{");
    mkdirSync(join(path, "b.json"));
    write("c.json", " ".repeat(1_048_577));
    write("d.json", JSON.stringify(receipt));
    expect((await folder.look()).map(({ name }) => name)).toEqual(["d.json"]);
    await folder.look();
    expect(lines.map(({ error, file }) => `${file} ${error}`)).toEqual([
      expect.stringMatching(/^a\.json is not JSON: /),
      "b.json is no file",
      "c.json has more than 1048576 bytes",
    ]);
  });

  it("keeps what it has where the folder cannot be read", async () => {
    write("a.json", JSON.stringify(receipt));
    await folder.look();
    rmSync(path, { recursive: true });
    expect(await folder.look()).toEqual([]);
    expect(folder.of(message.requestId)).toHaveLength(1);
    expect(lines.map(({ msg }) => msg)).toEqual(["HACA_RECEIPTS: the folder cannot be read"]);
  });

  it("reads ten thousand files at most", async () => {
    for (let i = 0; i <= 10_000; i++) write(`${String(i).padStart(5, "0")}.json`, "0");
    write("00000.json", JSON.stringify(receipt));
    write("10000.json", JSON.stringify(receipt));
    expect((await folder.look()).map(({ name }) => name)).toEqual(["00000.json"]);
    expect(lines.filter(({ msg }) => msg.includes("too many files"))).toHaveLength(1);
  });
});
