import { generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { verifyDocument } from "@haca/attestation/nitro/verifyDocument";
import { makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeP384Keys, makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type DocumentOptions, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { concat, hexlify, keccak256, sha256 } from "ethers";
import { describe, expect, it } from "vitest";
import { FIXTURES_FOLDER } from "../../test/contracts/utils/fixturesFolder.ts";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { checkAttestation } from "../src/checks/ofEvidence.ts";
import { isSignedByKey } from "../src/signatures.ts";
import { sampleCore } from "./support/samples.ts";

const NOW = 1_900_000_000n;
const chain = makeSimulatedChain({ now: NOW });
const measurements = measurementsOf("image");
const enclaveWith = (options: Partial<ConstructorParameters<typeof SimulatedEnclave>[0]> = {}) =>
  new SimulatedEnclave({ ...{ chain, measurements, kind: "p256", now: NOW }, ...options });
const enclave = enclaveWith();
const pins = {
  images: [keccak256(concat(measurements))],
  attestationRoot: sha256(chain.root),
};

/** What is said of a document that the receipt of `enclave` names, at a time. */
function judge(
  document: Uint8Array,
  now = NOW,
  known: Parameters<typeof checkAttestation>[1]["pins"] = pins,
) {
  const hex = hexlify(document);
  const core = sampleCore({ key: hexlify(enclave.signingKey), attestation: keccak256(hex) });
  return checkAttestation(
    { core, documents: [{ type: "attestation", document: hex }] },
    { pins: known, now },
  );
}

const attest = (options: Partial<DocumentOptions> = {}, by = enclave): Uint8Array =>
  by.attest({ now: NOW, nonce: new Uint8Array(20), ...options });

/** A certificate of the enclave's name, of whoever signs it. */
const leafBy = (issuerKey: ReturnType<typeof makeP384Keys>["privateKey"]): Uint8Array =>
  makeCertificate({
    fields: {
      ...{ issuer: chain.instance.name, subject: "enclave", serial: 9n },
      ...{ notBefore: NOW, notAfter: NOW + 3_600n, publicKey: makeP384Keys().publicKey },
    },
    issuerKey,
  });

describe("an attestation document", () => {
  it("is taken at its own time, long after its certificates have ended", async () => {
    for (const now of [NOW, NOW + 366n * 86_400n]) {
      expect(await judge(attest(), now)).toMatchObject({
        ...{ status: "asserted", source: "pins", asOf: { type: "time", time: String(NOW) } },
      });
    }
  });

  const document = attest();
  const zero = measurements.map((_, index) => [BigInt(index), new Uint8Array(48)] as const);
  it.each<[string, Uint8Array, RegExp]>([
    [
      "another signature",
      document.with(-1, (document.at(-1) ?? 0) ^ 1),
      /signature of the document is wrong/,
    ],
    [
      "a certificate that its issuer did not sign",
      attest({ overrides: { certificate: leafBy(makeP384Keys().privateKey) } }),
      /signature of the document is wrong/,
    ],
    [
      "a signature by another key than its certificate's",
      attest({ overrides: { certificate: leafBy(chain.instance.keys.privateKey) } }),
      /signature of the document is wrong/,
    ],
    [
      "another root of the same name",
      attest({
        overrides: {
          cabundle: [makeSimulatedChain({ now: NOW }).root, ...chain.cabundle.slice(1)],
        },
      }),
      /not the pinned root/,
    ],
    [
      "an authority left out",
      attest({ overrides: { cabundle: chain.cabundle.toSpliced(2, 1) } }),
      /issuer is not the subject/,
    ],
    [
      "certificates that were not valid then",
      attest({ overrides: { timestamp: (NOW - 1n) * 1000n } }),
      /not valid yet/,
    ],
    ["debug mode", attest({ overrides: { pcrs: { entries: zero } } }), /debug mode/],
    ["another key", attest({}, enclaveWith()), /vouches for another key/],
    ["no key", attest({ overrides: { user_data: null } }), /vouches for another key/],
    ["nothing in it", Uint8Array.of(0), /byte 0/],
  ])("is refuted with %s", async (_, bytes, reason) => {
    const line = await judge(bytes).catch((error: Error) => ({
      status: "refuted",
      detail: error.message,
    }));
    expect(line.status).toBe("refuted");
    expect(line.detail).toMatch(reason);
  });

  it("is refuted from the future, under another image, and of AWS's root", async () => {
    expect((await judge(attest(), NOW - 60n)).status).toBe("asserted");
    expect(await judge(attest(), NOW - 61n)).toMatchObject({
      status: "refuted",
      detail: expect.stringContaining("future"),
    });
    const others = { ...pins, images: [`0x${"00".repeat(32)}`] };
    expect((await judge(attest(), NOW, others)).detail).toMatch(/is not pinned$/);
    expect((await judge(attest(), NOW, { images: pins.images })).detail).toMatch(/pinned root/);
  });
});

const REAL = join(FIXTURES_FOLDER, "nitro");

describe.skipIf(!existsSync(REAL))("real documents, which HACA_FIXTURES has", () => {
  it("are sound or not as Node's cryptography finds them, under AWS's root", async () => {
    const files = readdirSync(REAL).filter((name) => name.endsWith(".bin"));
    const sound: string[] = [];
    for (const name of files) {
      const bytes = readFileSync(join(REAL, name));
      const now = parseDocument(bytes).timestamp / 1000n;
      const { errors } = verifyDocument({ bytes, now });
      const { status, detail } = await judge(bytes, now, {});
      expect(status).toBe("refuted");
      // None is of this key; of a sound one nothing else is wrong.
      expect([name, /another key/.test(detail)]).toEqual([name, errors.length === 0]);
      if (errors.length === 0) sound.push(name);
    }
    expect(sound.length).toBeGreaterThan(0);
    expect(sound.length).toBeLessThan(files.length);
  });
});

describe("a key", () => {
  const message = `0x${"0b".repeat(32)}`;
  const signed = (by: SimulatedEnclave) => ({
    ...{ key: hexlify(by.signingKey), message, signature: hexlify(by.sign(message)) },
  });

  it.each(["rsa", "p256", "secp256k1"] as const)(
    "signs as the contracts want it: %s",
    async (kind) => {
      const by = enclaveWith({ kind });
      expect(await isSignedByKey(signed(by))).toBe(true);
      expect(await isSignedByKey({ ...signed(by), message: `0x${"0c".repeat(32)}` })).toBe(false);
      expect(await isSignedByKey({ ...signed(by), key: signed(enclaveWith({ kind })).key })).toBe(
        false,
      );
    },
  );

  it("of RSA is of no other size or exponent than the contracts take", async () => {
    for (const modulusLength of [1024, 2056]) {
      const other = enclaveWith({ kind: "rsa", modulusLength });
      await expect(isSignedByKey(signed(other))).rejects.toThrow("2,048 to 4,096 bits");
    }
    const sound = signed(enclaveWith({ kind: "rsa" }));
    await expect(isSignedByKey({ ...sound, key: `${sound.key}00` })).rejects.toThrow("not in DER");
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
    await expect(isSignedByKey(signed(enclaveWith({ kind: "rsa", keys })))).rejects.toThrow(
      "65,537",
    );
  });

  it("that is none throws, so that it is refuted", async () => {
    await expect(isSignedByKey({ key: "0x00", message, signature: "0x00" })).rejects.toThrow();
    const off = withOtherEnd(hexlify(enclaveWith({ kind: "secp256k1" }).signingKey));
    await expect(
      isSignedByKey({ key: off, message, signature: `0x${"01".repeat(64)}1b` }),
    ).rejects.toThrow();
  });
});
