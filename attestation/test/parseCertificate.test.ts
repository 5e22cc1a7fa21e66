import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { encodeName, makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { makeP384Keys } from "@haca/enclave-simulator/simulatedChain";
import { concat, keccak256, ZeroHash } from "ethers";
import { describe, expect, it } from "vitest";
import { EvidenceError } from "../src/EvidenceError.ts";
import {
  certificateIds,
  NO_PATH_LENGTH,
  p384Spki,
  parseCertificate,
  toRawSignature,
} from "../src/x509/parseCertificate.ts";
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
    if (!(error instanceof EvidenceError)) throw error;
    return error.error;
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
    expect(p384Spki(certificate.publicKey)).toEqual(spki);
    expect(certificate).toMatchObject({ isAuthority: false, pathLength: NO_PATH_LENGTH });
  });

  it("reads two and four digits of the year", () => {
    const times = { notBefore: 0n, notAfter: 2_524_607_999n };
    expect(parseCertificate(make(times))).toMatchObject(times);
    const late = { notBefore: 2_524_608_000n, notAfter: 32_503_680_000n };
    expect(parseCertificate(make(late))).toMatchObject(late);
  });

  it("pads short numbers of a signature: 48 bytes each, whatever they are", () => {
    for (let i = 0; i < 40; i++) {
      const { signature } = parseCertificate(make({ serial: BigInt(i) }));
      expect(toRawSignature(signature)).toHaveLength(96);
    }
  });

  // That each of these is what the contract says too is held by test/contracts/attestation/verdict.test.ts.
  it.each([
    ["nothing", new Uint8Array(), "Der_Truncated"],
    ["an empty sequence", Uint8Array.of(0x30, 0), "Der_Truncated"],
    ["a length without bytes", Uint8Array.of(0x30), "Der_Truncated"],
    ["an indefinite length", Uint8Array.of(0x30, 0x80, 0, 0), "Der_LengthInvalid"],
    ["a length of three bytes", Uint8Array.of(0x30, 0x83, 0, 0, 1, 0), "Der_LengthInvalid"],
    ["a length that is not shortest", Uint8Array.of(0x30, 0x81, 1, 0), "Der_LengthInvalid"],
    ["a length behind the end", Uint8Array.of(0x30, 0x7f, 0), "Der_Truncated"],
    ["a time before 1970", make({ notBefore: -631_152_000n }), "X509_TimeInvalid"],
    ["a serial of 21 bytes", make({ serial: 1n << 160n }), "Der_IntegerTooLong"],
  ])("refuses %s", (_, der, error) => {
    expect(refusal(der)).toBe(error);
  });

  it("refuses a key of another curve, and an RSA key", () => {
    const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    for (const { publicKey } of [p256, rsa]) {
      expect(refusal(make({ publicKey }))).toBe("X509_FieldInvalid");
    }
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
