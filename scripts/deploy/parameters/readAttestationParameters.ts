import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { nitro } from "@haca/attestation/nitro/nitro";
import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import {
  DEFAULT_ATTESTATION_MAX_AGE,
  DEFAULT_HEARTBEAT_MAX_AGE,
} from "@haca/protocol/attestationParameters";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

/** The registry's bounds, so that a value outside them is refused before the first transaction. */
const HEARTBEAT_AGE = { minimum: 60, maximum: 86_400 };
const ATTESTATION_AGE = { minimum: 3_600, maximum: 90 * 86_400 };

export const attestationSchema = z.strictObject({
  /** file with the DER of AWS's root certificate, beside this one; only a development chain can do without */
  root: z.string().optional(),
  /** seconds */
  heartbeatMaxAge: z
    .int()
    .min(HEARTBEAT_AGE.minimum)
    .max(HEARTBEAT_AGE.maximum)
    .default(DEFAULT_HEARTBEAT_MAX_AGE),
  attestationMaxAge: z
    .int()
    .min(ATTESTATION_AGE.minimum)
    .max(ATTESTATION_AGE.maximum)
    .default(DEFAULT_ATTESTATION_MAX_AGE),
});

export type AttestationParameters = {
  /** DER */
  rootCertificate: Uint8Array;
  /** SHA-256 of the certificate, 0x and 64 hex digits */
  rootFingerprint: string;
  isDevelopmentRoot: boolean;
  /** seconds */
  heartbeatMaxAge: number;
  attestationMaxAge: number;
};

/**
 * The root that a deployment pins: AWS's, from a file whose hash is known here, so that no other can get in by
 * mistake or by somebody's doing. A development chain whose parameters name no file gets the development root.
 * Error: `deploy.badRoot`.
 * @param parameters.rootFile absolute path
 */
export function readRoot(parameters: {
  rootFile: string | undefined;
  isDevelopmentChain: boolean;
}): Pick<AttestationParameters, "rootCertificate" | "rootFingerprint" | "isDevelopmentRoot"> {
  const { rootFile, isDevelopmentChain } = parameters;
  const fail = (message: string): never => {
    throw new BaseError({ code: "deploy.badRoot", message: `attestation.root: ${message}` });
  };
  if (rootFile === undefined) {
    if (!isDevelopmentChain) {
      fail(
        "must name a file with AWS's root certificate in DER; docs/deploying.md says where it is",
      );
    }
    const { certificate } = openDevelopmentRoot();
    return {
      rootCertificate: certificate,
      rootFingerprint: fingerprintOf(certificate),
      isDevelopmentRoot: true,
    };
  }
  if (!existsSync(rootFile)) fail(`no file ${rootFile}`);
  const rootCertificate = new Uint8Array(readFileSync(rootFile));
  const rootFingerprint = fingerprintOf(rootCertificate);
  const { fingerprint, owner } = nitro.root;
  if (rootFingerprint !== fingerprint) {
    fail(`SHA-256 of ${rootFile} is ${rootFingerprint}, ${owner}'s root has ${fingerprint}`);
  }
  return { rootCertificate, rootFingerprint, isDevelopmentRoot: false };
}

const fingerprintOf = (certificate: Uint8Array): string =>
  `0x${createHash("sha256").update(certificate).digest("hex")}`;
