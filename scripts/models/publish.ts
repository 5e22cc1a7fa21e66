import { readFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { blobIdToWord, isBlobId } from "@haca/protocol/blobs/blobId";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { parseModelManifest } from "@haca/protocol/modelManifest";
import { ZeroHash } from "ethers";
import { withChainSession } from "../lib/chainSession.ts";
import { confirm } from "../lib/confirm.ts";
import { explainError } from "../lib/explainError.ts";
import { sendCall } from "../lib/sendCall.ts";
import { firstLine, printable } from "../lib/words.ts";
import { isRegistered, loadCompiledModel, registerModel } from "./registerModel.ts";

type Options = { network: string; account: string; yes?: boolean };

/** Of `IModelRegistry.VersionStatus`. */
const STATUSES = ["unknown", "published", "deprecated"] as const;

const badOption = (message: string): BaseError =>
  new BaseError({ code: "models.badOption", message });

/** Errors: `models.badOption`, those of `loadModel`, of the session and of `registerModel`. */
export async function register(
  options: Options & { folder: string; version: string; blob?: string },
): Promise<void> {
  const { blob, folder, version, network } = options;
  const { major, minor } = readVersion(version);
  if (blob !== undefined && !isBlobId(blob)) throw badOption(`--blob: ${blob} is no blob id`);
  const model = await loadCompiledModel(folder);
  await withChainSession(network, async ({ provider, isDevelopment, chainId, ...session }) => {
    const signer = await session.signer(options.account);
    await session.contract("ModelRegistry");
    console.log(`${model.manifest.name} ${version} by ${signer.address} on chain ${chainId}`);
    if (!isDevelopment && !(await confirm({ question: "Publish?", yes: options.yes === true }))) {
      console.log("nothing sent");
      return;
    }
    const { entry, published } = await registerModel({
      ...{ signer, chainId, model, major, minor },
      ...(blob === undefined ? {} : { blobId: blobIdToWord(blob) }),
    }).catch((error: unknown) => {
      throw explainError({ error, action: "publishing" });
    });
    console.log(
      `${published ? "published" : "already published, nothing sent"}: ${entry.slug} ${version}\n` +
        `  model    ${entry.modelId}\n  version  ${entry.versionId}`,
    );
  });
}

/** Errors: `models.badOption`, `modelManifest.invalid`, `models.published`, those of the session and of `sendCall`. */
export async function registerManifest(
  options: Options & { file: string; version: string },
): Promise<void> {
  const { file, version, network } = options;
  const { major, minor } = readVersion(version);
  const { manifest, hash } = parseModelManifest(readManifestFile(file));
  await withChainSession(network, async (session) => {
    const registry = await session.contract("ModelRegistry");
    const signer = await session.signer(options.account);
    const { slug } = manifest;
    const modelId = computeModelId({ owner: signer.address, slug });
    const versionId = computeVersionId({ modelId, major, minor });
    if ((await registry.settlementData(versionId)).status !== 0n) {
      throw new BaseError({
        code: "models.published",
        message: `${slug} ${version} is published already, as ${versionId}; nothing sent`,
      });
    }
    console.log(
      `${slug} ${version} by ${signer.address} on chain ${session.chainId}\n` +
        `  ${printable(manifest.model)}, ${printable(manifest.provider ?? `file ${manifest.file}`)}\n` +
        `  policy   ${printable(manifest.policy)}\n  manifest ${hash}\n` +
        "  without a circuit: its results are an enclave's, or nobody vouches for them",
    );
    const isNew = !(await isRegistered({ registry, modelId }));
    const question = session.question("Publish?", options);
    const send = { contract: registry, signer } as const;
    if (isNew) {
      const registered = await sendCall({
        ...send,
        name: "registerModel",
        values: [slug],
        question,
      });
      if (registered === undefined) return;
    }
    await sendCall({
      ...{ ...send, name: "publishManifest" },
      values: [modelId, major, minor, hash, ZeroHash],
      question,
    });
    console.log(`  model    ${modelId}\n  version  ${versionId}`);
  });
}

function readVersion(version: string): { major: number; minor: number } {
  const [, major, minor] = /^(\d{1,9})\.(\d{1,9})$/.exec(version) ?? [];
  if (major === undefined || minor === undefined) {
    throw badOption(`--version must be <major>.<minor>, got ${JSON.stringify(version)}`);
  }
  return { major: Number(major), minor: Number(minor) };
}

function readManifestFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw badOption(`--file: ${path} cannot be read: ${firstLine(cause)}`);
  }
}

/** Errors: `models.badOption`, `models.notPublished`, `models.notOwner`, those of the session and of `sendCall`. */
export async function deprecate(options: Options & { versionId: string }): Promise<void> {
  const { versionId, network } = options;
  if (!/^0x[0-9a-fA-F]{64}$/.test(versionId)) {
    throw badOption(`version id: ${versionId} is not 0x and 64 hex digits`);
  }
  await withChainSession(network, async (session) => {
    const registry = await session.contract("ModelRegistry");
    const { status } = await registry.settlementData(versionId);
    if (STATUSES[Number(status)] !== "published") {
      throw new BaseError({
        code: "models.notPublished",
        message: `version ${versionId} is ${STATUSES[Number(status)] ?? status}; nothing sent`,
      });
    }
    const { modelId } = await registry.getVersion(versionId);
    const { owner, slug } = await registry.getModel(modelId);
    const signer = await session.signer(options.account);
    if (owner !== signer.address) {
      throw new BaseError({
        code: "models.notOwner",
        message: `only the owner ${owner} may do this, not ${signer.address}`,
      });
    }
    console.log(`version ${versionId} of ${printable(slug)} is deprecated, for good`);
    await sendCall({
      ...{ contract: registry, signer, name: "deprecateVersion", values: [versionId] },
      question: session.question("Send?", options),
    });
  });
}
