import { expect, it } from "vitest";
import { unusable, withoutAccounts } from "./connect.ts";

it("tells a key that cannot be used from an endpoint that does not answer", () => {
  const codeOf = (message: string): string => unusable("baseSepolia", new Error(message)).code;
  expect(codeOf("Invalid private key in network config")).toBe("deploy.badKey");
  expect(codeOf('Configuration Variable "HACA_DEPLOYER_KEY" not found')).toBe("deploy.badKey");
  expect(codeOf('Configuration Variable "BASE_SEPOLIA_RPC_URL" not found')).toBe("deploy.noRpc");
  expect(codeOf("Failed to make POST request to http://127.0.0.1:9546")).toBe("deploy.noRpc");
});

it("says of an endpoint that died between two requests that it does not answer", () => {
  const { message } = unusable("localhost", new Error("Failed to make POST request to http://x"));
  expect(message).toBe("network localhost does not answer: start the chain or check its URL");
});

it("blames the key where the endpoint answers, whatever the words, and else the endpoint", async () => {
  const cause = new Error("invalid BytesLike value");
  const errorWith = (request: (method: string) => Promise<unknown>) =>
    withoutAccounts({ network: "baseSepolia", cause, request });
  const answering = await errorWith(async (method) => {
    if (method === "eth_accounts") throw cause;
    return "0x1";
  });
  expect(answering.code).toBe("deploy.badKey");
  expect(answering.message).toContain("invalid BytesLike value (the key is HACA_DEPLOYER_KEY");
  const dead = await errorWith(() => Promise.reject(new Error("gone")));
  expect(dead.code).toBe("deploy.noRpc");
  const broken = await errorWith(() => Promise.resolve("0x1"));
  expect(broken.code).toBe("deploy.noRpc");
  expect(broken.message).toContain("broke a connection off and answers again");
});
