import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { type TensorLayout, wordCount } from "@haca/protocol/tensorLayout";
import { expect } from "chai";
import { concat, dataSlice, id, keccak256, ZeroHash } from "ethers";
import { network } from "hardhat";
import { P, pointOutsideG2 } from "../utils/bn254.ts";
import {
  encodeG1,
  encodeG2,
  makeTrapdoor,
  makeVerifyingKey,
  type Trapdoor,
} from "../utils/groth16Simulator.ts";
import { addToCoordinate } from "../utils/proofParts.ts";
import { scalarsFrom } from "../utils/randomScalars.ts";
import {
  INPUT_LAYOUT,
  OUTPUT_LAYOUT,
  SIGNAL_COUNT,
  type VersionParams,
  versionParams,
} from "../utils/settlementFixture.ts";

const { ethers, networkHelpers } = await network.create();
const LAYOUT_RUNS = process.env.HACA_DEEP === "1" ? 500 : 25;
/** Offsets in a verifying key. */
const BETA = 64;
const GAMMA = 192;
const DELTA = 320;
const IC = 448;

async function deploy() {
  const [owner, other] = await ethers.getSigners();
  if (owner === undefined || other === undefined) throw new Error("no accounts");
  const registry = await ethers.deployContract("ModelRegistry", owner);
  await registry.registerModel("model");
  return {
    owner,
    other,
    registry,
    modelId: computeModelId({ owner: owner.address, slug: "model" }),
  };
}

const trapdoor = makeTrapdoor({ signalCount: SIGNAL_COUNT, random: scalarsFrom("registry") });
const goodKey = makeVerifyingKey(trapdoor);
const goodParams = versionParams({ verifyingKey: goodKey });

const replaceAt = (key: string, offset: number, point: string): string =>
  concat([dataSlice(key, 0, offset), point, dataSlice(key, offset + (point.length - 2) / 2)]);

describe("ModelRegistry", () => {
  let fixture: Awaited<ReturnType<typeof deploy>>;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
  });

  const publish = (overrides: Partial<VersionParams> = {}) =>
    fixture.registry.publishVersion(fixture.modelId, { ...goodParams, ...overrides });
  const versionIdOf = (major: number, minor: number) =>
    computeVersionId({ modelId: fixture.modelId, major, minor });
  const expectRefusal = (publishing: Promise<unknown>, error: string, ...values: unknown[]) =>
    expect(publishing)
      .to.be.revertedWithCustomError(fixture.registry, error)
      .withArgs(...values);

  describe("registerModel", () => {
    it("test_RegisterModel", async () => {
      const { registry, other } = fixture;
      const slug = `a-0${"z".repeat(61)}`;
      const modelId = computeModelId({ owner: other.address, slug });
      await expect(registry.connect(other).registerModel(slug))
        .to.emit(registry, "ModelRegistered")
        .withArgs(modelId, other.address, slug);
      const model = await registry.getModel(modelId);
      expect([model.owner, model.slug, model.versionCount]).to.deep.equal([
        ...[other.address, slug, 0n],
      ]);
      expect(model.createdAt).to.equal(await networkHelpers.time.latest());
      expect(await registry.computeModelId(other.address, slug)).to.equal(modelId);
      expect(await registry.modelCount()).to.equal(2n);
    });

    it("test_RevertWhen_SlugInvalid", async () => {
      for (const slug of [
        "",
        "a".repeat(65),
        "A",
        "a b",
        "a_b",
        "a.b",
        "ä",
        "a\u0000",
        "`",
        "{",
        "/",
        ":",
      ]) {
        await expectRefusal(
          fixture.registry.registerModel(slug),
          "ModelRegistry_SlugInvalid",
          slug,
        );
      }
    });

    it("test_RevertWhen_ModelExists", async () => {
      await expectRefusal(
        fixture.registry.registerModel("model"),
        "ModelRegistry_ModelExists",
        fixture.modelId,
      );
    });

    it("test_SameSlugOfAnotherOwnerIsAnotherModel", async () => {
      await fixture.registry.connect(fixture.other).registerModel("model");
      expect(await fixture.registry.modelCount()).to.equal(2n);
    });
  });

  describe("publishVersion", () => {
    it("test_PublishVersion", async () => {
      const { registry, modelId } = fixture;
      const versionId = versionIdOf(1, 0);
      await expect(publish())
        .to.emit(registry, "VersionPublished")
        .withArgs(
          versionId,
          modelId,
          1,
          0,
          goodParams.modelHash,
          goodParams.blobId,
          goodParams.circuitHash,
          keccak256(goodKey),
          (layout: unknown) => expect(layout).to.deep.equal(INPUT_LAYOUT.map(toTuple)) !== null,
          (layout: unknown) => expect(layout).to.deep.equal(OUTPUT_LAYOUT.map(toTuple)) !== null,
        );
      const version = await registry.getVersion(versionId);
      expect(version.modelId).to.equal(modelId);
      expect([version.major, version.minor, version.status]).to.deep.equal([1n, 0n, 1n]);
      expect(version.publishedAt).to.equal(await networkHelpers.time.latest());
      expect([version.modelHash, version.blobId, version.circuitHash]).to.deep.equal([
        ...[goodParams.modelHash, goodParams.blobId, goodParams.circuitHash],
      ]);
      expect([version.inputWords, version.outputWords]).to.deep.equal([2n, 1n]);
      expect(version.inputLayout).to.deep.equal(INPUT_LAYOUT.map(toTuple));
      expect(version.outputLayout).to.deep.equal(OUTPUT_LAYOUT.map(toTuple));
      expect(await registry.getVerifyingKey(versionId)).to.equal(goodKey);
      expect(await registry.computeVersionId(modelId, 1, 0)).to.equal(versionId);
    });

    it("test_KeyStoreHoldsTheKeyBehindAStopByte", async () => {
      await publish();
      const data = await fixture.registry.settlementData(versionIdOf(1, 0));
      expect([data.status, data.inputWords, data.outputWords]).to.deep.equal([1n, 2n, 1n]);
      const code = await ethers.provider.getCode(data.keyStore);
      expect(dataSlice(code, 0, 1 + 768)).to.equal(concat(["0x00", goodKey]));
      await fixture.owner.sendTransaction({ to: data.keyStore, data: "0x12345678" });
      expect(await ethers.provider.getCode(data.keyStore)).to.equal(code);
    });

    it("test_BlobIdMayBeZero", async () => {
      await publish({ blobId: ZeroHash });
      expect((await fixture.registry.getVersion(versionIdOf(1, 0))).blobId).to.equal(ZeroHash);
    });

    it("test_RevertWhen_ModelUnknown", async () => {
      await expectRefusal(
        fixture.registry.publishVersion(id("unknown"), goodParams),
        "ModelRegistry_ModelUnknown",
        id("unknown"),
      );
    });

    it("test_RevertWhen_CallerIsNotTheOwner", async () => {
      const { registry, owner, other, modelId } = fixture;
      await expectRefusal(
        registry.connect(other).publishVersion(modelId, goodParams),
        "ModelRegistry_NotModelOwner",
        owner.address,
        other.address,
      );
    });

    it("test_RevertWhen_VersionExists", async () => {
      await publish();
      const before = await fixture.registry.getVersion(versionIdOf(1, 0));
      await expectRefusal(
        publish({ modelHash: id("other") }),
        "ModelRegistry_VersionExists",
        versionIdOf(1, 0),
      );
      await fixture.registry.deprecateVersion(versionIdOf(1, 0));
      await expectRefusal(publish(), "ModelRegistry_VersionExists", versionIdOf(1, 0));
      const after = await fixture.registry.getVersion(versionIdOf(1, 0));
      expect(after.modelHash).to.equal(before.modelHash);
    });

    it("test_RevertWhen_HashZero", async () => {
      await expectRefusal(publish({ modelHash: ZeroHash }), "ModelRegistry_ModelHashZero");
      await expectRefusal(publish({ circuitHash: ZeroHash }), "ModelRegistry_CircuitHashZero");
    });
  });

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
      await publish({ verifyingKey: key, inputLayout: tensors, outputLayout });
      const versionId = versionIdOf(1, 0);
      expect(await fixture.registry.getVerifyingKey(versionId)).to.equal(key);
      const version = await fixture.registry.getVersion(versionId);
      expect([version.inputWords, version.outputWords]).to.deep.equal([255n, 1n]);
    }).timeout(60_000);

    it("testFuzz_WordCountsEqualTheTypeScriptTwin", async () => {
      const libraries = await ethers.deployContract("RegistryLibrariesHarness");
      for (let run = 0; run < LAYOUT_RUNS; run++) {
        const random = scalarsFrom(`layout ${run}`);
        const layout = Array.from({ length: 1 + (run % 16) }, () =>
          tensor(1 + Number(random() % 500n), 1 + Number(random() % 248n)),
        );
        expect(await libraries.getFunction("wordCount")(layout)).to.equal(
          BigInt(wordCount(layout)),
        );
      }
    });
  });

  describe("verifying key", () => {
    const expectKeyRefusal = (verifyingKey: string, error: string, ...values: unknown[]) =>
      expectRefusal(publish({ verifyingKey }), error, ...values);
    const expectPointRefusal = (verifyingKey: string, offset: number) =>
      expectKeyRefusal(verifyingKey, "ModelRegistry_VerifyingKeyPointInvalid", offset);
    const keyOf = (overrides: Partial<Trapdoor>) => makeVerifyingKey({ ...trapdoor, ...overrides });

    it("test_RevertWhen_LengthWrong", async () => {
      const oneMore = makeVerifyingKey(
        makeTrapdoor({ signalCount: SIGNAL_COUNT + 1, random: scalarsFrom("longer") }),
      );
      for (const key of ["0x", dataSlice(goodKey, 0, 767), concat([goodKey, "0x00"]), oneMore]) {
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
        await expectPointRefusal(replaceAt(goodKey, offset, encodeG1("zero")), offset);
      }
      for (const offset of g2Offsets) {
        await expectPointRefusal(replaceAt(goodKey, offset, encodeG2("zero")), offset);
      }
    });

    it("test_RevertWhen_PointOffTheCurve", async () => {
      for (const offset of [...g1Offsets, ...g2Offsets]) {
        for (const index of [offset / 32, offset / 32 + 1]) {
          await expectPointRefusal(addToCoordinate({ data: goodKey, index, amount: 1n }), offset);
        }
      }
    });

    it("test_RevertWhen_CoordinateNotBelowP", async () => {
      for (const offset of [...g1Offsets, ...g2Offsets]) {
        const coordinates = g2Offsets.includes(offset) ? 4 : 2;
        for (let i = 0; i < coordinates; i++) {
          const data = addToCoordinate({ data: goodKey, index: offset / 32 + i, amount: P });
          await expectPointRefusal(data, offset);
        }
      }
    });

    it("test_RevertWhen_G2PointOutsideTheSubgroup", async () => {
      const outside = encodeG2(pointOutsideG2());
      for (const offset of g2Offsets) {
        await expectPointRefusal(replaceAt(goodKey, offset, outside), offset);
      }
    });

    it("test_RevertWhen_GammaIsDelta", async () => {
      for (const delta of [trapdoor.gamma, -trapdoor.gamma]) {
        await expectKeyRefusal(keyOf({ delta }), "ModelRegistry_VerifyingKeyGammaEqualsDelta");
      }
    });

    it("test_RevertWhen_GammaIsBeta", async () => {
      for (const beta of [trapdoor.gamma, -trapdoor.gamma]) {
        await expectKeyRefusal(keyOf({ beta }), "ModelRegistry_VerifyingKeyGammaEqualsBeta");
      }
    });

    it("test_BetaMayEqualDelta", async () => {
      // Unusual, but no forgery follows: gamma stands apart.
      await publish({ verifyingKey: keyOf({ beta: trapdoor.delta }) });
    });
  });

  describe("deprecateVersion", () => {
    it("test_DeprecateVersion", async () => {
      await publish();
      const versionId = versionIdOf(1, 0);
      const before = await fixture.registry.getVersion(versionId);
      await expect(fixture.registry.deprecateVersion(versionId))
        .to.emit(fixture.registry, "VersionDeprecated")
        .withArgs(versionId, fixture.modelId);
      const after = await fixture.registry.getVersion(versionId);
      expect(after.status).to.equal(2n);
      expect([...after].with(3, 1n)).to.deep.equal([...before]);
      expect((await fixture.registry.settlementData(versionId)).status).to.equal(2n);
      expect(await fixture.registry.getVerifyingKey(versionId)).to.equal(goodKey);
    });

    it("test_RevertWhen_DeprecatedAgain", async () => {
      await publish();
      await fixture.registry.deprecateVersion(versionIdOf(1, 0));
      await expectRefusal(
        fixture.registry.deprecateVersion(versionIdOf(1, 0)),
        "ModelRegistry_VersionNotPublished",
        versionIdOf(1, 0),
        2n,
      );
    });

    it("test_RevertWhen_VersionUnknown", async () => {
      await expectRefusal(
        fixture.registry.deprecateVersion(id("unknown")),
        "ModelRegistry_VersionUnknown",
        id("unknown"),
      );
    });

    it("test_RevertWhen_CallerIsNotTheOwner", async () => {
      await publish();
      await expectRefusal(
        fixture.registry.connect(fixture.other).deprecateVersion(versionIdOf(1, 0)),
        "ModelRegistry_NotModelOwner",
        fixture.owner.address,
        fixture.other.address,
      );
    });
  });

  describe("reading", () => {
    it("test_RevertWhen_Unknown", async () => {
      const { registry } = fixture;
      const unknown = id("unknown");
      await expectRefusal(registry.getModel(unknown), "ModelRegistry_ModelUnknown", unknown);
      await expectRefusal(registry.getVersion(unknown), "ModelRegistry_VersionUnknown", unknown);
      await expectRefusal(
        registry.getVerifyingKey(unknown),
        "ModelRegistry_VersionUnknown",
        unknown,
      );
      await expectRefusal(
        registry.listVersions(unknown, 0, 1),
        "ModelRegistry_ModelUnknown",
        unknown,
      );
      expect((await registry.settlementData(unknown)).status).to.equal(0n);
    });

    it("test_Pages", async () => {
      const { registry, owner, modelId } = fixture;
      const modelIds = [modelId];
      for (const slug of ["b", "c", "d", "e"]) {
        await registry.registerModel(slug);
        modelIds.push(computeModelId({ owner: owner.address, slug }));
      }
      for (const minor of [0, 1, 2]) await publish({ minor });
      const versionIds = [0, 1, 2].map((minor) => versionIdOf(1, minor));
      const MAX = (1n << 256n) - 1n;
      for (const [offset, limit] of [
        ...[
          [0n, 2n],
          [2n, 2n],
          [4n, 2n],
          [5n, 2n],
          [0n, 0n],
          [0n, MAX],
          [3n, MAX],
          [MAX, MAX],
        ],
      ] as [bigint, bigint][]) {
        const slice = <T>(all: T[]): T[] =>
          all.filter((_, i) => BigInt(i) >= offset && BigInt(i) < offset + limit);
        expect(await registry.listModels(offset, limit)).to.deep.equal(slice(modelIds));
        expect(await registry.listVersions(modelId, offset, limit)).to.deep.equal(
          slice(versionIds),
        );
      }
    });
  });
});

function toTuple({ count, bits, isSigned, scaleExponent }: TensorLayout) {
  return [BigInt(count), BigInt(bits), isSigned, BigInt(scaleExponent)];
}
