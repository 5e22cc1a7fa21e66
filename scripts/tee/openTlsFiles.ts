import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pemOf } from "@haca/enclave-simulator/pemOf";
import { makeTls, type TlsPair } from "@haca/enclave-simulator/simulatedEnclave";
import { readTls, shownBy } from "@haca/gateway/settings/readTls";
import { BaseError } from "@haca/protocol/baseError";
import { userPath } from "@haca/protocol/userPath";
import { firstLine } from "../lib/words.ts";
import { badOption } from "./options.ts";

const CERTIFICATE = "--tls-certificate";
const KEY = "--tls-key";

/**
 * A simulated enclave's TLS certificate and key out of two files, which a gateway reads as HACA_GATEWAY_TLS_CERTIFICATE and
 * HACA_GATEWAY_TLS_KEY: TLS ends there then, under the certificate that the enclave attests. Made where neither is there. FOR
 * DEVELOPMENT ONLY: an enclave's key leaves it for nowhere.
 * @throws BaseError `tee.badOption`
 */
export function openTlsFiles(
  given: { tlsCertificate?: string | undefined; tlsKey?: string | undefined },
  now: bigint,
): TlsPair | undefined {
  const { tlsCertificate, tlsKey } = given;
  if (tlsCertificate === undefined && tlsKey === undefined) return undefined;
  if (tlsCertificate === undefined) throw badOption(`${CERTIFICATE}: is needed with ${KEY}`);
  if (tlsKey === undefined) throw badOption(`${KEY}: is needed with ${CERTIFICATE}`);
  const [certificatePath, keyPath] = [userPath(tlsCertificate), userPath(tlsKey)];
  const [hasCertificate, hasKey] = [certificatePath, keyPath].map((path) => existsSync(path));
  if (hasCertificate && hasKey) return read(certificatePath, keyPath);
  if (hasCertificate)
    throw badOption(`${KEY}: there is no ${keyPath}, and its certificate is there`);
  if (hasKey)
    throw badOption(`${CERTIFICATE}: there is no ${certificatePath}, and its key is there`);
  const made = makeTls(now);
  write(KEY, keyPath, made.key);
  write(CERTIFICATE, certificatePath, pemOf(made.certificate));
  return made;
}

function write(option: string, path: string, pem: string): void {
  try {
    writeFileSync(path, pem, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw badOption(`${option}: ${path} cannot be written: ${firstLine(cause)}`, cause);
  }
}

function read(certificatePath: string, keyPath: string): TlsPair {
  const textOf = (option: string, path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw badOption(`${option}: ${path} cannot be read: ${firstLine(cause)}`, cause);
    }
  };
  const pair = { certificate: textOf(CERTIFICATE, certificatePath), key: textOf(KEY, keyPath) };
  try {
    return { certificate: new Uint8Array(shownBy(readTls(pair))), key: pair.key };
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    const [option, path] =
      error.code === "tls.key" ? [KEY, keyPath] : [CERTIFICATE, certificatePath];
    throw badOption(`${option}: ${path} ${error.message}`);
  }
}
