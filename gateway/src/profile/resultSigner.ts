import {
  constants,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signWith,
} from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { signDigest } from "@haca/protocol/secp256k1";
import { computeAddress, getBytes, hexlify, keccak256, SigningKey } from "ethers";

/** Who signs the answers. */
export type ResultSigner = {
  /** keccak256 of the attested key's SubjectPublicKeyInfo */
  teeId: string;
  /** the attested key, in PEM */
  publicKey: string;
  /** address of the session key that signs for it; null where it signs itself */
  session: string | null;
  /** Signs 32 bytes as the settlement contract wants it for this kind of key; both as hex. */
  sign: (digest: string) => string;
};

const CURVES: Readonly<Record<string, "p256" | "secp256k1">> = {
  ...{ prime256v1: "p256", secp256k1: "secp256k1" },
};

/**
 * The signer of a key that an enclave attests.
 * @param parameters.attestedKey PEM: the private key, which signs itself, or the public one
 * @param parameters.sessionKey private key, as hex, that the enclave has certified for results; signs in its place
 * @throws BaseError `signer.*`
 */
export function openResultSigner(parameters: {
  attestedKey: string;
  sessionKey?: string | undefined;
}): ResultSigner {
  const { attestedKey, sessionKey } = parameters;
  const { key, privateKey } = readPem(attestedKey);
  requireKind(key);
  const common = {
    teeId: keccak256(new Uint8Array(key.export({ type: "spki", format: "der" }))),
    publicKey: key.export({ type: "spki", format: "pem" }).toString(),
  };
  if (sessionKey !== undefined) {
    const session = new SigningKey(sessionKey);
    const secret = getBytes(session.privateKey);
    const sign = (digest: string) => signDigest(secret, digest);
    return { ...common, session: computeAddress(session.publicKey), sign };
  }
  if (privateKey === undefined) {
    throw new BaseError({
      code: "signer.noPrivateKey",
      message: "the attested key is a public one, and there is no session key to sign for it",
    });
  }
  return { ...common, session: null, sign: signerOf(privateKey) };
}

function readPem(text: string): { key: KeyObject; privateKey: KeyObject | undefined } {
  try {
    if (!text.includes("PRIVATE KEY")) return { key: createPublicKey(text), privateKey: undefined };
    const privateKey = createPrivateKey(text);
    return { key: createPublicKey(privateKey), privateKey };
  } catch {
    // What the library says of a key that it cannot read may quote it.
    const message = "the attested key is no key in PEM";
    throw new BaseError({ code: "signer.malformedKey", message });
  }
}

function requireKind(key: KeyObject): "rsa" | "p256" | "secp256k1" {
  const { asymmetricKeyDetails: details, asymmetricKeyType: type } = key;
  const kind = type === "rsa" ? type : CURVES[details?.namedCurve ?? ""];
  if (kind !== undefined) return kind;
  throw new BaseError({
    code: "signer.unknownKind",
    message: `the attested key is of the kind ${type}: must be RSA, P-256 or secp256k1`,
  });
}

function signerOf(key: KeyObject): (digest: string) => string {
  const kind = requireKind(key);
  if (kind === "secp256k1") {
    const { d = "" } = key.export({ format: "jwk" });
    const secret = Buffer.from(d, "base64url");
    return (digest) => signDigest(secret, digest);
  }
  const options =
    kind === "p256"
      ? ({ key, dsaEncoding: "ieee-p1363" } as const)
      : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return (digest) => hexlify(signWith("sha256", getBytes(digest), options));
}
