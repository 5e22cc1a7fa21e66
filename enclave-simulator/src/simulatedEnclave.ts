import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { getBytes, keccak256, SigningKey } from "ethers";
import { concat } from "./bytes.ts";
import { type CborInput, encodeCbor } from "./encodeCbor.ts";
import { makeCertificate } from "./makeCertificate.ts";
import { makeP384Keys, type SimulatedChain } from "./simulatedChain.ts";

export type SigningKeyKind = "rsa" | "p256" | "secp256k1";

/** Measurements PCR0, PCR1 and PCR2, 48 bytes each. */
export type Measurements = readonly [Uint8Array, Uint8Array, Uint8Array];

/** What a document is to contain besides what the enclave puts in itself. */
export type DocumentOptions = {
  /** unix seconds */
  now: bigint;
  nonce: Uint8Array | null;
  /** form of the maps; documents of AWS are indefinite since August 2025 */
  isIndefinite?: boolean;
  /** for tests: other values than the enclave's own */
  overrides?: Record<string, CborInput>;
  /** for tests: entries behind the enclave's own */
  extraEntries?: readonly (readonly [string, CborInput])[];
  /** for tests: what becomes of the payload's bytes before they are signed */
  changePayload?: (payload: Uint8Array) => Uint8Array;
};

const LEAF_VALIDITY = 3n * 60n * 60n;
const TLS_VALIDITY = 365n * 24n * 60n * 60n;
const PROTECTED_HEADER = Uint8Array.of(0xa1, 0x01, 0x38, 0x22);
const SHA256_MULTIHASH = Uint8Array.of(0x12, 0x20);
const PCR_COUNT = 16;
const PCR_LENGTH = 48;

/**
 * An enclave that isolates nothing and attests what it is told to, in the very format of AWS Nitro.
 * FOR DEVELOPMENT AND TESTS ONLY, under a root of its own (`makeSimulatedChain`), which only a development
 * deployment pins.
 */
export class SimulatedEnclave {
  readonly chain: SimulatedChain;
  readonly measurements: Measurements;
  readonly kind: SigningKeyKind;
  /** SubjectPublicKeyInfo of the signing key, DER */
  readonly signingKey: Uint8Array;
  /** DER */
  readonly tlsCertificate: Uint8Array;
  /** private key of the TLS certificate, PKCS #8 in PEM */
  readonly tlsKey: string;
  readonly teeId: string;
  private readonly privateKey: KeyObject;
  private leaf: { certificate: Uint8Array; privateKey: KeyObject; notAfter: bigint } | undefined;

  constructor(parameters: {
    chain: SimulatedChain;
    measurements: Measurements;
    kind: SigningKeyKind;
    /** unix seconds, start of the validity of a fresh TLS certificate */
    now: bigint;
    modulusLength?: number;
    /** its signing key, of this kind; a fresh one if left out */
    keys?: { publicKey: KeyObject; privateKey: KeyObject };
    /** its TLS certificate and key; fresh ones if left out */
    tls?: TlsPair;
  }) {
    this.chain = parameters.chain;
    this.measurements = parameters.measurements;
    this.kind = parameters.kind;
    const { publicKey, privateKey } =
      parameters.keys ?? makeSigningKeys(this.kind, parameters.modulusLength);
    this.privateKey = privateKey;
    this.signingKey = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
    this.teeId = keccak256(this.signingKey);
    const tls = parameters.tls ?? makeTls(parameters.now);
    this.tlsKey = tls.key;
    this.tlsCertificate = tls.certificate;
  }

  /** A raw attestation document; made under the same leaf certificate as long as that is valid, as AWS does. */
  attest(options: DocumentOptions): Uint8Array {
    const { now, overrides = {} } = options;
    const leaf = this.leafAt(now);
    const isIndefinite = options.isIndefinite ?? true;
    const fields: [string, CborInput][] = [
      ["module_id", "i-0simulated-enc0"],
      ["digest", "SHA384"],
      ["timestamp", now * 1000n],
      ["pcrs", { entries: this.pcrs() }],
      ["certificate", leaf.certificate],
      ["cabundle", this.chain.cabundle],
      ["public_key", new TextEncoder().encode("dummy")],
      ["user_data", this.userData()],
      ["nonce", options.nonce],
    ];
    const encoded = encodeCbor({
      entries: [
        ...fields.map(([key, value]) => [key, key in overrides ? overrides[key] : value] as const),
        ...(options.extraEntries ?? []),
      ].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
      isIndefinite,
    });
    const payload = options.changePayload?.(encoded) ?? encoded;
    const signature = sign("sha384", signedMessage(payload), {
      key: leaf.privateKey,
      dsaEncoding: "ieee-p1363",
    });
    return concat(
      Uint8Array.of(0x84),
      encodeCbor(PROTECTED_HEADER),
      Uint8Array.of(0xa0),
      encodeCbor(payload),
      encodeCbor(new Uint8Array(signature)),
    );
  }

  /** Signs 32 bytes as `ISigningKeys` of the contracts wants it for this kind of key. */
  sign(message: string | Uint8Array): Uint8Array {
    const bytes = getBytes(message);
    if (this.kind === "secp256k1") {
      const { d = "" } = this.privateKey.export({ format: "jwk" });
      return getBytes(new SigningKey(Buffer.from(d, "base64url")).sign(bytes).serialized);
    }
    if (this.kind === "p256") {
      return sign("sha256", bytes, { key: this.privateKey, dsaEncoding: "ieee-p1363" });
    }
    return sign("sha256", bytes, {
      key: this.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    });
  }

  /** The user data of the public network's gateway: multihashes of TLS certificate and signing key. */
  userData(): Uint8Array {
    const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
    return concat(
      ...[SHA256_MULTIHASH, sha256(this.tlsCertificate)],
      ...[SHA256_MULTIHASH, sha256(this.signingKey)],
    );
  }

  private leafAt(now: bigint) {
    if (this.leaf === undefined || now > this.leaf.notAfter) {
      const { publicKey, privateKey } = makeP384Keys();
      const { instance } = this.chain;
      const notAfter = now + LEAF_VALIDITY;
      const certificate = makeCertificate({
        fields: {
          issuer: instance.name,
          subject: "enclave.simulated.nitro-enclaves",
          serial: 0x0190_0000_0000_0000n + now,
          notBefore: now,
          notAfter,
          publicKey,
        },
        issuerKey: instance.keys.privateKey,
      });
      this.leaf = { certificate, privateKey, notAfter };
    }
    return this.leaf;
  }

  private pcrs(): [bigint, Uint8Array][] {
    const zero = new Uint8Array(PCR_LENGTH);
    return Array.from({ length: PCR_COUNT }, (_, i) => [BigInt(i), this.measurements[i] ?? zero]);
  }
}

function signedMessage(payload: Uint8Array): Uint8Array {
  return encodeCbor(["Signature1", PROTECTED_HEADER, new Uint8Array(), payload]);
}

/** A fresh signing key. @param modulusLength bits of an RSA key */
export function makeSigningKeys(kind: SigningKeyKind, modulusLength = 2048) {
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength });
  return generateKeyPairSync("ec", { namedCurve: kind === "p256" ? "P-256" : "secp256k1" });
}

/** A server's certificate, DER, and its private key, PKCS #8 in PEM. */
export type TlsPair = { certificate: Uint8Array; key: string };

/** A fresh one that nobody else has signed. @param now unix seconds, start of its validity */
export function makeTls(now: bigint): TlsPair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const names = { issuer: "enclave", subject: "enclave", serial: 1n };
  const certificate = makeCertificate({
    fields: { ...names, notBefore: now, notAfter: now + TLS_VALIDITY, publicKey },
    issuerKey: privateKey,
    hash: "sha256",
  });
  return { certificate, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}
