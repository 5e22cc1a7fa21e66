import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BaseError } from "@haca/protocol/baseError";
import { temporaryName } from "@haca/protocol/replaceFile";
import { z } from "zod";
import { type Authority, makeSimulatedChain } from "./simulatedChain.ts";

const fileSchema = z.strictObject({
  format: z.literal(1),
  /** commonName of the root */
  name: z.string().min(1),
  /** DER in base64 */
  certificate: z.base64().min(1),
  /** PKCS #8 in PEM */
  privateKey: z.string().min(1),
});

const MILLISECONDS = 1000;

/** Default place of the development root: `data/development/enclave-root.json` in the project. */
export function developmentRootPath(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  return join(root, "data", "development", "enclave-root.json");
}

/**
 * The root that development deployments pin and simulated enclaves attest under, made when it is first asked for.
 * Pass it to `makeSimulatedChain` as `root`. FOR DEVELOPMENT ONLY: its key lies in a file, readable by its owner.
 *
 * Of several processes that make it at once, one wins and the others read what it wrote.
 * Error: `developmentRoot.malformed`, naming file and field.
 */
export function openDevelopmentRoot(path: string = developmentRootPath()): Authority {
  if (!existsSync(path)) create(path);
  return read(path);
}

function create(path: string): void {
  const { name, certificate, keys } = makeSimulatedChain({
    now: BigInt(Math.floor(Date.now() / MILLISECONDS)),
  }).rootAuthority;
  const content: z.infer<typeof fileSchema> = {
    format: 1,
    name,
    certificate: Buffer.from(certificate).toString("base64"),
    privateKey: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  try {
    // Unlike a rename, a link never replaces what another process has put there meanwhile.
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(temporary);
  }
}

function read(path: string): Authority {
  const malformed = (field: string, reason: string, cause?: unknown): BaseError =>
    new BaseError({
      code: "developmentRoot.malformed",
      message: `${path}: ${field}: ${reason}; without the file a new root is made, for a new deployment`,
      cause,
    });
  const attempt = <T>(field: string, reason: string, work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw malformed(field, reason, cause);
    }
  };

  const json: unknown = attempt("file", "is not JSON", () =>
    JSON.parse(readFileSync(path, "utf8")),
  );
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(issue?.path.join(".") || "file", issue?.message ?? "is invalid");
  }
  const { name } = parsed.data;
  const certificate = new Uint8Array(Buffer.from(parsed.data.certificate, "base64"));
  const x509 = attempt("certificate", "is no certificate", () => new X509Certificate(certificate));
  if (x509.subject !== `CN=${name}`) {
    throw malformed("name", `is ${name}, the certificate's is ${x509.subject}`);
  }
  const privateKey = attempt("privateKey", "is no private key", () =>
    createPrivateKey(parsed.data.privateKey),
  );
  const publicKey: KeyObject = createPublicKey(privateKey);
  if (!x509.checkPrivateKey(privateKey)) {
    throw malformed("privateKey", "does not belong to the certificate");
  }
  return { name, certificate, keys: { publicKey, privateKey } };
}
