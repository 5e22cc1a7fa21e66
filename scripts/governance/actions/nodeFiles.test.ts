import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { afterAll, expect, it } from "vitest";
import { readDocumentFile, readEndpoint, readKeyFile, readTlsFile } from "./nodeFiles.ts";

const folder = mkdtempSync(join(tmpdir(), "haca-node-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const der = new Uint8Array(keys.publicKey.export({ format: "der", type: "spki" }));
const pem = keys.publicKey.export({ format: "pem", type: "spki" }).toString();
const certificate = makeCertificate({
  fields: {
    ...{ issuer: "node", subject: "node", serial: 1n, notBefore: 0n, notAfter: 9_999_999_999n },
    publicKey: keys.publicKey,
  },
  issuerKey: keys.privateKey,
  hash: "sha256",
});
const body = Buffer.from(certificate).toString("base64");

it("reads a signing key from DER, PEM and a gateway's answer, to the byte", () => {
  const answer = JSON.stringify({ tee_id: "1", public_key: pem });
  for (const content of [der, pem, `\n${pem}\n`, answer]) {
    expect(readKeyFile(file("key", content))).toEqual(der);
  }
});

it.each([
  ["text", "hello"],
  ["an answer without key", "{}"],
  ["an answer that is no JSON", "{public_key"],
  ["half a key", der.subarray(0, 100)],
  ["a private key", keys.privateKey.export({ format: "pem", type: "pkcs8" }).toString()],
  ["nothing", ""],
])("refuses %s as a signing key", (_, content) => {
  expect(() => readKeyFile(file("bad", content))).toThrow("is no public key in PEM or DER");
});

it("reads a certificate from DER and PEM, and refuses what is none", () => {
  const armoured = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  for (const content of [certificate, armoured]) {
    expect(readTlsFile(file("tls", content))).toEqual(certificate);
  }
  expect(() => readTlsFile(file("tls", certificate.subarray(1)))).toThrow("is no certificate");
  expect(() => readTlsFile(join(folder, "none"))).toThrow("no file");
});

it("reads a document as it comes, and the endpoint as the registry wants it", () => {
  for (const content of [Buffer.from([1, 2, 250]), "AQL6", "0x0102fa"]) {
    expect(readDocumentFile(file("document", content))).toEqual(new Uint8Array([1, 2, 250]));
  }
  expect(readEndpoint("https://a.org")).toBe("https://a.org");
  expect(() => readEndpoint("http://a.org")).toThrow("endpoint must be an https URL");
  expect(() => readEndpoint(`https://a.org/${"a".repeat(250)}`)).toThrow("256 bytes at most");
});
