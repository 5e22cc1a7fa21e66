import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { encodeCbor } from "@haca/enclave-simulator/encodeCbor";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type DocumentOptions, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { expect } from "chai";
import { concat, hexlify } from "ethers";
import { network } from "hardhat";
import { START } from "../utils/attestationFixture.ts";
import { deployDocumentHarness } from "../utils/documentHarness.ts";

const connection = await network.create();
const harness = await deployDocumentHarness(connection.ethers);
const enclave = new SimulatedEnclave({
  chain: makeSimulatedChain({ now: START }),
  measurements: measurementsOf("image"),
  kind: "p256",
  now: START,
});
const attest = (options: Partial<DocumentOptions> = {}) =>
  enclave.attest({ now: START, nonce: Uint8Array.of(1, 2, 3), ...options });

type Fields = NonNullable<DocumentOptions["overrides"]>;
const pcr = (byte: number, length = 48) => new Uint8Array(length).fill(byte);
const pcrs = (...entries: [bigint, Uint8Array][]) => ({ entries });
const MEASURED = [0n, 1n, 2n].map((index): [bigint, Uint8Array] => [index, pcr(7)]);

describe("NitroDocument", () => {
  for (const isIndefinite of [true, false]) {
    it(`test_ReadsWhatTypeScriptReads_${isIndefinite ? "Indefinite" : "Definite"}Maps`, async () => {
      const bytes = attest({ isIndefinite });
      const expected = parseDocument(bytes);
      const actual = await harness.parseDocument(bytes);
      expect(actual.signedMessage).to.equal(hexlify(expected.signedMessage));
      expect(actual.signature).to.equal(hexlify(expected.signature));
      expect(actual.timestamp).to.equal(expected.timestamp);
      expect(actual.pcrs).to.equal(concat([0, 1, 2].map((i) => expected.pcrs.get(i) ?? "0x")));
      expect([...actual.certificates]).to.deep.equal(
        [...expected.cabundle, expected.certificate].map((der) => hexlify(der)),
      );
      expect(actual.userData).to.equal(hexlify(expected.userData ?? "0x"));
      expect(actual.nonce).to.equal("0x010203");
    });
  }

  it("test_AcceptsTheTag", async () => {
    const { timestamp } = await harness.parseDocument(concat(["0xd2", attest()]));
    expect(timestamp).to.equal(START * 1000n);
  });

  const accepted: Record<string, Fields> = {
    NullFields: { nonce: null, public_key: null, user_data: null },
    AbsentFields: { nonce: undefined, public_key: undefined, user_data: undefined } as never,
    LongestFields: { nonce: pcr(1, 1024), public_key: pcr(2, 1024), user_data: pcr(3, 1024) },
    SparsePcrs: { pcrs: pcrs(...MEASURED, [31n, pcr(1)]) },
    IndefinitePcrs: { pcrs: { entries: MEASURED, isIndefinite: true } },
    PcrsInAnyOrder: { pcrs: pcrs([4n, pcr(0)], ...[...MEASURED].reverse()) },
  };
  for (const [name, overrides] of Object.entries(accepted)) {
    it(`test_Accepts${name}`, async () => {
      await harness.parseDocument(attest({ overrides }));
    });
  }

  it("test_SkipsUnknownKeys", async () => {
    const extraEntries = [["future", { entries: [["a", [1n, "x", null]]] }]] as const;
    await harness.parseDocument(attest({ extraEntries }));
  });

  const refused: Record<string, [Fields, string]> = {
    DigestIsSha256: [{ digest: "SHA256" }, "NitroDocument_DigestUnsupported"],
    DigestIsBytes: [{ digest: new TextEncoder().encode("SHA384") }, "Cbor_UnexpectedType"],
    TimestampIsText: [{ timestamp: "1" }, "Cbor_UnexpectedType"],
    ModuleIdIsNumber: [{ module_id: 1n }, "Cbor_UnexpectedType"],
    CertificateEmpty: [{ certificate: pcr(0, 0) }, "NitroDocument_LengthInvalid"],
    CertificateTooLong: [{ certificate: pcr(0, 1025) }, "NitroDocument_LengthInvalid"],
    CabundleEmpty: [{ cabundle: [] }, "NitroDocument_LengthInvalid"],
    CabundleTooLong: [{ cabundle: Array(7).fill(pcr(1)) }, "NitroDocument_LengthInvalid"],
    CabundleHasEmptyEntry: [{ cabundle: [pcr(0, 0)] }, "NitroDocument_LengthInvalid"],
    CabundleIsBytes: [{ cabundle: pcr(1) }, "Cbor_UnexpectedType"],
    NonceTooLong: [{ nonce: pcr(0, 1025) }, "NitroDocument_LengthInvalid"],
    UserDataTooLong: [{ user_data: pcr(0, 1025) }, "NitroDocument_LengthInvalid"],
    PublicKeyTooLong: [{ public_key: pcr(0, 1025) }, "NitroDocument_LengthInvalid"],
    UserDataIsText: [{ user_data: "x" }, "Cbor_UnexpectedType"],
    PcrsAreList: [{ pcrs: [pcr(1), pcr(2), pcr(3)] }, "Cbor_UnexpectedType"],
    PcrsEmpty: [{ pcrs: pcrs() }, "NitroDocument_PcrMissing"],
    Pcr1Missing: [{ pcrs: pcrs([0n, pcr(1)], [2n, pcr(1)]) }, "NitroDocument_PcrMissing"],
    PcrIndex32: [{ pcrs: pcrs(...MEASURED, [32n, pcr(1)]) }, "NitroDocument_PcrIndexInvalid"],
    PcrRepeated: [{ pcrs: pcrs(...MEASURED, [1n, pcr(8)]) }, "NitroDocument_PcrRepeated"],
    PcrOf32Bytes: [{ pcrs: pcrs([0n, pcr(1, 32)]) }, "NitroDocument_LengthInvalid"],
    PcrIndexIsText: [{ pcrs: { entries: [["0", pcr(1)]] } }, "Cbor_UnexpectedType"],
    DebugMode: [
      { pcrs: pcrs(...MEASURED.map(([i]) => [i, pcr(0)] as [bigint, Uint8Array])) },
      "NitroDocument_DebugMode",
    ],
    Pcr2Zero: [{ pcrs: pcrs([0n, pcr(1)], [1n, pcr(1)], [2n, pcr(0)]) }, "NitroDocument_DebugMode"],
  };
  for (const [name, [overrides, error]] of Object.entries(refused)) {
    it(`test_RevertWhen_${name}`, async () => {
      await expect(harness.parseDocument(attest({ overrides }))).to.be.revertedWithCustomError(
        harness.contract,
        error,
      );
    });
  }

  for (const field of ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"]) {
    it(`test_RevertWhen_FieldMissing_${field}`, async () => {
      const overrides = { [field]: undefined } as never;
      await expect(harness.parseDocument(attest({ overrides }))).to.be.revertedWithCustomError(
        harness.contract,
        "NitroDocument_KeyMissing",
      );
    });
  }

  for (const [name, key] of [
    ["Known", "nonce"],
    ["Unknown", "future"],
  ] as const) {
    it(`test_RevertWhen_${name}KeyRepeated`, async () => {
      const extraEntries = [[key, pcr(1)] as const, [key, pcr(2)] as const];
      await expect(harness.parseDocument(attest({ extraEntries }))).to.be.revertedWithCustomError(
        harness.contract,
        "NitroDocument_KeyRepeated",
      );
    });
  }

  it("test_RevertWhen_TooManyUnknownKeys", async () => {
    const extraEntries = Array.from({ length: 9 }, (_, i) => [`future ${i}`, 0n] as const);
    await expect(harness.parseDocument(attest({ extraEntries }))).to.be.revertedWithCustomError(
      harness.contract,
      "NitroDocument_TooManyUnknownKeys",
    );
  });

  const payloads: Record<string, [(payload: Uint8Array) => Uint8Array, string]> = {
    BytesBehindThePayload: [(p) => Buffer.concat([p, Buffer.of(0)]), "Cbor_TrailingBytes"],
    PayloadWithoutBreak: [(p) => p.subarray(0, p.length - 1), "Cbor_Truncated"],
    PayloadIsList: [() => encodeCbor(["a"]), "Cbor_UnexpectedType"],
    PayloadEmpty: [() => new Uint8Array(), "Cbor_Truncated"],
    KeyIsNumber: [() => encodeCbor({ entries: [[1n, 1n]] }), "Cbor_UnexpectedType"],
  };
  for (const [name, [changePayload, error]] of Object.entries(payloads)) {
    it(`test_RevertWhen_${name}`, async () => {
      await expect(harness.parseDocument(attest({ changePayload }))).to.be.revertedWithCustomError(
        harness.contract,
        error,
      );
    });
  }

  const document = Buffer.from(attest());
  const changed = (offset: number, ...bytes: number[]) => {
    const copy = Buffer.from(document);
    copy.set(bytes, offset);
    return copy;
  };
  const envelopes: Record<string, [Uint8Array, string]> = {
    NoDocument: [new Uint8Array(), "NitroDocument_HeaderInvalid"],
    OtherTag: [Buffer.concat([Buffer.of(0xd1), document]), "NitroDocument_HeaderInvalid"],
    TaggedTwice: [Buffer.concat([Buffer.of(0xd2, 0xd2), document]), "NitroDocument_HeaderInvalid"],
    ArrayOfFive: [changed(0, 0x85), "NitroDocument_HeaderInvalid"],
    AlgorithmEs256: [changed(1, 0x43, 0xa1, 0x01, 0x26, 0xa0), "NitroDocument_HeaderInvalid"],
    AlgorithmEs512: [changed(5, 0x23), "NitroDocument_HeaderInvalid"],
    UnprotectedHeaderNotEmpty: [changed(6, 0xa1), "NitroDocument_HeaderInvalid"],
    BytesBehindTheDocument: [Buffer.concat([document, Buffer.of(0)]), "Cbor_TrailingBytes"],
    SignatureTruncated: [document.subarray(0, -1), "Cbor_Truncated"],
    SignatureOf95Bytes: [
      Buffer.concat([document.subarray(0, -98), Buffer.of(0x58, 95), Buffer.alloc(95, 1)]),
      "NitroDocument_LengthInvalid",
    ],
    SignatureMissing: [document.subarray(0, -98), "Cbor_Truncated"],
  };
  for (const [name, [bytes, error]] of Object.entries(envelopes)) {
    it(`test_RevertWhen_${name}`, async () => {
      await expect(harness.parseDocument(bytes)).to.be.revertedWithCustomError(
        harness.contract,
        error,
      );
    });
  }
});
