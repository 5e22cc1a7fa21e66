import { generateKeyPairSync } from "node:crypto";
import { parseCertificate, toRawSignature } from "@haca/attestation/x509/parseCertificate";
import { type CertificateFields, makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { makeP384Keys } from "@haca/enclave-simulator/simulatedChain";
import { expect } from "chai";
import { hexlify } from "ethers";
import { network } from "hardhat";
import { START } from "../utils/attestationFixture.ts";
import { deployDocumentHarness } from "../utils/documentHarness.ts";

const connection = await network.create();
const harness = await deployDocumentHarness(connection.ethers);
const issuerKeys = makeP384Keys();
const fields: CertificateFields = {
  issuer: "issuer",
  subject: "subject",
  serial: 2n ** 159n + 5n,
  notBefore: START,
  notAfter: START + 1000n,
  publicKey: makeP384Keys().publicKey,
  authority: { pathLength: 2 },
};
const make = (changes: Partial<CertificateFields> = {}) =>
  Buffer.from(
    makeCertificate({ fields: { ...fields, ...changes }, issuerKey: issuerKeys.privateKey }),
  );
const hex = (text: string) => Buffer.from(text, "hex");

/** The certificate with the first occurrence of `from` replaced by as many bytes. */
function replaced(der: Buffer, from: string, to: string): Buffer {
  const at = der.indexOf(hex(from));
  if (at < 0 || from.length !== to.length) throw new Error(`nothing to replace: ${from}`);
  const copy = Buffer.from(der);
  copy.set(hex(to), at);
  return copy;
}

describe("X509", () => {
  it("test_ReadsWhatTypeScriptReads", async () => {
    const der = make();
    const expected = parseCertificate(der);
    const actual = await harness.parseCertificate(der);
    for (const name of ["tbs", "issuer", "subject", "publicKey"] as const) {
      expect(actual[name], name).to.equal(hexlify(expected[name]));
    }
    for (const name of ["serial", "notBefore", "notAfter"] as const) {
      expect(actual[name], name).to.equal(expected[name]);
    }
    expect(actual.isAuthority).to.equal(true);
    expect(actual.pathLength).to.equal(2n);
    expect(actual.signature).to.equal(hexlify(expected.signature));
    expect(await harness.toRawSignature(actual.signature)).to.equal(
      hexlify(toRawSignature(expected.signature)),
    );
  });

  it("test_ReadsCertificatesOfBothKinds", async () => {
    const { authority: _, ...leafFields } = fields;
    const leaf = await harness.parseCertificate(
      makeCertificate({ fields: leafFields, issuerKey: issuerKeys.privateKey }),
    );
    expect(leaf.isAuthority).to.equal(false);
    expect(leaf.keyUsage).to.equal(0x80n);
    const unlimited = await harness.parseCertificate(make({ authority: {} }));
    expect(unlimited.pathLength).to.equal(255n);
  });

  it("test_ReadsTimesOfBothForms", async () => {
    const times = [
      "1970-01-01T00:00:00Z",
      "2049-12-31T23:59:59Z",
      "2050-01-01T00:00:00Z",
      "2054-02-28T01:02:03Z",
    ];
    for (const time of times) {
      const notAfter = BigInt(Date.parse(time) / 1000);
      expect((await harness.parseCertificate(make({ notAfter }))).notAfter, time).to.equal(
        notAfter,
      );
    }
  });

  it("test_PassesOverUnknownExtensions", async () => {
    const extraExtensions = [hex("300b0603551d0e040403020100")];
    await harness.parseCertificate(make({ extraExtensions }));
  });

  const der = make();
  const notAfter = Buffer.from("300317180640Z").toString("hex");
  const refused: Record<string, [Buffer, string]> = {
    Empty: [Buffer.alloc(0), "Der_Truncated"],
    Truncated: [der.subarray(0, -1), "Der_Truncated"],
    BytesBehindTheCertificate: [Buffer.concat([der, Buffer.of(0)]), "Der_TrailingBytes"],
    OuterIsSet: [Buffer.concat([Buffer.of(0x31), der.subarray(1)]), "Der_UnexpectedTag"],
    Version1: [replaced(der, "a003020102", "a003020100"), "X509_FieldInvalid"],
    SerialOf21Bytes: [make({ serial: 2n ** 160n }), "Der_IntegerTooLong"],
    AlgorithmSha256: [replaced(der, "2a8648ce3d040303", "2a8648ce3d040302"), "X509_FieldInvalid"],
    KeyOnAnotherCurve: [replaced(der, "06052b81040022", "06052b81040023"), "X509_FieldInvalid"],
    KeyCompressed: [replaced(der, "03620004", "03620002"), "X509_FieldInvalid"],
    KeyWithUnusedBits: [replaced(der, "03620004", "03620104"), "X509_FieldInvalid"],
    NotUtc: [replaced(der, "5a170d", "5b170d"), "X509_TimeInvalid"],
    TimeTagOther: [replaced(der, "170d33", "130d33"), "Der_UnexpectedTag"],
    Month13: [replaced(der, notAfter.slice(0, 8), hexOf("3013")), "X509_TimeInvalid"],
    DigitMissing: [replaced(der, notAfter.slice(0, 8), hexOf("30 3")), "X509_TimeInvalid"],
    CaFalseWritten: [
      replaced(der, "30060101ff0201", "300601010002 01".replace(" ", "")),
      "X509_FieldInvalid",
    ],
    CaTrueAsOne: [replaced(der, "30060101ff0201", "30060101010201"), "X509_FieldInvalid"],
    PathLengthNegative: [
      replaced(der, "30060101ff020102", "30060101ff020182"),
      "Der_IntegerInvalid",
    ],
    KeyUsageOfOtherType: [replaced(der, "040403020204", "040404020204"), "Der_UnexpectedTag"],
    KeyUsageBitsUnsound: [replaced(der, "040403020204", "040403020304"), "X509_FieldInvalid"],
    KeyUsageEmpty: [replaced(der, "040403020204", "040403020000"), "X509_FieldInvalid"],
    ConstraintsMissing: [replaced(der, "0603551d13", "0603551d12"), "X509_ExtensionRefused"],
    KeyUsageMissing: [
      replaced(der, "0603551d0f0101ff", "0603551d0e0101ff"),
      "X509_ExtensionRefused",
    ],
    ConstraintsRepeated: [
      make({ extraExtensions: [hex("300f0603551d130101ff040530030101ff")] }),
      "X509_ExtensionRefused",
    ],
    KeyUsageRepeated: [
      make({ extraExtensions: [hex("300e0603551d0f0101ff040403020204")] }),
      "X509_ExtensionRefused",
    ],
    CriticalExtensionUnknown: [
      make({ extraExtensions: [hex("300e0603551d1e0101ff040403020204")] }),
      "X509_ExtensionRefused",
    ],
    ExtensionWithTrailingBytes: [
      make({ extraExtensions: [hex("300d0603551d0e0404030201000500")] }),
      "Der_TrailingBytes",
    ],
    SignatureWithUnusedBits: [unusedBits(der), "X509_FieldInvalid"],
  };
  for (const [name, [bytes, error]] of Object.entries(refused)) {
    it(`test_RevertWhen_${name}`, async () => {
      await expect(harness.parseCertificate(bytes)).to.be.revertedWithCustomError(
        harness.contract,
        error,
      );
    });
  }

  it("test_RevertWhen_RsaKey", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await expect(harness.parseCertificate(make({ publicKey }))).to.be.revertedWithCustomError(
      harness.contract,
      "X509_FieldInvalid",
    );
  });

  it("test_YearsFrom50InTwoDigitsAreThoseOf1950", async () => {
    const notAfter = BigInt(Date.parse("2049-12-31T23:59:59Z") / 1000);
    const inYear = (year: string) =>
      replaced(make({ notAfter }), hexOf("491231235959Z"), hexOf(`${year}1231235959Z`));
    for (const year of ["50", "69"]) {
      await expect(harness.parseCertificate(inYear(year)), year).to.be.revertedWithCustomError(
        harness.contract,
        "X509_TimeInvalid",
      );
    }
    expect((await harness.parseCertificate(inYear("70"))).notAfter).to.equal(
      BigInt(Date.parse("1970-12-31T23:59:59Z") / 1000),
    );
  });

  it("test_RevertWhen_YearOf2049InFourDigits", async () => {
    const long = make({ notAfter: BigInt(Date.parse("2050-06-01T00:00:00Z") / 1000) });
    const early = replaced(long, hexOf("20500601"), hexOf("20490601"));
    await expect(harness.parseCertificate(early)).to.be.revertedWithCustomError(
      harness.contract,
      "X509_TimeInvalid",
    );
  });
});

function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}

/** The certificate with a signature that claims unused bits. */
function unusedBits(der: Buffer): Buffer {
  const copy = Buffer.from(der);
  const at = copy.lastIndexOf(hex("2a8648ce3d040303")) + 8;
  copy[at + 2] = 1;
  return copy;
}
