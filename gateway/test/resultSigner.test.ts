import { constants, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { getBytes, id, keccak256, recoverAddress, Wallet } from "ethers";
import { describe, expect, it } from "vitest";
import { openResultSigner } from "../src/profile/resultSigner.ts";

const DIGEST = id("digest");
const SESSION = id("session");
const PKCS8 = { type: "pkcs8", format: "pem" } as const;
const SPKI = { type: "spki", format: "pem" } as const;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const secp256k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" });

describe("openResultSigner", () => {
  for (const [kind, { privateKey, publicKey }] of Object.entries({ rsa, p256, secp256k1 })) {
    it(`signs with an attested key of the kind ${kind}`, () => {
      const attestedKey = privateKey.export(PKCS8).toString();
      const { sign, ...signer } = openResultSigner({ attestedKey });
      expect(signer).toEqual({
        teeId: keccak256(new Uint8Array(publicKey.export({ type: "spki", format: "der" }))),
        publicKey: publicKey.export(SPKI),
        session: null,
      });
      const signature = getBytes(sign(DIGEST));
      if (kind === "secp256k1") {
        const { x = "", y = "" } = publicKey.export({ format: "jwk" });
        const point = Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
        const address = `0x${keccak256(new Uint8Array(point)).slice(-40)}`;
        const recovered = recoverAddress(DIGEST, `0x${Buffer.from(signature).toString("hex")}`);
        expect(recovered.toLowerCase()).toBe(address);
        return;
      }
      const key = createPublicKey(signer.publicKey);
      const options =
        kind === "rsa"
          ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
          : ({ key, dsaEncoding: "ieee-p1363" } as const);
      expect(verify("sha256", getBytes(DIGEST), options, signature)).toBe(true);
    });
  }

  it("signs with a session key in the place of the attested one, of which the public half is enough", () => {
    const attestedKey = rsa.publicKey.export(SPKI).toString();
    const { session, sign } = openResultSigner({ attestedKey, sessionKey: SESSION });
    expect(session).toBe(new Wallet(SESSION).address);
    expect(recoverAddress(DIGEST, sign(DIGEST))).toBe(session);
  });

  it("refuses what cannot sign, and shows nothing of it", () => {
    const refused = (attestedKey: string) => {
      try {
        openResultSigner({ attestedKey });
      } catch (error) {
        const { code, message } = error as Error & { code: string };
        expect(message).not.toContain("MHcC");
        return code;
      }
      return undefined;
    };
    expect(refused(rsa.publicKey.export(SPKI).toString())).toBe("signer.noPrivateKey");
    const broken = "-----BEGIN PRIVATE KEY-----\nMHcCsecret\n-----END PRIVATE KEY-----\n";
    for (const text of ["", "hello", broken]) expect(refused(text)).toBe("signer.malformedKey");
    const ed25519 = generateKeyPairSync("ed25519").privateKey.export(PKCS8).toString();
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export(PKCS8);
    for (const text of [ed25519, p384.toString()]) expect(refused(text)).toBe("signer.unknownKind");
  });
});
