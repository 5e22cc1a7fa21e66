import { type KeyObject, sign } from "node:crypto";
import { concat } from "./bytes.ts";
import { DER_TAG, encodeDer, encodeDerInteger, encodeDerTime } from "./encodeDer.ts";

/** What a certificate says. Names are a single commonName. */
export type CertificateFields = {
  issuer: string;
  subject: string;
  serial: bigint;
  /** unix seconds, inclusive */
  notBefore: bigint;
  notAfter: bigint;
  publicKey: KeyObject;
  /** absent for a certificate that may not sign others; `isServer`: it is shown by a server, too */
  authority?: { pathLength?: number; isServer?: boolean };
  /** extensions to add, DER */
  extraExtensions?: readonly Uint8Array[];
};

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

const COMMON_NAME = hex("0603550403");
/** SEQUENCE { ecdsa-with-SHA384 }, SEQUENCE { ecdsa-with-SHA256 }. */
const SIGNATURE_ALGORITHMS = {
  sha384: hex("300a06082a8648ce3d040303"),
  sha256: hex("300a06082a8648ce3d040302"),
};
const BASIC_CONSTRAINTS = hex("0603551d13");
const KEY_USAGE = hex("0603551d0f");
const CRITICAL = hex("0101ff");
/** BIT STRINGs: digitalSignature; keyCertSign; both. */
const DIGITAL_SIGNATURE = hex("03020780");
const CERTIFICATE_SIGN = hex("03020204");
const BOTH_SIGNATURES = hex("03020284");

/** A name of one commonName, DER. */
export function encodeName(commonName: string): Uint8Array {
  const value = encodeDer(DER_TAG.utf8String, new TextEncoder().encode(commonName));
  const attribute = encodeDer(DER_TAG.sequence, COMMON_NAME, value);
  return encodeDer(DER_TAG.sequence, encodeDer(DER_TAG.set, attribute));
}

/** Makes an X.509 certificate in the form that AWS's Nitro certificates have; DER. */
export function makeCertificate(parameters: {
  fields: CertificateFields;
  issuerKey: KeyObject;
  hash?: "sha384" | "sha256";
}): Uint8Array {
  const { fields, issuerKey, hash = "sha384" } = parameters;
  const tbs = encodeTbs(fields, SIGNATURE_ALGORITHMS[hash]);
  const signature = sign(hash, tbs, issuerKey);
  return encodeDer(
    DER_TAG.sequence,
    tbs,
    SIGNATURE_ALGORITHMS[hash],
    encodeDer(DER_TAG.bitString, Uint8Array.of(0), signature),
  );
}

function encodeTbs(fields: CertificateFields, algorithm: Uint8Array): Uint8Array {
  const { authority } = fields;
  const ofAuthority = authority?.isServer ? BOTH_SIGNATURES : CERTIFICATE_SIGN;
  const usage = authority === undefined ? DIGITAL_SIGNATURE : ofAuthority;
  const constraints =
    authority === undefined
      ? new Uint8Array()
      : concat(
          CRITICAL,
          authority.pathLength === undefined
            ? new Uint8Array()
            : encodeDerInteger(BigInt(authority.pathLength)),
        );
  return encodeDer(
    DER_TAG.sequence,
    encodeDer(DER_TAG.version, encodeDerInteger(2n)),
    encodeDerInteger(fields.serial),
    algorithm,
    encodeName(fields.issuer),
    encodeDer(DER_TAG.sequence, encodeDerTime(fields.notBefore), encodeDerTime(fields.notAfter)),
    encodeName(fields.subject),
    new Uint8Array(fields.publicKey.export({ type: "spki", format: "der" })),
    encodeDer(
      DER_TAG.extensions,
      encodeDer(
        DER_TAG.sequence,
        extension(BASIC_CONSTRAINTS, encodeDer(DER_TAG.sequence, constraints)),
        extension(KEY_USAGE, usage),
        ...(fields.extraExtensions ?? []),
      ),
    ),
  );
}

function extension(id: Uint8Array, value: Uint8Array): Uint8Array {
  return encodeDer(DER_TAG.sequence, id, CRITICAL, encodeDer(DER_TAG.octetString, value));
}
