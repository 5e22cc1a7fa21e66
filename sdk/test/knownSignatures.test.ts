import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isSigned } from "../src/checks/knownSignatures.ts";

const P384 = { namedCurve: "P-384" };
/** x | y of a key, behind what says that it is one of P-384. */
const POINT = 96;

function maker() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", P384);
  const der = publicKey.export({ format: "der", type: "spki" });
  return {
    publicKey: Uint8Array.from(der.subarray(-POINT)),
    sign: (message: Uint8Array) =>
      Uint8Array.from(sign("sha384", message, { key: privateKey, dsaEncoding: "ieee-p1363" })),
  };
}
/** As certificates begin. */
const certificate = (): Uint8Array => Uint8Array.of(0x30, ...randomBytes(200));
const changed = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes[at] ?? 0) ^ 1);

describe("a certificate's signature that was found good", () => {
  const authority = maker();
  const message = certificate();
  const good = { publicKey: authority.publicKey, message, signature: authority.sign(message) };

  it("is good again, and makes no other certificate, key or signature good", async () => {
    for (let count = 0; count < 2; count += 1) expect(await isSigned(good)).toBe(true);
    const forged = [
      { ...good, message: changed(message, 100) },
      { ...good, message: message.subarray(0, -1) },
      { ...good, message: Uint8Array.of(...message, 0) },
      { ...good, publicKey: maker().publicKey },
      { ...good, signature: changed(good.signature, 95) },
    ];
    for (const parts of forged) expect(await isSigned(parts)).toBe(false);
    expect(await isSigned(good)).toBe(true);
  });

  it("stays what was looked at, whoever writes into its bytes later", async () => {
    const written = certificate();
    const parts = { ...good, message: written, signature: authority.sign(written) };
    expect(await isSigned(parts)).toBe(true);
    written[50] = (written[50] ?? 0) ^ 1;
    expect(await isSigned(parts)).toBe(false);
  });

  it("is looked at again once many others were, and what failed is never kept", async () => {
    for (let count = 0; count < 70; count += 1) {
      const other = certificate();
      const parts = { ...good, message: other, signature: authority.sign(other) };
      expect(await isSigned(parts)).toBe(true);
      expect(await isSigned({ ...parts, message: changed(other, 9) })).toBe(false);
    }
    expect(await isSigned(good)).toBe(true);
  });
});
