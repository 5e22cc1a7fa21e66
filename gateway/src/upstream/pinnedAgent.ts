import { Agent } from "node:https";
import { checkServerIdentity } from "node:tls";
import { UpstreamError } from "../gatewayError.ts";
import { IDLE_MS } from "../http/callHttp.ts";

/**
 * Connections to a server that authorities vouch for, as always, and whose certificate is one of these besides.
 * @param pins SHA-256 of certificates' DER, lower-case hex
 */
export const pinnedAgent = (pins: readonly string[]): Agent =>
  new Agent({
    keepAlive: true,
    timeout: IDLE_MS,
    // Of a session that goes on nobody looks at the certificate again.
    maxCachedSessions: 0,
    checkServerIdentity(host, certificate) {
      const error = checkServerIdentity(host, certificate);
      if (error !== undefined) return error;
      const shown = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
      return pins.includes(shown) ? undefined : otherCertificate();
    },
  });

const otherCertificate = (): UpstreamError =>
  new UpstreamError({
    status: 502,
    code: "upstream.otherCertificate",
    message: "the upstream shows another certificate than the gateway's settings name",
  });
