import { BaseError } from "@haca/protocol/baseError";
import { excerpt, identifierOf, requestJson, type Service } from "./service.ts";

export const SOURCIFY_URL = "https://sourcify.dev/server";

const ALREADY = 409;
const UNKNOWN = 404;

/** Sourcify's API, version 2 (docs.sourcify.dev/docs/api): no key, one job for each contract. */
export function sourcify(parameters: { url: string; chainId: number }): Service {
  const { url, chainId } = parameters;
  const service = "Sourcify";
  const fail = (status: number, json: Record<string, unknown>): BaseError =>
    new BaseError({
      code: "verify.refused",
      message: `${service} answers with status ${status}: ${excerpt(json.message ?? JSON.stringify(json))}`,
    });
  return {
    name: service,
    look: async ({ address }) => {
      const { status, json } = await requestJson({
        ...{ service, url: `${url}/v2/contract/${chainId}/${address}` },
      });
      if (status !== UNKNOWN && status >= 400) throw fail(status, json);
      const match = json.match ?? null;
      return { isVerified: match !== null, words: match === null ? "unknown" : excerpt(match) };
    },
    submit: async (subject) => {
      const { contract, address, transaction } = subject;
      const { status, json } = await requestJson({
        ...{ service, url: `${url}/v2/verify/${chainId}/${address}` },
        body: {
          stdJsonInput: contract.buildInput,
          compilerVersion: contract.compilerVersion,
          contractIdentifier: identifierOf(subject),
          creationTransactionHash: transaction,
        },
      });
      if (status === ALREADY && json.customCode === "already_verified") return undefined;
      if (typeof json.verificationId !== "string") throw fail(status, json);
      return json.verificationId;
    },
    follow: async (receipt) => {
      const { status, json } = await requestJson({ service, url: `${url}/v2/verify/${receipt}` });
      if (status >= 400) throw fail(status, json);
      if (json.isJobCompleted !== true) return undefined;
      const { match = null } = (json.contract ?? {}) as { match?: unknown };
      const { message = "" } = (json.error ?? {}) as { message?: unknown };
      return match === null
        ? { isVerified: false, words: excerpt(message) || "the sources do not match" }
        : { isVerified: true, words: excerpt(match) };
    },
  };
}
