import { encodeVerifyingKey } from "@haca/protocol/groth16";
import { computeVersionId } from "@haca/protocol/modelIds";
import { type TensorLayout, wordCount } from "@haca/protocol/packedWords";
import { expect } from "chai";
import { concat, dataSlice } from "ethers";
import { network } from "hardhat";
import { P, pointOutsideG2 } from "../utils/bn254.ts";
import { deployMock } from "../utils/deployMock.ts";
import { encodeG1, encodeG2, makeTrapdoor, makeVerifyingKey } from "../utils/groth16Simulator.ts";
import { addToCoordinate } from "../utils/proofParts.ts";
import { scalarsFrom } from "../utils/randomScalars.ts";
import {
  deployRegistry,
  GOOD_KEY,
  GOOD_PARAMS,
  type RegistryFixture,
} from "../utils/registryFixture.ts";
import { COMMITTED, SIGNAL_COUNT, type VersionParams } from "../utils/settlementFixture.ts";
import { KEY_VECTORS, makeKeyVectors } from "../utils/verifyingKeyVectors.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const deploy = () => deployRegistry(connection);
const LAYOUT_RUNS = process.env.HACA_DEEP === "1" ? 500 : 25;
/** Offsets in a verifying key. */
const BETA = 64;
const GAMMA = 192;
const DELTA = 320;
const IC = 448;

/** Where a point of the vectors lies. */
const offsetOf = (point: string): number => {
  const index = /^IC\[(\d+)\]$/.exec(point)?.[1];
  if (index !== undefined) return IC + 64 * Number(index);
  return { alpha: 0, beta: BETA, gamma: GAMMA, delta: DELTA }[point] ?? Number.NaN;
};

const KEY_ERRORS = {
  pointInvalid: "ModelRegistry_VerifyingKeyPointInvalid",
  pointIsGenerator: "ModelRegistry_VerifyingKeyPointIsGenerator",
  pointsRelated: "ModelRegistry_VerifyingKeyPointsRelated",
};

const replaceAt = (key: string, offset: number, point: string): string =>
  concat([dataSlice(key, 0, offset), point, dataSlice(key, offset + (point.length - 2) / 2)]);

describe("ModelRegistry: what is published", () => {
  let fixture: RegistryFixture;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
  });

  const publish = (overrides: Partial<VersionParams> = {}) =>
    fixture.registry.publishVersion(fixture.modelId, { ...GOOD_PARAMS, ...overrides });
  const versionIdOf = (major: number, minor: number) =>
    computeVersionId({ modelId: fixture.modelId, major, minor });
  const expectRefusal = (publishing: Promise<unknown>, error: string, ...values: unknown[]) =>
    expect(publishing)
      .to.be.revertedWithCustomError(fixture.registry, error)
      .withArgs(...values);

  describe("layouts", () => {
    const tensor = (count: number, bits: number): TensorLayout => ({
      ...{ count, bits, isSigned: false, scaleExponent: 0 },
    });

    it("test_RevertWhen_LayoutEmpty", async () => {
      for (const name of ["inputLayout", "outputLayout"]) {
        await expectRefusal(publish({ [name]: [] }), "ModelRegistry_LayoutEmpty");
      }
    });

    it("test_RevertWhen_TensorInvalid", async () => {
      for (const bad of [tensor(0, 8), tensor(1, 0), tensor(1, 249)]) {
        await expectRefusal(
          publish({ outputLayout: [tensor(1, 1), bad] }),
          "ModelRegistry_LayoutInvalid",
          1n,
          bad.count,
          bad.bits,
        );
      }
    });

    it("test_RevertWhen_TooManyTensors", async () => {
      const inputLayout = Array.from({ length: 17 }, () => tensor(1, 1));
      await expectRefusal(publish({ inputLayout }), "ModelRegistry_TooManyTensors", 16n, 17n);
    });

    it("test_RevertWhen_TooManyWords", async () => {
      for (const count of [256, 0xffff_ffff]) {
        await expectRefusal(
          publish({ inputLayout: [tensor(count, 248)] }),
          "ModelRegistry_TooManyWords",
          256n,
          BigInt(count) + 1n,
        );
      }
    });

    it("test_LargestVersion", async () => {
      const tensors = [...Array.from({ length: 15 }, () => tensor(1, 1)), tensor(254, 248)];
      const key = makeVerifyingKey(
        makeTrapdoor({ signalCount: 257, random: scalarsFrom("largest") }),
      );
      const outputLayout = Array.from({ length: 16 }, () => tensor(1, 1));
      const publishKey = (verifyingKey: string) =>
        publish({ verifyingKey, inputLayout: tensors, outputLayout });
      // Copies of a point, far from it and beside it.
      for (const [first, last] of [
        [0, 257],
        [100, 256],
        [255, 256],
      ] as const) {
        const offset = IC + 64 * first;
        const point = dataSlice(key, offset, offset + 64);
        await expectRefusal(
          publishKey(replaceAt(key, IC + 64 * last, point)),
          "ModelRegistry_VerifyingKeyPointsRelated",
          offset,
          IC + 64 * last,
        );
      }
      await publishKey(key);
      const versionId = versionIdOf(1, 0);
      expect(await fixture.registry.getVerifyingKey(versionId)).to.equal(key);
      const version = await fixture.registry.getVersion(versionId);
      expect([version.inputWords, version.outputWords]).to.deep.equal([255n, 1n]);
    });

    it("test_CommittedInputIsOneWord_WhateverIsUnderIt", async () => {
      const signals = { signalCount: 3, random: scalarsFrom("committed") };
      const verifyingKey = makeVerifyingKey(makeTrapdoor(signals));
      const inputLayout = [tensor(3, 5), tensor(0xffff_ffff, 248)];
      await publish({ inputMode: COMMITTED, inputLayout, verifyingKey });
      const versionId = versionIdOf(1, 0);
      const version = await fixture.registry.getVersion(versionId);
      expect(version.inputMode).to.equal(BigInt(COMMITTED));
      expect([version.inputWords, version.outputWords]).to.deep.equal([1n, 1n]);
      expect(version.inputLayout.map(({ count }) => count)).to.deep.equal([3n, 0xffff_ffffn]);
      const data = await fixture.registry.settlementData(versionId);
      expect([data.inputWords, data.outputWords]).to.deep.equal([1n, 1n]);
      expect(await fixture.registry.getVerifyingKey(versionId)).to.equal(verifyingKey);
    });

    it("test_RevertWhen_CommittedInputIsNone: no tensors, bad ones, a key for packed words", async () => {
      const inputMode = COMMITTED;
      await expectRefusal(publish({ inputMode, inputLayout: [] }), "ModelRegistry_LayoutEmpty");
      await expectRefusal(
        publish({ inputMode, inputLayout: [tensor(1, 249)] }),
        ...["ModelRegistry_LayoutInvalid", 0n, 1n, 249n],
      );
      await expectRefusal(
        publish({ inputMode }),
        ...["ModelRegistry_VerifyingKeyLengthInvalid", 448 + 4 * 64, 448 + 5 * 64],
      );
      await expectRefusal(
        publish({ inputMode, outputLayout: [tensor(256, 248)] }),
        ...["ModelRegistry_TooManyWords", 256n, 257n],
      );
    });

    it("test_RevertWhen_InputModeUnknown", async () => {
      const { ethers, registry, modelId } = { ...fixture, ethers: connection.ethers };
      const data = registry.interface.encodeFunctionData("publishVersion", [
        modelId,
        { ...GOOD_PARAMS, inputMode: 2 },
      ]);
      const call = ethers.provider.call({ from: fixture.owner.address, to: registry, data });
      await expect(call).to.be.revertedWithoutReason(ethers);
    });

    it("testFuzz_WordCountsEqualTheTypeScriptTwin", async () => {
      const libraries = await deployMock(ethers, "RegistryLibrariesHarness");
      for (let run = 0; run < LAYOUT_RUNS; run++) {
        const random = scalarsFrom(`layout ${run}`);
        const layout = Array.from({ length: 1 + (run % 16) }, () =>
          tensor(1 + Number(random() % 500n), 1 + Number(random() % 248n)),
        );
        expect(await libraries.wordCount(layout)).to.equal(BigInt(wordCount(layout)));
      }
    });
  });

  describe("verifying key", () => {
    const expectKeyRefusal = (verifyingKey: string, error: string, ...values: unknown[]) =>
      expectRefusal(publish({ verifyingKey }), error, ...values);
    const expectPointRefusal = (verifyingKey: string, offset: number) =>
      expectKeyRefusal(verifyingKey, "ModelRegistry_VerifyingKeyPointInvalid", offset);

    it("test_RevertWhen_LengthWrong", async () => {
      const oneMore = makeVerifyingKey(
        makeTrapdoor({ signalCount: SIGNAL_COUNT + 1, random: scalarsFrom("longer") }),
      );
      for (const key of ["0x", dataSlice(GOOD_KEY, 0, 767), concat([GOOD_KEY, "0x00"]), oneMore]) {
        await expectKeyRefusal(
          key,
          "ModelRegistry_VerifyingKeyLengthInvalid",
          768,
          (key.length - 2) / 2,
        );
      }
    });

    const g1Offsets = [0, ...Array.from({ length: SIGNAL_COUNT + 1 }, (_, i) => IC + 64 * i)];
    const g2Offsets = [BETA, GAMMA, DELTA];

    it("test_RevertWhen_PointZero", async () => {
      for (const offset of g1Offsets) {
        await expectPointRefusal(replaceAt(GOOD_KEY, offset, encodeG1("zero")), offset);
      }
      for (const offset of g2Offsets) {
        await expectPointRefusal(replaceAt(GOOD_KEY, offset, encodeG2("zero")), offset);
      }
    });

    it("test_RevertWhen_PointOffTheCurve", async () => {
      for (const offset of [...g1Offsets, ...g2Offsets]) {
        for (const index of [offset / 32, offset / 32 + 1]) {
          await expectPointRefusal(addToCoordinate({ data: GOOD_KEY, index, amount: 1n }), offset);
        }
      }
    });

    it("test_RevertWhen_CoordinateNotBelowP", async () => {
      for (const offset of [...g1Offsets, ...g2Offsets]) {
        const coordinates = g2Offsets.includes(offset) ? 4 : 2;
        for (let i = 0; i < coordinates; i++) {
          const data = addToCoordinate({ data: GOOD_KEY, index: offset / 32 + i, amount: P });
          await expectPointRefusal(data, offset);
        }
      }
    });

    it("test_RevertWhen_G2PointOutsideTheSubgroup", async () => {
      const outside = encodeG2(pointOutsideG2());
      for (const offset of g2Offsets) {
        await expectPointRefusal(replaceAt(GOOD_KEY, offset, outside), offset);
      }
    });

    it("test_VectorsAreWhatTheirGeneratorMakes", () => {
      // `node test/vectors/generate.ts` writes them anew.
      expect(makeKeyVectors()).to.deep.equal(KEY_VECTORS);
    });

    for (const { name, fault, key } of KEY_VECTORS) {
      const outcome = fault === null ? "test_Accepts" : "test_RevertWhen";
      it(`${outcome}: ${name}`, async () => {
        const word: TensorLayout = { count: 1, bits: 248, isSigned: false, scaleExponent: 0 };
        const publishing = publish({
          ...{ verifyingKey: encodeVerifyingKey(key), inputLayout: [word], outputLayout: [word] },
        });
        if (fault === null) {
          await expect(publishing).to.emit(fixture.registry, "VersionPublished");
          return;
        }
        await expectRefusal(publishing, KEY_ERRORS[fault.kind], ...fault.points.map(offsetOf));
      });
    }
  });
});
