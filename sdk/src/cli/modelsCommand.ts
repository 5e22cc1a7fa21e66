import type { TensorLayout } from "@haca/protocol/packedWords";
import type { ListedModel, ListedVersion } from "../chain/modelListing.ts";
import { readClient } from "../client/client.ts";
import { findModel, listModels } from "../client/models/findModels.ts";
import { type SearchedModel, searchModels } from "../client/models/searchModels.ts";
import { readNodeAddress } from "../client/nodeAddress.ts";
import type { AsOf } from "../line.ts";
import { interruptible } from "./interrupt.ts";
import { type ClientArguments, clientOptions } from "./openClient.ts";
import { asOfText, printable, timeText, toJson, wrapped } from "./print.ts";
import { progressOn } from "./progress.ts";
import { UsageError } from "./readInput.ts";

export type ModelsArguments = Pick<ClientArguments, "pins" | "chain" | "rpc" | "deployment"> & {
  indexer?: string;
  limit?: string;
  json?: boolean;
};

/**
 * `haca models`: by an indexer, what it finds, by its word alone; else by the chain, one model or the registry's latest. `isFound`:
 * there is one at least.
 */
export async function showModels(
  name: string | undefined,
  options: ModelsArguments,
): Promise<{ isFound: boolean; text: string }> {
  const most = readLimit(options.limit);
  const progress = progressOn(process.stderr);
  try {
    if (options.indexer !== undefined) {
      progress.say("asking the indexer");
      return await search(name ?? "", { ...options, indexer: options.indexer, most });
    }
    if ((options.rpc ?? []).length === 0) {
      throw new UsageError("--rpc: name an endpoint that has the registry, or an --indexer");
    }
    const client = readClient(await clientOptions(options));
    progress.say("asking the registry");
    return await interruptible("stopped", async () => {
      if (name === undefined) {
        const { models, total, ...by } = await listModels(client, most);
        return textOf({ ...by, models, total }, options.json === true);
      }
      const { model, ...by } = await findModel(client, name);
      return textOf({ ...by, models: [model] }, options.json === true);
    });
  } finally {
    progress.end();
  }
}

async function search(
  words: string,
  options: ModelsArguments & { indexer: string; most: number },
): Promise<{ isFound: boolean; text: string }> {
  const indexer = readNodeAddress(options.indexer);
  // Of a chain an indexer says nothing that a client would have to be of.
  const { limits } = readClient({ chainId: 1 });
  const models = await interruptible("stopped", (signal) =>
    searchModels({ client: { limits }, indexer, words, most: options.most, signal }),
  );
  const isFound = models.length > 0;
  const source = `the word of the indexer ${indexer.host}; nothing of it was checked`;
  if (options.json) {
    return { isFound, text: toJson({ source, isChecked: false, models }) };
  }
  const lines = [
    ...models.flatMap(printSearched),
    ...wrapped(`${models.length} found (${source})`, ""),
  ];
  return { isFound, text: `${lines.join("\n")}\n` };
}

const printSearched = (model: SearchedModel): string[] => [
  ...wrapped(`${model.owner}/${model.slug}`, ""),
  ...wrapped(
    `results: ${model.verifiedCount} verified of ${model.settledCount} settled, ${model.pagedCount} in pages`,
  ),
  ...model.versions.flatMap(({ kind, number, status }) => wrapped(`${number} ${kind}, ${status}`)),
];

function textOf(
  found: { source: string; asOf: AsOf; models: readonly ListedModel[]; total?: number },
  isJson: boolean,
): { isFound: boolean; text: string } {
  const { asOf, models, source, total = models.length } = found;
  const isFound = models.length > 0;
  if (isJson) return { isFound, text: toJson({ source, isChecked: true, asOf, models, total }) };
  const of = total > models.length ? ` of ${total}` : "";
  const lines = [
    ...models.flatMap(printModel),
    ...wrapped(`${models.length}${of} in the registry (${source}${asOfText(asOf)})`, ""),
  ];
  return { isFound, text: `${lines.join("\n")}\n` };
}

const printModel = ({ modelId, owner, slug, versionCount, versions }: ListedModel): string[] => [
  ...wrapped(`${owner}/${slug}`, ""),
  ...wrapped(`model ${modelId}`),
  ...(versionCount > versions.length
    ? wrapped(`${versions.length} of its ${versionCount} versions`)
    : []),
  ...versions.flatMap(printVersion),
];

function printVersion(version: ListedVersion): string[] {
  const { deprecatedAt, kind, number, publishedAt, status } = version;
  const time = timeText(String(status === "deprecated" ? deprecatedAt : publishedAt));
  const hashes: readonly (readonly [string, string | null])[] = [
    ["version", version.version],
    [kind === "zkml" ? "model" : "manifest", version.modelHash],
    ["files", /^0x0+$/.test(version.blobId) ? null : version.blobId],
    ["circuit", version.circuitHash],
    ["csHash", version.csHash],
    ["transcript", version.transcriptHash],
    ["key", version.verifyingKeyHash],
    ["layouts", version.layoutsHash],
  ];
  const lines = [
    ...hashes.flatMap(([name, hash]) => (hash === null ? [] : [`${name.padEnd(8)} ${hash}`])),
    ...(kind === "zkml" ? [layoutText("input", version), layoutText("output", version)] : []),
  ];
  return [
    ...wrapped(`${number} ${kind}, ${status} ${time}`),
    ...lines.flatMap((line) => wrapped(printable(line), " ".repeat(5))),
  ];
}

function layoutText(side: "input" | "output", version: ListedVersion): string {
  const [layouts, words] =
    side === "input"
      ? [version.inputLayout, version.inputWords]
      : [version.outputLayout, version.outputWords];
  const tensors = layouts.map(tensorText).join("; ");
  const isHidden = side === "input" && version.inputMode === "committed";
  return isHidden
    ? `input under a commitment: ${tensors}`
    : `${side} in ${words} words: ${tensors}`;
}

const tensorText = ({ bits, count, isSigned, scaleExponent }: TensorLayout): string =>
  `${count} numbers of ${bits} bits${isSigned ? " with sign" : ""}, times 2^${scaleExponent}`;

function readLimit(text = "20"): number {
  const most = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (most >= 1 && most <= 100) return most;
  throw new UsageError(`--limit: must be a whole number, 1 to 100, got ${text}`);
}
