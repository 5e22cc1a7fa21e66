import { sign } from "node:crypto";
import { encodeCbor } from "@haca/enclave-simulator/encodeCbor";
import { makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { makeP384Keys, makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { concat, keccak256 } from "ethers";
import { describe, expect, it } from "vitest";
import { AWS_ROOT_FINGERPRINT } from "../src/nitro/judgeDocument.ts";
import { parseDocument } from "../src/nitro/parseDocument.ts";
import { verifyDocument } from "../src/nitro/verifyDocument.ts";
import { chain, documentOf, enclave, NOW, rootFingerprint } from "./enclave.ts";

/** Codes of the errors, each once. */
const errorsOf = (bytes: Uint8Array, options: { now?: bigint; rootFingerprint?: string } = {}) => {
  const { errors } = verifyDocument({ bytes, now: NOW, rootFingerprint, ...options });
  return [...new Set(errors.map(({ code }) => code))];
};

/** The leaf's certificate as the enclave has it, signed by another than its issuer. */
function leafBy(issuerKey: ReturnType<typeof makeP384Keys>["privateKey"]): Uint8Array {
  return makeCertificate({
    fields: {
      issuer: chain.instance.name,
      subject: "enclave.simulated.nitro-enclaves",
      serial: 9n,
      notBefore: NOW,
      notAfter: NOW + 3600n,
      publicKey: makeP384Keys().publicKey,
    },
    issuerKey,
  });
}

describe("verifyDocument", () => {
  it("finds nothing wrong with a good document, and names its image", () => {
    const result = verifyDocument({ bytes: documentOf(), now: NOW, rootFingerprint });
    expect(result.errors).toEqual([]);
    expect(result.pcrHash).toBe(keccak256(concat(enclave.measurements)));
    expect(result.chain).toHaveLength(5);
  });

  it("takes the fingerprint with and without 0x, in either case", () => {
    const plain = rootFingerprint.slice(2);
    expect(errorsOf(documentOf(), { rootFingerprint: plain })).toEqual([]);
    expect(errorsOf(documentOf(), { rootFingerprint: plain.toUpperCase() })).toEqual([]);
  });

  it("pins AWS's root where none is given", () => {
    expect(verifyDocument({ bytes: documentOf(), now: NOW }).errors).toMatchObject([
      { code: "rootMismatch", name: "CertificateStore_RootMismatch" },
    ]);
    expect(AWS_ROOT_FINGERPRINT).toHaveLength(64);
  });

  it("refuses another root, even one of the same name", () => {
    const other = makeSimulatedChain({ now: NOW });
    const bytes = documentOf({ overrides: { cabundle: [other.root, ...chain.cabundle.slice(1)] } });
    expect(errorsOf(bytes)).toEqual(["rootMismatch", "chainInvalid"]);
  });

  it.each([
    ["left out", chain.cabundle.toSpliced(2, 1)],
    ["in another order", [...chain.cabundle.slice(0, 2), ...chain.cabundle.slice(2).reverse()]],
    ["twice", [...chain.cabundle, chain.instance.certificate]],
  ])("refuses a chain with an authority %s", (_, cabundle) => {
    expect(errorsOf(documentOf({ overrides: { cabundle } }))).toEqual(["chainInvalid"]);
  });

  it("refuses a leaf that its issuer did not sign, though it bears its name", () => {
    const certificate = leafBy(makeP384Keys().privateKey);
    expect(errorsOf(documentOf({ overrides: { certificate } }))).toEqual([
      ...["chainInvalid", "signatureInvalid"],
    ]);
  });

  it("refuses a document that the leaf did not sign, though the chain is whole", () => {
    const certificate = leafBy(chain.instance.keys.privateKey);
    expect(errorsOf(documentOf({ overrides: { certificate } }))).toEqual(["signatureInvalid"]);
  });

  it("refuses a document that an authority signed, though that signature is valid", () => {
    const { certificate, keys } = chain.instance;
    const overrides = { certificate, cabundle: chain.cabundle.slice(0, -1) };
    const document = documentOf({ overrides });
    const signature = sign("sha384", parseDocument(document).signedMessage, {
      ...{ key: keys.privateKey, dsaEncoding: "ieee-p1363" },
    });
    document.set(signature, document.length - signature.length);
    expect(errorsOf(document)).toEqual(["signatureInvalid"]);
  });

  it("refuses a change of any field, and of the signature", () => {
    const document = documentOf();
    const { nonce, userData, moduleId } = parseDocument(document);
    for (const part of [nonce, userData, new TextEncoder().encode(moduleId), document.slice(-8)]) {
      const at = Buffer.from(document).lastIndexOf(Buffer.from(part ?? ""));
      expect(at).toBeGreaterThan(0);
      const changed = document.with(at + 1, (document[at + 1] ?? 0) ^ 1);
      expect(errorsOf(changed)).toEqual(["signatureInvalid"]);
    }
  });

  it.each([0, 1, 2])("refuses debug mode: PCR%i is zero", (zero) => {
    const entries = enclave.measurements.map(
      (pcr, index) => [BigInt(index), index === zero ? new Uint8Array(48) : pcr] as const,
    );
    expect(errorsOf(documentOf({ overrides: { pcrs: { entries } } }))).toEqual(["debugMode"]);
  });

  it.each<[string, bigint, string[]]>([
    ["300 s old", 300n, []],
    ["301 s old", 301n, ["tooOld"]],
    ["made now", 0n, []],
  ])("judges its age: %s", (_, age, codes) => {
    expect(errorsOf(documentOf(), { now: NOW + age })).toEqual(codes);
  });

  it.each<[string, bigint, string[]]>([
    ["60 s ahead", 60n, []],
    ["61 s ahead", 61n, ["fromFuture"]],
  ])("judges its age: %s", (_, ahead, codes) => {
    const overrides = { timestamp: (NOW + ahead) * 1000n };
    expect(errorsOf(documentOf({ overrides }))).toEqual(codes);
  });

  it("refuses certificates before and after their time", () => {
    const overrides = { timestamp: (NOW - 1n) * 1000n };
    expect(errorsOf(documentOf({ overrides }), { now: NOW - 1n })).toEqual([
      "certificateNotValidNow",
    ]);
    const late = NOW + 3n * 60n * 60n;
    const atEnd = { timestamp: late * 1000n };
    expect(errorsOf(documentOf({ overrides: atEnd }), { now: late })).toEqual([]);
    expect(errorsOf(documentOf({ overrides: atEnd }), { now: late + 1n })).toEqual([
      "certificateNotValidNow",
    ]);
  });

  it("finds every error, not only the first", () => {
    const entries = [0n, 1n, 2n].map((index) => [index, new Uint8Array(48)] as const);
    const bytes = documentOf({ overrides: { pcrs: { entries } } });
    const now = NOW + 10n * 365n * 86_400n;
    expect(verifyDocument({ bytes, now }).errors.map(({ code }) => code)).toEqual([
      ...["debugMode", "tooOld", "rootMismatch", "certificateNotValidNow"],
    ]);
  });

  it("throws where the bytes are no document", () => {
    expect(() => verifyDocument({ bytes: encodeCbor("no"), now: NOW })).toThrow(/not a COSE_Sign1/);
  });
});
