import { encodeCbor } from "@haca/enclave-simulator/encodeCbor";
import { BaseError } from "@haca/protocol/baseError";
import { describe, expect, it } from "vitest";
import { parseDocument } from "../src/nitro/parseDocument.ts";
import { chain, documentOf, enclave, NOW } from "./enclave.ts";

function refusal(bytes: Uint8Array): string {
  try {
    parseDocument(bytes);
    return "accepted";
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return error.message;
  }
}

const pcrs = (entries: readonly (readonly [bigint, Uint8Array])[]) => ({ pcrs: { entries } });
const pcr = (length = 48) => new Uint8Array(length).fill(1);
const three = [
  [0n, pcr()],
  [1n, pcr()],
  [2n, pcr()],
] as const;

describe("parseDocument", () => {
  it.each([true, false])("takes every field out (indefinite maps: %s)", (isIndefinite) => {
    const document = parseDocument(documentOf({ isIndefinite }));
    expect(document).toMatchObject({
      moduleId: "i-0simulated-enc0",
      timestamp: NOW * 1000n,
      publicKey: new TextEncoder().encode("dummy"),
      userData: enclave.userData(),
      nonce: new Uint8Array(20).fill(7),
    });
    expect(document.cabundle).toEqual(chain.cabundle);
    expect(document.pcrs.size).toBe(16);
    expect(document.pcrs.get(1)).toEqual(enclave.measurements[1]);
    expect(document.signature).toHaveLength(96);
  });

  it("takes the COSE tag, and leaves it out of what is signed", () => {
    const document = documentOf();
    const tagged = Uint8Array.of(0xd2, ...document);
    expect(parseDocument(tagged)).toEqual(parseDocument(document));
    expect(Buffer.from(parseDocument(document).signedMessage.subarray(0, 18)).toString("hex")).toBe(
      "846a5369676e61747572653144a1013822" + "40",
    );
  });

  it("takes documents without the optional fields, with sparse PCRs, and with unknown keys", () => {
    const bare = parseDocument(
      documentOf({
        nonce: null,
        overrides: { user_data: null, public_key: null, ...pcrs([...three, [31n, pcr()]]) },
        extraEntries: [["later", [1n, "two"]]],
      }),
    );
    expect([bare.nonce, bare.userData, bare.publicKey]).toEqual([null, null, null]);
    expect([...bare.pcrs.keys()]).toEqual([0, 1, 2, 31]);
  });

  it("takes fields of 1024 bytes", () => {
    const field = new Uint8Array(1024);
    expect(parseDocument(documentOf({ overrides: { user_data: field } })).userData).toEqual(field);
  });

  it.each<[string, Parameters<typeof documentOf>[0], string]>([
    ["another digest", { overrides: { digest: "SHA256" } }, "the digest is not SHA384"],
    ["a module id of bytes", { overrides: { module_id: pcr() } }, "expected text, found bytes"],
    ["a time of text", { overrides: { timestamp: "now" } }, "expected a number, found text"],
    ["no authorities", { overrides: { cabundle: [] } }, "cabundle has 0 entries, not 1 to 6"],
    ["authorities as bytes", { overrides: { cabundle: pcr() } }, "expected a list, found bytes"],
    [
      "an empty authority",
      { overrides: { cabundle: [new Uint8Array()] } },
      "cabundle[0] has 0 bytes, not 1 to 1024",
    ],
    [
      "an authority of 1025 bytes",
      { overrides: { cabundle: [chain.root, pcr(1025)] } },
      "cabundle[1] has 1025 bytes, not 1 to 1024",
    ],
    [
      "no certificate",
      { overrides: { certificate: null } },
      "expected bytes, found a simple value",
    ],
    [
      "user data of 1025 bytes",
      { overrides: { user_data: pcr(1025) } },
      "user_data has 1025 bytes, not 0 to 1024",
    ],
    ["a nonce of text", { overrides: { nonce: "7" } }, "expected bytes, found text"],
    ["PCRs as a list", { overrides: { pcrs: [pcr()] } }, "expected a map, found a list"],
    ["no PCR2", { overrides: pcrs([three[0], three[1]]) }, "no PCR2"],
    ["a PCR of 47 bytes", { overrides: pcrs([[0n, pcr(47)]]) }, "PCR0 has 47 bytes, not 48"],
    ["PCR32", { overrides: pcrs([...three, [32n, pcr()]]) }, "there is no PCR32"],
    [
      "bytes behind the payload",
      { changePayload: (payload) => Uint8Array.of(...payload, 0) },
      "1 bytes too many",
    ],
    [
      "a payload that is no map",
      { changePayload: () => encodeCbor(["no"]) },
      "expected a map, found a list",
    ],
    ["an empty payload", { changePayload: () => new Uint8Array() }, "reaches behind the end"],
  ])("refuses %s", (_, options, reason) => {
    expect(refusal(documentOf(options))).toContain(reason);
  });

  it("refuses a field twice", () => {
    expect(refusal(documentOf({ extraEntries: [["nonce", new Uint8Array(20)]] }))).toContain(
      "the key nonce comes twice",
    );
  });

  it.each<[string, (document: Buffer) => Uint8Array, string]>([
    ["no bytes", () => new Uint8Array(), "not a COSE_Sign1"],
    ["an algorithm that is not ES384", (d) => d.with(5, 0x23), "not a COSE_Sign1"],
    ["an unprotected header", (d) => d.with(6, 0xa1), "not a COSE_Sign1"],
    ["another tag", (d) => Buffer.concat([Buffer.of(0xd1), d]), "not a COSE_Sign1"],
    ["the tag twice", (d) => Buffer.concat([Buffer.of(0xd2, 0xd2), d]), "not a COSE_Sign1"],
    ["a byte too many", (d) => Buffer.concat([d, Buffer.of(0)]), "1 bytes too many"],
    [
      "a signature of 95 bytes",
      (d) => Buffer.concat([d.subarray(0, -98), Buffer.of(0x58, 95), d.subarray(-95)]),
      "signature has 95 bytes, not 96",
    ],
  ])("refuses %s", (_, change, reason) => {
    expect(refusal(change(Buffer.from(documentOf())))).toContain(reason);
  });

  it("refuses every document that was cut short", () => {
    const document = documentOf();
    for (let length = 0; length < document.length; length += 7) {
      expect(refusal(document.subarray(0, length)), String(length)).not.toBe("accepted");
    }
  });
});
