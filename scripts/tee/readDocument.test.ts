import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { decodeDocument, readDocument } from "./readDocument.ts";

const folder = mkdtempSync(join(tmpdir(), "haca-document-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const document = Uint8Array.of(0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0xff);

describe("a document's file", () => {
  it.each([
    ["raw", document],
    ["base64", Buffer.from(`${Buffer.from(document).toString("base64")}\n`)],
    ["base64 for URLs", Buffer.from(Buffer.from(document).toString("base64url"))],
    ["base64 in lines", Buffer.from("hEShAT\ngioP8=\n")],
    ["hex", Buffer.from(Buffer.from(document).toString("hex"))],
    ["hex with 0x, in capitals", Buffer.from("0x8444A1013822A0FF\n")],
  ])("is read: %s", (_, bytes) => {
    expect(decodeDocument(bytes)).toEqual(document);
  });

  it("is refused in words where there is none", () => {
    const empty = join(folder, "empty");
    writeFileSync(empty, "");
    expect(() => readDocument(join(folder, "missing"))).toThrow(/^no file/);
    expect(() => readDocument(folder)).toThrow(/is no file$/);
    expect(() => readDocument(empty)).toThrow(/has 0 bytes/);
  });
});
