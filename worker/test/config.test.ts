import { describe, expect, it } from "vitest";
import { readConfig, type Settings } from "../src/config/readConfig.ts";
import { flagOf, VARIABLES, type VariableName } from "../src/config/variables.ts";

const KEY = `0x${"ab".repeat(32)}`;
const COMPLETE: Settings = {
  HACA_RPC_URL: "http://127.0.0.1:8545",
  HACA_CHAIN_ID: "31337",
  HACA_NODE_KEY: KEY,
  HACA_MODELS: "data/models/a, data/models/b",
};
const ROLES = ["infer", "prove", "settle"];

function refusal(settings: Settings, roles: readonly string[] = ROLES): string {
  try {
    readConfig({ roles, settings });
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

describe("readConfig", () => {
  it("has a default for everything that can have one", () => {
    const config = readConfig({ roles: ROLES, settings: COMPLETE });
    expect(config).toMatchObject({
      chainId: 31337,
      databaseUrl: undefined,
      http: { host: "127.0.0.1", port: 8080, bodyLimit: 65_536 },
      price: 0n,
      confirmations: 1,
      reorgBlocks: 64,
    });
    expect(config.models.map((folder) => folder.split("/").slice(-2).join("/"))).toEqual([
      "models/a",
      "models/b",
    ]);
    expect(config.addressBook).toMatch(/deployments\/31337\.json$/);
  });

  it.each(["HACA_RPC_URL", "HACA_CHAIN_ID", "HACA_NODE_KEY", "HACA_MODELS"] as const)(
    "names %s where it is missing or empty",
    (name) => {
      const { [name]: _, ...rest } = COMPLETE;
      expect(refusal(rest)).toMatch(new RegExp(`^${name}: not set \\(.+\\)$`));
      expect(refusal({ ...rest, [name]: "" })).toMatch(new RegExp(`^${name}: not set`));
    },
  );

  const wrong: [VariableName, string, RegExp][] = [
    ["HACA_RPC_URL", "not a url", /must be an http or https URL/],
    ["HACA_RPC_URL", "ftp://127.0.0.1", /must be an http or https URL/],
    ["HACA_CHAIN_ID", "0", /between 1 and/],
    ["HACA_CHAIN_ID", "0x1", /must be an integer/],
    ["HACA_NODE_KEY", "0x1234", /must be 0x and 64 hex digits/],
    ["HACA_MODELS", " , ", /must name a folder/],
    ["HACA_WORKER_DATABASE_URL", "mysql://localhost", /must be a postgres:\/\/ URL/],
    ["HACA_HTTP_PORT", "65536", /between 0 and 65535/],
    ["HACA_HTTP_PORT", "-1", /must be an integer/],
    ["HACA_HTTP_BODY_LIMIT", "1", /between 1024/],
    ["HACA_HTTP_ORIGINS", "https://app.example/", /must be origins such as/],
    ["HACA_PRICE", "1.5", /must be an integer/],
    ["HACA_CONFIRMATIONS", "0", /between 1/],
    ["HACA_REORG_BLOCKS", "many", /must be an integer/],
    ["HACA_POLL_MS", "1", /between 10/],
    ["HACA_REBROADCAST_MS", "x", /must be an integer/],
    ["HACA_MODEL_REFRESH_MS", "", /^accepted$/],
    ["HACA_LOG_LEVEL", "loud", /Invalid option/],
  ];
  it.each(wrong)("judges %s = %j", (name, value, message) => {
    const refused = refusal({ ...COMPLETE, [name]: value });
    expect(refused).toMatch(message);
    if (refused !== "accepted") expect(refused.startsWith(`${name}: `)).toBe(true);
    expect(refused).not.toContain("\n");
  });

  it("never repeats a key", () => {
    expect(refusal({ ...COMPLETE, HACA_NODE_KEY: "0xsecret" })).not.toContain("secret");
  });

  it("asks each role only for what it needs", () => {
    const { HACA_NODE_KEY: _, ...keyless } = COMPLETE;
    const { HACA_MODELS: __, ...modelless } = COMPLETE;
    expect(refusal(keyless, ["prove"])).toBe("accepted");
    expect(refusal(keyless, ["settle"])).toMatch(/^HACA_NODE_KEY/);
    expect(refusal(modelless, ["settle"])).toBe("accepted");
    expect(refusal(modelless, ["prove"])).toMatch(/^HACA_MODELS/);
  });

  it("refuses roles that do not exist", () => {
    expect(refusal(COMPLETE, ["prove", "dance"])).toMatch(/^role: .*got dance$/);
    expect(refusal(COMPLETE, [])).toMatch(/^role: .*got none$/);
  });
});

describe("flagOf", () => {
  it("follows the variable's name", () => {
    expect(flagOf("HACA_HTTP_BODY_LIMIT")).toBe("--http-body-limit");
  });

  it("is not offered for secrets", () => {
    expect(VARIABLES.HACA_NODE_KEY.secret).toBe(true);
    expect(VARIABLES.HACA_WORKER_DATABASE_URL.secret).toBe(true);
  });
});
