import { sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EvidenceError } from "@haca/attestation/EvidenceError";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { verifyDocument } from "@haca/attestation/nitro/verifyDocument";
import { generateP384Hints } from "@haca/attestation/p384/generateP384Hints";
import { parseCertificate, toRawSignature } from "@haca/attestation/x509/parseCertificate";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { explainRevert } from "@haca/protocol/explainRevert";
import { expect } from "chai";
import { hexlify, sha256 } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployVerifier, START } from "../utils/attestationFixture.ts";
import { deployDocumentHarness } from "../utils/documentHarness.ts";
import {
  CERTIFICATE_MUTATIONS,
  DOCUMENT_MUTATIONS,
  makeMutatedChain,
} from "../utils/evidenceMutations.ts";
import { FIXTURES_FOLDER } from "../utils/fixturesFolder.ts";
import { type Random, seededRandom } from "../utils/seededRandom.ts";
import { GAS } from "../utils/transactionGas.ts";

const isDeep = process.env.HACA_DEEP === "1";
const SEED = process.env.HACA_SEED ?? "verdict";
const LEVELS = 4;
const NONE = "none";

/** Sig_structure of RFC 9052 up to the payload. */
const SIGNATURE_CONTEXT = Buffer.from("846a5369676e61747572653144a101382240", "hex");
const HEADER_LENGTH = 7;
/** The signature with its CBOR header. */
const SIGNATURE_PART = 98;

type Verdict = { isAccepted: boolean; errors: readonly string[] };
type Verifier = Awaited<ReturnType<typeof deployVerifier>>["verifier"];

/** What TypeScript says; every error that it finds. */
function judge(bytes: Uint8Array, now: bigint, rootFingerprint: string): Verdict {
  try {
    const { errors } = verifyDocument({ bytes, now, rootFingerprint });
    return { isAccepted: errors.length === 0, errors: errors.map(({ name }) => name) };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { isAccepted: false, errors: [error.error] };
  }
}

/** What the contract says, with the best hints that there are; its one error. */
async function ask(verifier: Verifier, document: Uint8Array): Promise<Verdict> {
  try {
    await verifier.verify.staticCall(document, bestHints(document), GAS);
    return { isAccepted: true, errors: [] };
  } catch (error) {
    const { name } = explainRevert((error as { data?: string }).data);
    return { isAccepted: false, errors: [name.startsWith("EcdsaP384") ? "EcdsaP384" : name] };
  }
}

/** Hints for every signature that is valid; for another one, nothing helps. */
function bestHints(document: Uint8Array): string[] {
  const attempt = (make: () => Uint8Array): string => {
    try {
      return hexlify(make());
    } catch {
      return "0x";
    }
  };
  try {
    const { cabundle, certificate, signedMessage, signature } = parseDocument(document);
    const chain = [...cabundle, certificate];
    const keyOf = (i: number) => parseCertificate(chain[i] ?? new Uint8Array()).publicKey;
    const hints = chain.slice(1).map((der, i) =>
      attempt(() => {
        const child = parseCertificate(der);
        const raw = toRawSignature(child.signature);
        return generateP384Hints({ message: child.tbs, publicKey: keyOf(i), signature: raw });
      }),
    );
    const last = attempt(() =>
      generateP384Hints({
        ...{ message: signedMessage, publicKey: keyOf(chain.length - 1), signature },
      }),
    );
    return [...hints, last];
  } catch {
    return [];
  }
}

/** The contract reads on after what TypeScript calls debug mode, and stops at debug mode where TypeScript reads on. */
function expectSame(actual: Verdict, expected: Verdict, name: string): void {
  const shown = `${name}: contract ${expected.errors}, here ${actual.errors}`;
  expect(actual.isAccepted, shown).to.equal(expected.isAccepted);
  const [error] = expected.errors;
  if (error === undefined || error === "NitroDocument_DebugMode") return;
  expect(actual.errors, shown).to.include(error);
}

describe("verdict on documents, here and by the contracts", () => {
  describe("mutated chains and documents", () => {
    let verifier: Verifier;
    let time: bigint;
    let connection: NetworkConnection;
    const { rootAuthority: root } = makeSimulatedChain({ now: START });
    const rootFingerprint = sha256(root.certificate);
    const random = seededRandom(SEED);
    const seen = { accepted: 0, refused: new Set<string>() };

    before(async () => {
      connection = await network.create();
      await connection.networkHelpers.time.setNextBlockTimestamp(START + 1000n);
      verifier = (await deployVerifier({ connection, root: root.certificate })).verifier;
      // Calls run in a block of a time that only the chain knows.
      const document = make({ level: 1, certificate: NONE, document: NONE, at: 0n });
      const data = await verifier.verify.staticCall(document, [], GAS).then(
        () => "0x",
        (error: { data: string }) => error.data,
      );
      time = verifier.interface.parseError(data)?.args[0] + 300n;
    });
    after(() => connection.close());

    function make(parameters: {
      level: number;
      certificate: string;
      document: string;
      at?: bigint;
      chance?: Random;
    }): Uint8Array {
      const { level, at = time, chance = random } = parameters;
      const { payload, whole, ...options } = DOCUMENT_MUTATIONS(at)[parameters.document] ?? {};
      const { cabundle, leaf } = makeMutatedChain({
        ...{ root, time: at, level, random: chance },
        mutation: CERTIFICATE_MUTATIONS[parameters.certificate] ?? {},
      });
      const enclave = new SimulatedEnclave({
        ...{ chain: makeSimulatedChain({ now: at, root }), kind: "p256", now: at },
        measurements: measurementsOf("image"),
      });
      const change = options.changePayload;
      const made = Buffer.from(
        enclave.attest({
          ...{ now: at, nonce: new Uint8Array(20).fill(7), ...options },
          overrides: { certificate: leaf.certificate, cabundle, ...options.overrides },
          changePayload: (bytes) => {
            const changed = change?.(bytes) ?? bytes;
            return payload?.(changed, chance) ?? changed;
          },
        }),
      );
      const message = [SIGNATURE_CONTEXT, made.subarray(HEADER_LENGTH, -SIGNATURE_PART)];
      const signature = sign("sha384", Buffer.concat(message), {
        ...{ key: leaf.privateKey, dsaEncoding: "ieee-p1363" },
      });
      made.set(signature, made.length - signature.length);
      return whole?.(made, chance) ?? made;
    }

    async function compare(kinds: Parameters<typeof make>[0]): Promise<void> {
      const document = make(kinds);
      const expected = await ask(verifier, document);
      expectSame(judge(document, time, rootFingerprint), expected, JSON.stringify(kinds));
      if (expected.isAccepted) seen.accepted += 1;
      for (const error of expected.errors) seen.refused.add(error);
    }

    it("test_EveryKindOfChange", async function () {
      this.timeout(1_200_000);
      for (const document of Object.keys(DOCUMENT_MUTATIONS(time))) {
        await compare({ level: 1, certificate: NONE, document });
      }
      for (const certificate of Object.keys(CERTIFICATE_MUTATIONS)) {
        for (const level of isDeep ? [1, 2, 3, 4] : [1 + random.below(LEVELS)]) {
          await compare({ level, certificate, document: NONE });
        }
      }
      // The comparison is worth something only if most rules are met.
      expect(seen.accepted).to.be.greaterThan(15);
      expect([...seen.refused]).to.include.members([
        ...["CertificateStore_Expired", "CertificateStore_NotYetValid", "EcdsaP384"],
        ...["X509_ExtensionRefused", "X509_FieldInvalid", "X509_TimeInvalid"],
        ...["Der_TrailingBytes", "Der_IntegerTooLong", "CertificateStore_IssuerMismatch"],
        ...["NitroDocument_DebugMode", "NitroDocument_KeyRepeated", "Cbor_NestingTooDeep"],
        ...["AttestationVerifier_EvidenceTooOld", "AttestationVerifier_EvidenceFromFuture"],
      ]);
    });

    it("testFuzz_ChangesTogether", async function () {
      this.timeout(3_600_000);
      const certificates = Object.keys(CERTIFICATE_MUTATIONS);
      const documents = Object.keys(DOCUMENT_MUTATIONS(time));
      for (let i = 0; i < (isDeep ? 3_000 : 8); i++) {
        await compare({
          level: 1 + random.below(LEVELS),
          certificate: random.pick(certificates),
          document: random.pick(random.below(3) === 0 ? documents : [NONE, "anyPayloadByte"]),
        });
      }
    });

    it("test_PathLengthsAndKeyUsagesAtEveryLevel", async function () {
      this.timeout(1_200_000);
      for (const certificate of ["pathLengthZero", "noAuthority", "authority", "usageSwapped"]) {
        for (const level of isDeep ? [1, 2, 3, 4] : [1, LEVELS]) {
          await compare({ level, certificate, document: NONE });
        }
      }
      expect([...seen.refused]).to.include.members([
        ...["CertificateStore_PathRefused", "CertificateStore_KeyUsageInvalid"],
      ]);
    });

    it("testFuzz_ReadersAgreeOnEveryByte", async function () {
      this.timeout(3_600_000);
      const harness = await deployDocumentHarness(connection.ethers);
      const chance = seededRandom(`${SEED} bytes`);
      const document = make({ level: 1, certificate: NONE, document: NONE, chance });
      const [, authority = new Uint8Array()] = parseDocument(document).cabundle;
      const readers = [
        { bytes: document, read: parseDocument, call: harness.parseDocument },
        { bytes: authority, read: parseCertificate, call: harness.parseCertificate },
      ];
      for (const { bytes, read, call } of readers) {
        for (let i = 0; i < (isDeep ? 20_000 : 300); i++) {
          const changed = spoil(bytes, chance);
          const here = errorOf(() => read(changed));
          const there: string = await call(changed).then(
            () => NONE,
            (error: { data?: string }) => explainRevert(error.data).name,
          );
          if (there === "NitroDocument_DebugMode") continue;
          expect(here, hexlify(changed)).to.equal(there);
        }
      }
    });
  });

  describe("documents that failed", () => {
    const folder = join(FIXTURES_FOLDER, "cases", "attestation");
    before(function () {
      if (existsSync(folder)) return;
      console.log(`      skipped: ${folder} is missing (HACA_FIXTURES names its parent)`);
      this.skip();
    });

    it("test_CasesGetTheContractsVerdict", async () => {
      const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
      const root = read("root.der");
      const connection = await network.create({
        override: { initialDate: new Date("2026-11-28T00:00:00Z") },
      });
      const { verifier } = await deployVerifier({ connection, root });
      const { networkHelpers } = connection;
      for (const [name, error] of [
        ["00-sound.bin", undefined],
        ["01-pathlen-violated.bin", "CertificateStore_PathRefused"],
        ["02-leaf-without-digitalSignature.bin", "CertificateStore_KeyUsageInvalid"],
        ["05-unknown-critical-extension.bin", "X509_ExtensionRefused"],
      ] as const) {
        const document = read(name);
        const now = parseDocument(document).timestamp / 1000n;
        if ((await networkHelpers.time.latest()) < Number(now)) {
          await networkHelpers.time.increaseTo(now);
        }
        const expected = await ask(verifier, document);
        expect(expected.errors, name).to.deep.equal(error === undefined ? [] : [error]);
        expectSame(judge(document, now, sha256(root)), expected, name);
      }
      await connection.close();
    });
  });
});

/** A byte changed, left out, doubled or put in. */
function spoil(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  const value = random.below(256);
  const parts = random.pick([
    [bytes.subarray(0, at), Buffer.of(value), bytes.subarray(at + 1)],
    [bytes.subarray(0, at), bytes.subarray(at + 1)],
    [bytes.subarray(0, at + 1), bytes.subarray(at)],
    [bytes.subarray(0, at), Buffer.of(value), bytes.subarray(at)],
    [bytes.subarray(0, at)],
  ]);
  return new Uint8Array(Buffer.concat(parts));
}

function errorOf(read: () => unknown): string {
  try {
    read();
    return NONE;
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return error.error;
  }
}
