import { BaseError } from "@haca/protocol/baseError";
import { readNodeAddress } from "./client/nodeAddress.ts";
import type { Deployment, ListedNode } from "./deployment.ts";
import type { PinnedModel } from "./pins.ts";
import { fieldsOf } from "./receipt/answerReaders.ts";
import { bytesOf, decimal, jsonOf, list, malformed, oneOfTexts } from "./receipt/readers.ts";
import { readPlaces } from "./witness/readLayout.ts";
import type { StoragePlace } from "./witness/storageLayout.ts";

const MAXIMUM_ENTRIES = 1000;
const SLUG = /^[a-z0-9-]{1,64}$/;

type ListedModel = { slug: string; owner: string; version: string; major: number; minor: number };

/**
 * A deployment file's text, `deployments/<chain id>.json`: of its fields those that a client needs are looked at.
 * @throws BaseError `format.malformed`, naming field and reason
 */
export function readDeployment(written: string): Deployment {
  const book = fieldsOf(jsonOf(written, "deployment"), "deployment");
  if (book.format !== 1) throw malformed("deployment.format", "must be 1");
  const { chainId } = book;
  const contracts = fieldsOf(book.contracts, "deployment.contracts");
  const path = "deployment.contracts.InferenceSettlement";
  const { address } = fieldsOf(contracts.InferenceSettlement, path);
  const placesOf = (name: string): readonly StoragePlace[] | undefined => {
    const entry = contracts[name];
    if (entry === undefined) return undefined;
    const places = fieldsOf(entry, `deployment.contracts.${name}`).storage;
    return places === undefined
      ? undefined
      : readPlaces(places, `deployment.contracts.${name}.storage`);
  };
  const [ledger, teeRegistry] = [placesOf("InferenceSettlement"), placesOf("TEERegistry")];
  const models = list(readModel, 0, MAXIMUM_ENTRIES)(book.models, "deployment.models");
  return {
    chainId: String(readCount(chainId, "deployment.chainId")),
    settlement: bytesOf(20)(address, `${path}.address`),
    storage: ledger && teeRegistry && { settlement: ledger, teeRegistry },
    models: namesOf(models),
    nodes: list(readNode, 0, MAXIMUM_ENTRIES)(book.nodes ?? [], "deployment.nodes"),
  };
}

function readCount(value: unknown, path: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed(path, "must be a whole number");
}

function readModel(value: unknown, path: string): ListedModel {
  const { major, minor, owner, slug, versionId } = fieldsOf(value, path);
  if (typeof slug !== "string" || !SLUG.test(slug)) {
    throw malformed(`${path}.slug`, "must be a model's name");
  }
  return {
    ...{ slug, owner: bytesOf(20)(owner, `${path}.owner`) },
    version: bytesOf(32)(versionId, `${path}.versionId`),
    major: readCount(major, `${path}.major`),
    minor: readCount(minor, `${path}.minor`),
  };
}

function readNode(value: unknown, path: string): ListedNode {
  const { answers, operator, price, url } = fieldsOf(value, path);
  return {
    url: readAddress(url, `${path}.url`),
    answers: oneOfTexts(["infer", "chat"])(answers, `${path}.answers`),
    operator: operator === undefined ? undefined : bytesOf(20)(operator, `${path}.operator`),
    price: price === undefined ? undefined : BigInt(decimal(256)(price, `${path}.price`)),
  };
}

function readAddress(value: unknown, path: string): URL {
  if (typeof value !== "string") throw malformed(path, "must be a text");
  try {
    return readNodeAddress(value);
  } catch (error) {
    throw malformed(path, error instanceof BaseError ? error.message : "is no address");
  }
}

/** A name that several owners' models have means none of them. */
function namesOf(models: readonly ListedModel[]): Record<string, PinnedModel> {
  const names = new Map<string, PinnedModel>();
  for (const slug of new Set(models.map((model) => model.slug))) {
    const versions = models
      .filter((model) => model.slug === slug)
      .sort((a, b) => a.major - b.major || a.minor - b.minor);
    if (new Set(versions.map(({ owner }) => owner)).size !== 1) continue;
    for (const { major, minor, version } of versions) {
      names.set(`${slug}@${major}.${minor}`, { version });
      names.set(slug, { version });
    }
  }
  return Object.fromEntries(names);
}
