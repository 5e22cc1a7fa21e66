import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTlsFiles } from "./openTlsFiles.ts";

const NOW = BigInt(Math.floor(Date.now() / 1000));

let folder: string;
let tlsCertificate: string;
let tlsKey: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-tls-"));
  tlsCertificate = join(folder, "tls.pem");
  tlsKey = join(folder, "tls-key.pem");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("makes a certificate and its key once, for their owner alone, and reads them from then on", () => {
  expect(openTlsFiles({}, NOW)).toBeUndefined();
  const made = openTlsFiles({ tlsCertificate, tlsKey }, NOW);
  expect(openTlsFiles({ tlsCertificate, tlsKey }, NOW + 60n)).toEqual(made);
  expect([tlsCertificate, tlsKey].map((path) => statSync(path).mode & 0o777)).toEqual([
    0o600, 0o600,
  ]);
});

it("refuses one without the other, and what is no pair", () => {
  const open = (given: Parameters<typeof openTlsFiles>[0]) => () => openTlsFiles(given, NOW);
  expect(open({ tlsCertificate })).toThrow("--tls-key: is needed");
  expect(open({ tlsKey })).toThrow("--tls-certificate: is needed");
  open({ tlsCertificate, tlsKey })();
  const elsewhere = { tlsCertificate: `${tlsCertificate}2`, tlsKey: `${tlsKey}2` };
  open(elsewhere)();
  expect(open({ tlsCertificate, tlsKey: `${tlsKey}3` })).toThrow("--tls-key: there is no");
  expect(open({ tlsCertificate: `${tlsCertificate}3`, tlsKey })).toThrow(
    "--tls-certificate: there is no",
  );
  expect(open({ tlsCertificate, tlsKey: elsewhere.tlsKey })).toThrow(
    /^--tls-key: .* is another certificate's$/,
  );
  const certificate = readFileSync(tlsCertificate);
  writeFileSync(tlsCertificate, "x");
  expect(open({ tlsCertificate, tlsKey })).toThrow(/^--tls-certificate: .* is no PEM$/);
  writeFileSync(tlsCertificate, certificate);
  writeFileSync(tlsKey, "x");
  expect(open({ tlsCertificate, tlsKey })).toThrow(/^--tls-key: .* is no private key in PEM$/);
});
