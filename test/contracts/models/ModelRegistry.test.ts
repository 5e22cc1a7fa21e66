import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import type { TensorLayout } from "@haca/protocol/packedWords";
import { expect } from "chai";
import { concat, dataSlice, id, keccak256, ZeroHash } from "ethers";
import { network } from "hardhat";
import {
  deployRegistry,
  GOOD_KEY,
  GOOD_PARAMS,
  type RegistryFixture,
} from "../utils/registryFixture.ts";
import {
  INPUT_LAYOUT,
  OUTPUT_LAYOUT,
  PACKED,
  type VersionParams,
} from "../utils/settlementFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const deploy = () => deployRegistry(connection);

describe("ModelRegistry", () => {
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
          GOOD_PARAMS.modelHash,
          GOOD_PARAMS.blobId,
          GOOD_PARAMS.circuitHash,
          GOOD_PARAMS.csHash,
          GOOD_PARAMS.transcriptHash,
          keccak256(GOOD_KEY),
          PACKED,
          (layout: unknown) => expect(layout).to.deep.equal(INPUT_LAYOUT.map(toTuple)) !== null,
          (layout: unknown) => expect(layout).to.deep.equal(OUTPUT_LAYOUT.map(toTuple)) !== null,
        );
      const version = await registry.getVersion(versionId);
      expect(version.modelId).to.equal(modelId);
      expect([version.major, version.minor, version.status]).to.deep.equal([1n, 0n, 1n]);
      expect(version.publishedAt).to.equal(await networkHelpers.time.latest());
      expect([version.modelHash, version.blobId, version.circuitHash]).to.deep.equal([
        ...[GOOD_PARAMS.modelHash, GOOD_PARAMS.blobId, GOOD_PARAMS.circuitHash],
      ]);
      expect([version.csHash, version.transcriptHash, version.inputMode]).to.deep.equal([
        ...[GOOD_PARAMS.csHash, GOOD_PARAMS.transcriptHash, BigInt(PACKED)],
      ]);
      expect([version.inputWords, version.outputWords]).to.deep.equal([2n, 1n]);
      expect(version.inputLayout).to.deep.equal(INPUT_LAYOUT.map(toTuple));
      expect(version.outputLayout).to.deep.equal(OUTPUT_LAYOUT.map(toTuple));
      expect(await registry.getVerifyingKey(versionId)).to.equal(GOOD_KEY);
      expect(await registry.computeVersionId(modelId, 1, 0)).to.equal(versionId);
    });

    it("test_KeyStoreHoldsTheKeyBehindAStopByte", async () => {
      await publish();
      const data = await fixture.registry.settlementData(versionIdOf(1, 0));
      expect([data.status, data.inputWords, data.outputWords]).to.deep.equal([1n, 2n, 1n]);
      expect(data.deprecatedAt).to.equal(0n);
      const code = await ethers.provider.getCode(data.keyStore);
      expect(dataSlice(code, 0, 1 + 768)).to.equal(concat(["0x00", GOOD_KEY]));
      await fixture.owner.sendTransaction({ to: data.keyStore, data: "0x12345678" });
      expect(await ethers.provider.getCode(data.keyStore)).to.equal(code);
    });

    it("test_BlobIdMayBeZero", async () => {
      await publish({ blobId: ZeroHash });
      expect((await fixture.registry.getVersion(versionIdOf(1, 0))).blobId).to.equal(ZeroHash);
    });

    it("test_KeysMakingNeedNotBeTold", async () => {
      await publish({ csHash: "0x", transcriptHash: ZeroHash });
      const version = await fixture.registry.getVersion(versionIdOf(1, 0));
      expect([version.csHash, version.transcriptHash]).to.deep.equal(["0x", ZeroHash]);
    });

    it("test_RevertWhen_KeysMakingIsToldInPart", async () => {
      const told = GOOD_PARAMS.csHash;
      for (const [csHash, transcriptHash, expected, actual] of [
        [told, ZeroHash, 0, 64],
        ["0x", id("transcript"), 64, 0],
        [dataSlice(told, 1), id("transcript"), 64, 63],
        [concat([told, "0x00"]), id("transcript"), 64, 65],
      ] as const) {
        await expectRefusal(
          publish({ csHash, transcriptHash }),
          "ModelRegistry_CsHashLengthInvalid",
          ...[expected, actual],
        );
      }
    });

    it("test_RevertWhen_ModelUnknown", async () => {
      await expectRefusal(
        fixture.registry.publishVersion(id("unknown"), GOOD_PARAMS),
        "ModelRegistry_ModelUnknown",
        id("unknown"),
      );
    });

    it("test_RevertWhen_CallerIsNotTheOwner", async () => {
      const { registry, owner, other, modelId } = fixture;
      await expectRefusal(
        registry.connect(other).publishVersion(modelId, GOOD_PARAMS),
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

  describe("deprecateVersion", () => {
    it("test_DeprecateVersion", async () => {
      await publish();
      const versionId = versionIdOf(1, 0);
      const before = await fixture.registry.getVersion(versionId);
      await expect(fixture.registry.deprecateVersion(versionId))
        .to.emit(fixture.registry, "VersionDeprecated")
        .withArgs(versionId, fixture.modelId);
      const after = await fixture.registry.getVersion(versionId);
      const deprecatedAt = BigInt(await networkHelpers.time.latest());
      expect([before.status, before.deprecatedAt]).to.deep.equal([1n, 0n]);
      expect([after.status, after.deprecatedAt]).to.deep.equal([2n, deprecatedAt]);
      expect([...after].with(3, 1n).with(5, 0n)).to.deep.equal([...before]);
      const data = await fixture.registry.settlementData(versionId);
      expect([data.status, data.deprecatedAt]).to.deep.equal([2n, deprecatedAt]);
      expect([data.inputWords, data.outputWords]).to.deep.equal([2n, 1n]);
      expect(await fixture.registry.getVerifyingKey(versionId)).to.equal(GOOD_KEY);
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
