import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRoot } from "./readAttestationParameters.ts";

const fixtures = process.env.HACA_FIXTURES && join(process.env.HACA_FIXTURES, "nitro");

let folder: string;
let developmentRoot: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-root-"));
  developmentRoot = join(folder, "development.der");
  const { certificate } = openDevelopmentRoot(join(folder, "root.json"));
  writeFileSync(developmentRoot, certificate);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("readRoot", () => {
  it("refuses to deploy anywhere but on a development chain without AWS's root", () => {
    expect(() => readRoot({ rootFile: undefined, isDevelopmentChain: false })).toThrow(
      "attestation.root: must name a file with AWS's root certificate in DER",
    );
  });

  it.each([true, false])(
    "refuses any other root, a development chain or not: %s",
    (isDevelopmentChain) => {
      expect(() => readRoot({ rootFile: developmentRoot, isDevelopmentChain })).toThrow(
        /^attestation\.root: SHA-256 of .*development\.der is 0x[0-9a-f]{64}, AWS's root has 0x641a0321/,
      );
      const missing = join(folder, "missing.der");
      expect(() => readRoot({ rootFile: missing, isDevelopmentChain })).toThrow(
        `no file ${missing}`,
      );
    },
  );

  it.skipIf(!fixtures || !existsSync(fixtures))(
    "accepts AWS's root, as DER and to the byte",
    () => {
      const names = readdirSync(fixtures ?? "").filter((name) => name.includes("opengradient"));
      const document = parseDocument(
        new Uint8Array(readFileSync(join(fixtures ?? "", names[0] ?? ""))),
      );
      const root = document.cabundle[0] ?? new Uint8Array();
      const rootFile = join(folder, "aws.der");
      writeFileSync(rootFile, root);
      expect(readRoot({ rootFile, isDevelopmentChain: false })).toMatchObject({
        isDevelopmentRoot: false,
        rootFingerprint: "0x641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b",
      });
      writeFileSync(rootFile, Uint8Array.of(...root, 0));
      expect(() => readRoot({ rootFile, isDevelopmentChain: false })).toThrow("AWS's root has");
    },
  );
});
