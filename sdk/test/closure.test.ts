import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));
const ROOT = join(SOURCES, "../..");
const IMPORTS: Readonly<Record<string, { browser: string }>> = JSON.parse(
  readFileSync(join(SOURCES, "../package.json"), "utf8"),
).imports;

/** Where an import of ours leads, or nothing for what is another's. */
function fileOf(specifier: string, from: string): string | undefined {
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  if (specifier.startsWith("#")) return join(SOURCES, "..", IMPORTS[specifier]?.browser ?? "");
  const [, room, path] = /^@haca\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  return room === undefined ? undefined : join(ROOT, room, "src", `${path}.ts`);
}

/** What of others the files import that are reached from one, types apart. */
function importsFrom(entry: string): { others: Set<string>; files: number; own: Set<string> } {
  const others = new Set<string>();
  const seen = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    expect(existsSync(file), file).toBe(true);
    const text = readFileSync(file, "utf8");
    for (const [, specifier = ""] of text.matchAll(
      /^(?:import|export)\b(?! type\b)(?:[^;"=()]*?\bfrom)? "([^"]+)";$/gm,
    )) {
      const own = fileOf(specifier, file);
      if (own === undefined) others.add(specifier);
      else waiting.push(own);
    }
  }
  return { others, files: seen.size, own: seen };
}

const NOBLE = [
  ...["@noble/curves/bn254", "@noble/curves/secp256k1"],
  ...["@noble/hashes/sha2.js", "@noble/hashes/sha3.js", "@noble/hashes/utils.js"],
];

describe("the verifier", () => {
  it("imports the noble libraries and nothing else of others: no Node, no ethers, no viem", () => {
    const { others, files } = importsFrom(join(SOURCES, "verify.ts"));
    expect(files).toBeGreaterThan(20);
    expect([...others].sort()).toEqual(NOBLE);
  });
});

it.each(["client/createHaca.ts", "pay/createPayer.ts", "pay/keySigner.ts", "readFeed.ts"])(
  "%s for browsers imports nothing else, either",
  (entry) => {
    const { others, files } = importsFrom(join(SOURCES, entry));
    expect(files).toBeGreaterThan(5);
    const allowed = [...NOBLE, "@noble/curves/abstract/modular", "@noble/curves/abstract/poseidon"];
    expect([...others].filter((name) => !allowed.includes(name))).toEqual([]);
  },
);

it("the client does not load what pays", () => {
  const { own } = importsFrom(join(SOURCES, "client/createHaca.ts"));
  expect([...own].filter((file) => file.startsWith(join(SOURCES, "pay/")))).toEqual([]);
});

it.each([
  ["ai/createHacaProvider", []],
  ["langchain/chatHaca", ["@langchain/core"]],
  ["mcp/createMcpServer", ["@modelcontextprotocol/server"]],
])("the adapter %s imports what it is for, and nothing of Node", (file, peers) => {
  const { others } = importsFrom(join(SOURCES, `adapters/${file}.ts`));
  const packages = [...others].filter((name) => !NOBLE.includes(name));
  const named = packages.map((name) => name.split("/").slice(0, 2).join("/"));
  expect([...new Set(named)]).toEqual(peers);
});
