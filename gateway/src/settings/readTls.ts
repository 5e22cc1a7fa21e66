import { createPrivateKey, X509Certificate } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";

/** What a server ends TLS with. */
export type TlsSettings = {
  /** PEM; the first certificate is the server's, the others are those that sign it */
  certificate: string;
  /** PEM */
  key: string;
};

/** @throws BaseError `tls.certificate`, `tls.key` */
export function readTls({ certificate, key }: TlsSettings): TlsSettings {
  const fail = (part: "certificate" | "key", message: string): never => {
    throw new BaseError({ code: `tls.${part}`, message });
  };
  // What the library says of a key may quote it.
  const shown = attempt(() => new X509Certificate(certificate)) ?? fail("certificate", "is no PEM");
  const privateKey =
    attempt(() => createPrivateKey(key)) ?? fail("key", "is no private key in PEM");
  if (!shown.checkPrivateKey(privateKey)) fail("key", "is another certificate's");
  return { certificate, key };
}

/** The DER of the certificate that a server with these settings shows. */
export const shownBy = ({ certificate }: TlsSettings): Uint8Array =>
  new X509Certificate(certificate).raw;

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
