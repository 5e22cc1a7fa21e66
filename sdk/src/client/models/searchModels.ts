import { fieldsOf } from "../../receipt/answerReaders.ts";
import { bytesOf, list, malformed, oneOfTexts, type Reader } from "../../receipt/readers.ts";
import { askNodeJson } from "../askNode.ts";
import type { Client } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import { requireCount } from "./findModels.ts";

/** A model as an indexer has it: where to look, and nothing that was checked. */
export type SearchedModel = {
  owner: string;
  slug: string;
  /** results that the chain checked a proof or an attestation of; settled in any way; in pages */
  verifiedCount: number;
  settledCount: number;
  pagedCount: number;
  versions: readonly {
    version: string;
    number: string;
    status: string;
    kind: "zkml" | "manifest";
  }[];
};

const VERSIONS = 32;
const QUERY = `query ($where: modelFilter, $limit: Int) {
  models(where: $where, orderBy: "verifiedCount", orderDirection: "desc", limit: $limit) {
    items {
      owner slug verifiedCount settledCount pagedCount
      versions(orderBy: "publishedAt", orderDirection: "desc", limit: ${VERSIONS}) {
        items { id major minor status circuitHash }
      }
    }
  }
}`;

/**
 * Searches an indexer for models, those with the most verified results first. Its word is not the chain's: what is found is asked
 * for by `infer`, or shown by `findModel`, from the registry.
 * @param parameters.words part of a model's name, or an owner's address; all models if empty
 * @throws BaseError `node.*`, of the indexer; `option.wrong`
 */
export async function searchModels(parameters: {
  client: { limits: Pick<Client["limits"], "answerBytes" | "askMs"> };
  /** from `readNodeAddress` */
  indexer: URL;
  words: string;
  most?: number;
  signal?: AbortSignal | undefined;
}): Promise<readonly SearchedModel[]> {
  const { client, indexer, most = 20, signal, words } = parameters;
  requireCount(most);
  const isOwner = /^0x[0-9a-fA-F]{40}$/.test(words);
  const where = isOwner ? { owner: words.toLowerCase() } : { slug_contains_nocase: words };
  const answer = await askNodeJson({
    ...{ node: indexer, path: "/graphql", signal },
    json: JSON.stringify({ query: QUERY, variables: { where, limit: most } }),
    limits: { bytes: client.limits.answerBytes, ms: client.limits.askMs },
  });
  try {
    const { models } = fieldsOf(fieldsOf(answer, "answer").data, "answer.data");
    return list(readModel, 0, most)(fieldsOf(models, "models").items, "models.items");
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : "";
    const message = `${indexer.host} answers no list of models: ${words}`;
    throw nodeError("malformed", message, { cause });
  }
}

const readModel: Reader<SearchedModel> = (value, path) => {
  const model = fieldsOf(value, path);
  const versions = fieldsOf(model.versions, `${path}.versions`).items;
  return {
    ...{ owner: bytesOf(20)(model.owner, `${path}.owner`), slug: nameOf(model.slug, path) },
    verifiedCount: countOf(model.verifiedCount, `${path}.verifiedCount`),
    settledCount: countOf(model.settledCount, `${path}.settledCount`),
    pagedCount: countOf(model.pagedCount, `${path}.pagedCount`),
    versions: list(readVersion, 0, VERSIONS)(versions, `${path}.versions`),
  };
};

const readVersion: Reader<SearchedModel["versions"][number]> = (value, path) => {
  const { circuitHash, id, major, minor, status } = fieldsOf(value, path);
  const isProved = circuitHash !== null && circuitHash !== undefined;
  return {
    ...{ version: bytesOf(32)(id, `${path}.id`), kind: isProved ? "zkml" : "manifest" },
    number: `${numberOf(major, path)}.${numberOf(minor, path)}`,
    status: oneOfTexts(["published", "deprecated"])(status, `${path}.status`),
  };
};

function nameOf(value: unknown, path: string): string {
  if (typeof value === "string" && /^[a-z0-9-]{1,64}$/.test(value)) return value;
  throw malformed(`${path}.slug`, "must be a model's name");
}

function countOf(value: unknown, path: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed(path, "must be a whole number");
}

function numberOf(value: unknown, path: string): string {
  if (/^\d{1,10}$/.test(String(value))) return String(value);
  throw malformed(path, "must have a version's numbers");
}
