import { describe, expect, it } from "vitest";
import { bindingNonce } from "../src/nitro/bindingNonce.ts";
import { documentHints } from "../src/nitro/documentHints.ts";
import { parseDocument } from "../src/nitro/parseDocument.ts";
import { certificateIds } from "../src/x509/parseCertificate.ts";
import { documentOf } from "./enclave.ts";

describe("documentHints", () => {
  it("are there for every signature below the root, and for the document", async () => {
    const hints = await documentHints({ document: documentOf() });
    expect(hints).toHaveLength(5);
    expect(hints.every(({ length }) => length > 10_000)).toBe(true);
  });

  it("are empty for what is stored, and ask for nothing but that", async () => {
    const document = documentOf();
    const { cabundle, certificate } = parseDocument(document);
    const ids = certificateIds([...cabundle, certificate]);
    const asked: string[] = [];
    const hints = await documentHints({
      document,
      async isStored(id) {
        asked.push(id);
        return id !== ids.at(-1);
      },
    });
    expect(asked).toEqual(ids.slice(1));
    expect(hints.map(({ length }) => length > 0)).toEqual([false, false, false, true, true]);
  });

  it("do not exist for a signature that is not valid", async () => {
    const document = documentOf();
    const forged = document.with(-1, (document.at(-1) ?? 0) ^ 1);
    await expect(documentHints({ document: forged })).rejects.toMatchObject({
      code: "p384.signatureInvalid",
    });
  });
});

describe("bindingNonce", () => {
  const bound = {
    chainId: 1n,
    registry: `0x${"11".repeat(20)}`,
    operator: `0x${"22".repeat(20)}`,
    paymentAddress: `0x${"33".repeat(20)}`,
    endpoint: "https://node.example",
    teeType: 0,
  };
  it.each([
    ["chain", { chainId: 2n }],
    ["registry", { registry: bound.operator }],
    ["operator", { operator: bound.paymentAddress }],
    ["payment address", { paymentAddress: bound.operator }],
    ["endpoint", { endpoint: "https://node.example/" }],
    ["type", { teeType: 1 }],
  ])("is another for another %s", (_, change) => {
    const nonce = bindingNonce(bound);
    expect(nonce).toMatch(/^0x[0-9a-f]{40}$/);
    expect(bindingNonce(bound)).toBe(nonce);
    expect(bindingNonce({ ...bound, ...change })).not.toBe(nonce);
  });
});
