import { sha256, toUtf8Bytes } from "ethers";
import { describe, expect, it } from "vitest";
import { parseModelManifest } from "../src/modelManifest.ts";

const MANIFEST = {
  format: 1,
  slug: "chat",
  model: "example-large",
  provider: "Example",
  policy: "temperature as asked; nothing is kept",
};
const bytes = (value: unknown): Uint8Array => toUtf8Bytes(JSON.stringify(value));

describe("parseModelManifest", () => {
  it("reads a manifest with a provider, and one with a file", () => {
    const { provider, ...rest } = MANIFEST;
    for (const manifest of [MANIFEST, { ...rest, file: "ab".repeat(32) }]) {
      expect(parseModelManifest(bytes(manifest))).toEqual({
        manifest,
        hash: sha256(bytes(manifest)),
      });
    }
    expect(provider).toBe("Example");
  });

  it.each([
    ["another format", { ...MANIFEST, format: 2 }, "format: "],
    ["a slug that no registry takes", { ...MANIFEST, slug: "Chat" }, "slug: must be"],
    ["an empty model", { ...MANIFEST, model: " " }, "model: "],
    ["no policy", { ...MANIFEST, policy: undefined }, "policy: "],
    ["neither provider nor file", { ...MANIFEST, provider: undefined }, "provider: must name"],
    ["both", { ...MANIFEST, file: "ab".repeat(32) }, "provider: must name"],
    ["a file's hash with 0x", { ...MANIFEST, provider: undefined, file: "0xab" }, "file: must be"],
    ["a field that it does not know", { ...MANIFEST, note: "x" }, "the manifest: "],
    ["a list", [], "the manifest: "],
  ])("refuses %s, and names the field", (_, value, message) => {
    expect(() => parseModelManifest(bytes(value))).toThrow(message);
  });

  it("refuses what is no JSON in UTF-8", () => {
    for (const wrong of [toUtf8Bytes("{"), Uint8Array.of(0xff)]) {
      expect(() => parseModelManifest(wrong)).toThrow("no JSON in UTF-8");
    }
  });
});
