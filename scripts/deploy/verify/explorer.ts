import { BaseError } from "@haca/protocol/baseError";
import type { Subject } from "./collect.ts";
import { excerpt, identifierOf, requestJson, type Service } from "./service.ts";

export const ETHERSCAN_URL = "https://api.etherscan.io/v2/api";

/** Public Blockscout explorers, by chain. */
export const BLOCKSCOUT_URLS: Readonly<Record<number, string>> = {
  8453: "https://base.blockscout.com/api",
  84532: "https://base-sepolia.blockscout.com/api",
};

const ALREADY = /already verified/i;
const PENDING = /pending|in progress|in queue/i;
const PASSED = /^pass/i;

/**
 * The API of Etherscan (docs.etherscan.io, "Contracts"), which Blockscout answers, too: Etherscan needs a key and the
 * chain's id in each request, Blockscout neither.
 */
export function explorer(parameters: {
  name: string;
  url: string;
  chainId: number;
  key: string | undefined;
}): Service {
  const { name, url, chainId, key } = parameters;
  const query = (fields: Record<string, string>): URLSearchParams =>
    new URLSearchParams({
      ...(key === undefined ? {} : { chainid: String(chainId), apikey: key }),
      module: "contract",
      ...fields,
    });
  const ask = async (fields: Record<string, string>) =>
    (await requestJson({ service: name, url: `${url}?${query(fields)}` })).json;
  const fail = (json: Record<string, unknown>): BaseError =>
    new BaseError({
      code: "verify.refused",
      message: `${name} refuses: ${excerpt(json.result ?? json.message ?? JSON.stringify(json))}`,
    });

  const submission = (subject: Subject): Record<string, string> => ({
    action: "verifysourcecode",
    contractaddress: subject.address,
    sourceCode: JSON.stringify(subject.contract.buildInput),
    codeformat: "solidity-standard-json-input",
    contractname: identifierOf(subject),
    compilerversion: `v${subject.contract.compilerVersion}`,
    // The field's name is misspelt in the API.
    constructorArguements: subject.constructorArguments.slice(2),
  });
  return {
    name,
    look: async ({ address }) => {
      const json = await ask({ action: "getsourcecode", address });
      const [entry] = Array.isArray(json.result) ? json.result : [];
      if (json.status !== "1" && !/not verified/i.test(String(json.result ?? json.message))) {
        throw fail(json);
      }
      const isVerified = typeof entry?.SourceCode === "string" && entry.SourceCode !== "";
      return { isVerified, words: isVerified ? "verified" : "unknown" };
    },
    submit: async (subject) => {
      const fields = submission(subject);
      // The key and the chain are read from the address, everything else from the form.
      const address = key === undefined ? url : `${url}?${query({})}`;
      const { json } = await requestJson({ service: name, url: address, form: query(fields) });
      if (ALREADY.test(String(json.result))) return undefined;
      if (json.status !== "1" || typeof json.result !== "string") throw fail(json);
      return json.result;
    },
    follow: async (guid) => {
      const json = await ask({ action: "checkverifystatus", guid });
      const words = excerpt(json.result ?? json.message);
      if (PENDING.test(words)) return undefined;
      const isVerified = PASSED.test(words) || ALREADY.test(words);
      return { isVerified, words: isVerified ? "verified" : words };
    },
  };
}
