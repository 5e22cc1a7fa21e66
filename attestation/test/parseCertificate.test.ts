import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { encodeName, makeCertificate } from "@haca/worker/enclave/makeCertificate";
import { makeP384Keys } from "@haca/worker/enclave/simulatedChain";
import { concat, keccak256, ZeroHash } from "ethers";
import { describe, expect, it } from "vitest";
import { certificateIds, parseCertificate } from "../src/document/parseCertificate.ts";
import { chain, NOW } from "./enclave.ts";

const keys = makeP384Keys();
const fields = {
  issuer: "parent",
  subject: "child",
  serial: 0x80n,
  notBefore: NOW,
  notAfter: NOW + 86_400n,
  publicKey: keys.publicKey,
};
const make = (changes: Partial<Parameters<typeof makeCertificate>[0]["fields"]> = {}) =>
  makeCertificate({ fields: { ...fields, ...changes }, issuerKey: keys.privateKey });

const refusal = (der: Uint8Array): string => {
  try {
    parseCertificate(der);
    return "accepted";
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    expect(error.code).toBe("certificate.invalid");
    return error.message;
  }
};

describe("parseCertificate", () => {
  it("takes out what Node's own parser sees", () => {
    const der = make();
    const certificate = parseCertificate(der);
    const x509 = new X509Certificate(der);
    expect(certificate.issuer).toEqual(encodeName("parent"));
    expect(certificate.subject).toEqual(encodeName("child"));
    expect(certificate.serial).toBe(BigInt(`0x${x509.serialNumber}`));
    expect(certificate.notBefore).toBe(BigInt(Date.parse(x509.validFrom)) / 1000n);
    expect(certificate.notAfter).toBe(BigInt(Date.parse(x509.validTo)) / 1000n);
    const spki = new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" }));
    expect(certificate.publicKey).toEqual(spki.subarray(-96));
    expect(certificate.signature).toHaveLength(96);
  });

  it.each([
    [-631_152_000n, 1_900_000_000n],
    [2_524_607_999n, 2_524_608_000n],
    [2_524_608_000n, 32_503_680_000n],
  ])("reads two and four digits of the year: %i to %i", (notBefore, notAfter) => {
    expect(parseCertificate(make({ notBefore, notAfter }))).toMatchObject({ notBefore, notAfter });
  });

  it("pads short numbers of a signature: 48 bytes each, whatever they are", () => {
    for (let i = 0; i < 40; i++) {
      expect(parseCertificate(make({ serial: BigInt(i) })).signature).toHaveLength(96);
    }
  });

  it.each([
    ["nothing", new Uint8Array(), "fields are missing"],
    ["an empty sequence", Uint8Array.of(0x30, 0), "fields are missing"],
    ["a length without bytes", Uint8Array.of(0x30), "truncated"],
    ["an indefinite length", Uint8Array.of(0x30, 0x80, 0, 0), "unsupported length"],
    ["a length of three bytes", Uint8Array.of(0x30, 0x83, 0, 0, 1, 0), "unsupported length"],
    ["a length behind the end", Uint8Array.of(0x30, 0x7f, 0), "truncated"],
  ])("refuses %s", (_, der, reason) => {
    expect(refusal(der)).toBe(`certificate: ${reason}`);
  });

  it("refuses a key of another curve, and an RSA key", () => {
    const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    for (const { publicKey } of [p256, rsa]) {
      expect(refusal(make({ publicKey }))).toBe("certificate: the key is not a P-384 point");
    }
  });

  it("refuses a time that is none", () => {
    const der = make();
    const at = Buffer.from(der).indexOf("170d", 0, "hex") + 2;
    expect(refusal(der.with(at, 0x78))).toMatch(/^certificate: time x/);
  });

  it("refuses every certificate that was cut short", () => {
    const der = make();
    for (let length = 0; length < der.length; length++) {
      expect(refusal(der.subarray(0, length)), String(length)).not.toBe("accepted");
    }
  });
});

describe("certificateIds", () => {
  it("chain the hashes of what was signed, from zero", () => {
    const [root, region] = chain.cabundle.map((der) => keccak256(parseCertificate(der).tbs));
    const rootId = keccak256(concat([ZeroHash, root ?? ""]));
    expect(certificateIds(chain.cabundle).slice(0, 2)).toEqual([
      rootId,
      keccak256(concat([rootId, region ?? ""])),
    ]);
  });

  it("do not depend on the signature", () => {
    const [one, two] = [make(), make()];
    expect(one).not.toEqual(two);
    expect(certificateIds([one])).toEqual(certificateIds([two]));
  });
});
