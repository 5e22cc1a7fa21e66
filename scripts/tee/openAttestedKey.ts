import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { makeSigningKeys, type SigningKeyKind } from "@haca/enclave-simulator/simulatedEnclave";
import { userPath } from "@haca/protocol/userPath";
import { firstLine } from "../lib/words.ts";
import { badOption } from "./options.ts";

const CURVES = { p256: "prime256v1", secp256k1: "secp256k1" } as const;

/**
 * A simulated enclave's key out of a file, which a gateway reads as HACA_GATEWAY_ATTESTED_KEY: the two are one node then. Made
 * where there is no file. FOR DEVELOPMENT ONLY: an enclave's key leaves it for nowhere.
 * @throws BaseError `tee.badOption`
 */
export function openAttestedKey(
  given: string,
  kind: SigningKeyKind,
): { publicKey: KeyObject; privateKey: KeyObject } {
  const path = userPath(given);
  if (!existsSync(path)) return create(path, kind);
  const privateKey = read(path);
  const { asymmetricKeyDetails, asymmetricKeyType } = privateKey;
  const isOfKind =
    kind === "rsa"
      ? asymmetricKeyType === "rsa"
      : asymmetricKeyDetails?.namedCurve === CURVES[kind];
  if (!isOfKind) throw badOption(`--attested-key: ${path} has no key of the kind ${kind} (--key)`);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function create(path: string, kind: SigningKeyKind) {
  const keys = makeSigningKeys(kind);
  const pem = keys.privateKey.export({ type: "pkcs8", format: "pem" });
  try {
    writeFileSync(path, pem, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw badOption(`--attested-key: ${path} cannot be written: ${firstLine(cause)}`, cause);
  }
  return keys;
}

function read(path: string): KeyObject {
  try {
    return createPrivateKey(readFileSync(path));
  } catch {
    // What the library says of a key may quote it.
    throw badOption(`--attested-key: ${path} is no private key in PEM`);
  }
}
