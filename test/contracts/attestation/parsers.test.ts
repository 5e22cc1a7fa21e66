import { expect } from "chai";
import { network } from "hardhat";
import { deployDocumentHarness } from "../utils/documentHarness.ts";

const connection = await network.create();
const harness = await deployDocumentHarness(connection.ethers);

/** A call that has to fail, and with which error. */
type Refusal = [what: string, data: string, error: string];

function refuse(
  name: "readUnsigned" | "readBytes" | "readText" | "readArray" | "countEntries" | "skip",
  refusals: readonly Refusal[],
): void {
  for (const [what, data, error] of refusals) {
    it(`test_RevertWhen_${what}`, async () => {
      await expect(harness[name](data)).to.be.revertedWithCustomError(harness.contract, error);
    });
  }
}

describe("Cbor", () => {
  it("test_ReadsIntegersOfEverySize", async () => {
    const vectors: [string, bigint][] = [
      ["0x00", 0n],
      ["0x17", 23n],
      ["0x1818", 24n],
      ["0x18ff", 255n],
      ["0x190100", 256n],
      ["0x1a00010000", 65536n],
      ["0x1b0000000100000000", 2n ** 32n],
      ["0x1bffffffffffffffff", 2n ** 64n - 1n],
    ];
    for (const [data, value] of vectors) {
      const read = await harness.readUnsigned(`${data}00`);
      expect(read.value).to.equal(value);
      expect(read.consumed).to.equal(BigInt(data.length / 2 - 1));
    }
  });

  it("test_ReadsStringsMapsAndNull", async () => {
    expect((await harness.readBytes("0x43010203")).value).to.equal("0x010203");
    expect((await harness.readBytes("0x40")).value).to.equal("0x");
    expect((await harness.readText("0x6161")).value).to.equal("0x61");
    expect((await harness.readBytesOrNull("0xf6")).value).to.equal("0x");
    expect((await harness.readBytesOrNull("0x4101")).value).to.equal("0x01");
    expect((await harness.countEntries("0xa20102030405")).count).to.equal(2n);
    expect((await harness.countEntries("0xbf01020304ff")).count).to.equal(2n);
    expect((await harness.countEntries("0xbfff")).count).to.equal(0n);
    expect(await harness.readArray("0x84")).to.equal(4n);
  });

  it("test_SkipsEveryKindOfItem", async () => {
    const items = [
      "0x00",
      "0x3903e7",
      "0x4401020304",
      "0x6449455446",
      "0x83010203",
      "0xa201020304",
      "0xbf6161016162a0ff",
      "0xc074323031332d30332d32315432303a30343a30305a",
      "0xf4",
      "0xf6",
      "0xf820",
      "0xf93c00",
      "0xfb3ff199999999999a",
      // as deep as it goes
      `0x${"81".repeat(7)}00`,
      `0x${"c1".repeat(7)}00`,
      `0x${"bf00".repeat(7)}00${"ff".repeat(7)}`,
    ];
    for (const item of items) {
      expect(await harness.skip(`${item}ffff`), item).to.equal(BigInt(item.length / 2 - 1));
    }
  });

  refuse("readUnsigned", [
    ["IntegerMissing", "0x", "Cbor_Truncated"],
    ["IntegerTruncated", "0x1901", "Cbor_Truncated"],
    ["EightByteIntegerTruncated", "0x1b00000000000000", "Cbor_Truncated"],
    ["IntegerInTwoBytesFitsOne", "0x1817", "Cbor_NotShortestForm"],
    ["IntegerInThreeBytesFitsTwo", "0x1900ff", "Cbor_NotShortestForm"],
    ["IntegerInFiveBytesFitsThree", "0x1a0000ffff", "Cbor_NotShortestForm"],
    ["IntegerInNineBytesFitsFive", "0x1b00000000ffffffff", "Cbor_NotShortestForm"],
    ["IntegerNegative", "0x20", "Cbor_UnexpectedType"],
    ["IntegerIsText", "0x60", "Cbor_UnexpectedType"],
    ["IntegerTagged", "0xc100", "Cbor_UnexpectedType"],
    ["IntegerHeaderReserved", "0x1c", "Cbor_UnsupportedHeader"],
    ["IntegerIndefinite", "0x1f", "Cbor_UnsupportedHeader"],
  ]);

  refuse("readBytes", [
    ["BytesTruncated", "0x430102", "Cbor_Truncated"],
    ["BytesAreText", "0x6161", "Cbor_UnexpectedType"],
    ["BytesAreNull", "0xf6", "Cbor_UnexpectedType"],
    ["BytesAreArray", "0x8101", "Cbor_UnexpectedType"],
    ["BytesIndefinite", "0x5f4101ff", "Cbor_UnsupportedHeader"],
    ["BytesLengthNotShortest", "0x580101", "Cbor_NotShortestForm"],
    ["BytesLengthTwoTo64", "0x5bffffffffffffffff01", "Cbor_Truncated"],
    ["BytesLengthTwoTo32", "0x5a80000000", "Cbor_Truncated"],
  ]);

  refuse("readText", [
    ["TextIsBytes", "0x4161", "Cbor_UnexpectedType"],
    ["TextTruncated", "0x6261", "Cbor_Truncated"],
    ["TextIndefinite", "0x7f6161ff", "Cbor_UnsupportedHeader"],
  ]);

  refuse("readArray", [
    ["ArrayIndefinite", "0x9f01ff", "Cbor_UnsupportedHeader"],
    ["ArrayIsMap", "0xa0", "Cbor_UnexpectedType"],
  ]);

  refuse("countEntries", [
    ["MapTruncated", "0xa101", "Cbor_Truncated"],
    ["MapWithoutBreak", "0xbf0102", "Cbor_Truncated"],
    ["MapOfTwoTo64Entries", "0xbbffffffffffffffff0102", "Cbor_Truncated"],
    ["MapSizeNotShortest", "0xb8010102", "Cbor_NotShortestForm"],
    ["BreakInsteadOfValue", "0xbf01ff", "Cbor_UnsupportedHeader"],
    ["BreakInDefiniteMap", "0xa101ff", "Cbor_UnsupportedHeader"],
    ["MapIsArray", "0x80", "Cbor_UnexpectedType"],
  ]);

  refuse("skip", [
    ["NothingToSkip", "0x", "Cbor_Truncated"],
    ["LoneBreak", "0xff", "Cbor_UnsupportedHeader"],
    ["ArrayShorterThanItsLength", "0x8301", "Cbor_Truncated"],
    ["ArrayOfTwoTo64Items", "0x9bffffffffffffffff", "Cbor_Truncated"],
    ["SimpleValueInTwoBytesFitsOne", "0xf81f", "Cbor_NotShortestForm"],
    ["FloatTruncated", "0xfb3ff1", "Cbor_Truncated"],
    ["TagWithoutItem", "0xc1", "Cbor_Truncated"],
    ["IndefiniteMapEndsBehindAKey", "0xbf6161ff", "Cbor_UnsupportedHeader"],
    ["IndefiniteMapWithoutEnd", "0xbf616101", "Cbor_Truncated"],
    ["IndefiniteMapWithoutAnything", "0xbf", "Cbor_Truncated"],
    ["NestedNineArrays", `0x${"81".repeat(8)}00`, "Cbor_NestingTooDeep"],
    ["NestedIndefiniteMaps", `0x${"bf00".repeat(8)}00${"ff".repeat(8)}`, "Cbor_NestingTooDeep"],
    ["NestedTags", `0x${"c1".repeat(8)}00`, "Cbor_NestingTooDeep"],
  ]);
});

describe("Der", () => {
  const SEQUENCE = 0x30;
  const hex = (length: number) => "00".repeat(length);

  it("test_ReadsEveryLengthForm", async () => {
    expect((await harness.readDer("0x3000ff", SEQUENCE)).consumed).to.equal(2n);
    expect((await harness.readDer(`0x307f${hex(127)}`, SEQUENCE)).content).to.equal(
      `0x${hex(127)}`,
    );
    expect((await harness.readDer(`0x308180${hex(128)}`, SEQUENCE)).consumed).to.equal(131n);
    expect((await harness.readDer(`0x30820100${hex(256)}`, SEQUENCE)).consumed).to.equal(260n);
  });

  it("test_ReadsIntegers", async () => {
    const vectors: [string, bigint][] = [
      ["0x020100", 0n],
      ["0x02017f", 127n],
      ["0x02020080", 128n],
      ["0x02020100", 256n],
      [`0x022100${"ff".repeat(32)}`, 2n ** 256n - 1n],
    ];
    for (const [data, value] of vectors)
      expect(await harness.readDerUnsigned(data, 32)).to.equal(value);
  });

  const refusals: Refusal[] = [
    ["Empty", "0x", "Der_Truncated"],
    ["TagAlone", "0x30", "Der_Truncated"],
    ["ContentTruncated", "0x300200", "Der_Truncated"],
    ["LengthTruncated", "0x3082ff", "Der_Truncated"],
    ["OtherTag", "0x3100", "Der_UnexpectedTag"],
    ["PrimitiveTag", "0x1000", "Der_UnexpectedTag"],
    ["LengthIndefinite", "0x30800000", "Der_LengthInvalid"],
    ["LengthInTwoBytesFitsOne", `0x30817f${hex(127)}`, "Der_LengthInvalid"],
    ["LengthInThreeBytesFitsTwo", `0x308200ff${hex(255)}`, "Der_LengthInvalid"],
    ["LengthInThreeBytesFitsOne", "0x30820000", "Der_LengthInvalid"],
    ["LengthOfThreeBytes", `0x3083000001${hex(1)}`, "Der_LengthInvalid"],
    ["LengthOf2To64", "0x3088ffffffffffffffff", "Der_LengthInvalid"],
    ["LengthReserved", "0x30ff00", "Der_LengthInvalid"],
  ];
  for (const [what, data, error] of refusals) {
    it(`test_RevertWhen_${what}`, async () => {
      await expect(harness.readDer(data, SEQUENCE)).to.be.revertedWithCustomError(
        harness.contract,
        error,
      );
    });
  }

  it("test_UnexpectedTagIsNamed", async () => {
    await expect(harness.readDer("0x3100", SEQUENCE))
      .to.be.revertedWithCustomError(harness.contract, "Der_UnexpectedTag")
      .withArgs(0, SEQUENCE, 0x31);
  });

  const integers: Refusal[] = [
    ["IntegerEmpty", "0x0200", "Der_IntegerInvalid"],
    ["IntegerNegative", "0x020180", "Der_IntegerInvalid"],
    ["IntegerWithRedundantZero", "0x02020001", "Der_IntegerInvalid"],
    ["IntegerZeroInTwoBytes", "0x02020000", "Der_IntegerInvalid"],
    ["IntegerTooLong", `0x0221${"01".repeat(33)}`, "Der_IntegerTooLong"],
    ["IntegerIsBitString", "0x030101", "Der_UnexpectedTag"],
  ];
  for (const [what, data, error] of integers) {
    it(`test_RevertWhen_${what}`, async () => {
      await expect(harness.readDerUnsigned(data, 32)).to.be.revertedWithCustomError(
        harness.contract,
        error,
      );
    });
  }

  it("test_PadsSignatures", async () => {
    const raw = await harness.toRawSignature("0x30070201050202008f");
    expect(raw).to.equal(`0x${"00".repeat(47)}05${"00".repeat(47)}8f`);
  });

  const signatures: Refusal[] = [
    ["SignatureHasTrailingBytes", "0x300602010502010500", "Der_TrailingBytes"],
    ["SignatureHasThirdInteger", "0x3009020105020105020105", "Der_TrailingBytes"],
    ["SignatureHasOneInteger", "0x3003020105", "Der_Truncated"],
    ["SignatureOf49Bytes", `0x30360231${"01".repeat(49)}020101`, "Der_IntegerTooLong"],
    ["SignatureNegative", "0x3006020185020105", "Der_IntegerInvalid"],
    ["SignatureIsSet", "0x3106020105020105", "Der_UnexpectedTag"],
  ];
  for (const [what, data, error] of signatures) {
    it(`test_RevertWhen_${what}`, async () => {
      await expect(harness.toRawSignature(data)).to.be.revertedWithCustomError(
        harness.contract,
        error,
      );
    });
  }
});
