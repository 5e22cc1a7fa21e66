import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { AbiCoder } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { escrowCases, placeProxy, refundCases } from "./escrowCases.ts";
import { FeedWorld, feedCases } from "./feedCases.ts";
import { BOOK, failure, LocalDeployment, type Result, success } from "./localDeployment.ts";
import { operatorCases } from "./operatorCases.ts";

/** With the reader of the one feed, and the code of the escrow's facilitators. */
const CONTRACTS = CONTRACT_ROWS.length + 2;

let local: LocalDeployment;
let feeds: FeedWorld;
let service: VerificationService;
beforeAll(async () => {
  local = await LocalDeployment.start();
  const provider = local.provider();
  await placeProxy(provider);
  provider.destroy();
  expect(await success(local.deploy())).not.toContain("but on this chain");
  feeds = await FeedWorld.start(local);
});
beforeEach(async () => {
  service = await VerificationService.listen();
  return () => service.close();
});
afterAll(async () => {
  await feeds.close();
  await local.stop();
});

const verifyWith = (key: string, ...options: string[]): Promise<Result> =>
  local.use("scripts/deploy/verify/cli.ts", options, { HACA_ETHERSCAN_KEY: key });
const verify = (...options: string[]): Promise<Result> => verifyWith("", ...options);

/** Contracts that nobody's transaction created are among them. */
const EVERY = [
  ...["OPG", "VestingFactory", "VestingVault", "MerkleAirdrop", "TEERegistry"],
  ...["AccessManager", "TimelockController", "HacaGovernor", "EcdsaP384", "FeedReader"],
  ...["JobFacilitator", "ChannelGates", "ChannelGate"],
  ...["CommerceOperators", "CommerceOperator"],
];

describe("npm run verify", () => {
  it("hands every contract to Sourcify once, and finds them all the next time", async () => {
    const options = ["--url", service.url];
    expect(await failure(verify(...options, "--check"))).toContain(
      `${CONTRACTS} of ${CONTRACTS} contracts are not verified at Sourcify`,
    );
    const output = await success(verify(...options));
    expect(output).toContain(`all ${CONTRACTS} contracts are verified at Sourcify`);
    expect(output).toContain("✔ exact_match");
    expect(service.submissions).toHaveLength(CONTRACTS);
    for (const name of EVERY) {
      expect(service.submissions.map(({ contract }) => contract.split(":").at(-1))).toContain(name);
    }
    expect(await success(verify(...options))).toContain("all");
    expect(service.submissions).toHaveLength(CONTRACTS);
  });

  it("hands them to Blockscout without a key and to Etherscan with one", async () => {
    const url = `${service.url}/api`;
    await success(verify("--by", "blockscout", "--url", url));
    const book = readAddressBook(BOOK);
    const airdrop = service.submissions.find(({ contract }) => contract.endsWith(":MerkleAirdrop"));
    const coder = AbiCoder.defaultAbiCoder();
    const types = ["address", "bytes32", "uint256", "uint256", "address"];
    const [token, root] = coder.decode(types, `0x${airdrop?.arguments}`);
    expect(token).toBe(book.contracts.OPG?.address);
    expect(root).toBe(book.parameters.governance?.airdropRoot);
    const reader = service.submissions.find(({ contract }) => contract.endsWith(":FeedReader"));
    expect(reader?.address).toBe(feeds.seated.reader);
    const ofReader = coder.decode(["bytes32", "uint8"], `0x${reader?.arguments}`);
    expect([...ofReader]).toEqual([feeds.seated.feedId, 8n]);
    expect(airdrop?.compiler).toBe("v0.8.37+commit.f401782d");

    const withKey = await VerificationService.listen("secret");
    const asEtherscan = ["--by", "etherscan", "--url", `${withKey.url}/api`];
    const output = await success(verifyWith("secret", ...asEtherscan));
    expect(output).not.toContain("secret");
    expect(withKey.submissions).toHaveLength(CONTRACTS);
    expect(await failure(verifyWith("wrong", ...asEtherscan))).toContain(
      `${CONTRACTS} of ${CONTRACTS} contracts are not verified at Etherscan`,
    );
    await withKey.close();
  });

  it("says which contract a service refuses, and why, and goes on with the others", async () => {
    service.refused = "HacaGovernor";
    const { status, output } = await verify("--url", service.url);
    expect(status).toBe(1);
    expect(output).toContain("✘ the bytecodes do not match");
    expect(output).toContain(
      `1 of ${CONTRACTS} contracts are not verified at Sourcify: HacaGovernor`,
    );
    expect(service.submissions).toHaveLength(CONTRACTS);
  });

  it("writes standard JSON and what an explorer's form asks for", async () => {
    const folder = join(local.folder, "sources");
    expect(await success(verify("--out", folder))).toContain(`${CONTRACTS} contracts in ${folder}`);
    expect(readdirSync(folder)).toHaveLength(CONTRACTS + 1);
    const { contracts } = JSON.parse(readFileSync(join(folder, "contracts.json"), "utf8"));
    expect(contracts).toHaveLength(CONTRACTS);
    const registry = contracts.find(({ name }: { name: string }) => name === "TEERegistry");
    const input = JSON.parse(readFileSync(join(folder, registry.file), "utf8"));
    expect(Object.keys(input.sources)).toContain(registry.contract.split(":")[0]);
    expect(registry.compiler).toContain(
      createRequire(import.meta.url)("solc/package.json").version,
    );
    const genesis = contracts.find(({ name }: { name: string }) => name === "GenesisDistribution");
    expect(genesis.constructorArguments.length).toBeGreaterThan(1000);
  });

  it("says in one line what is missing", async () => {
    const other = join(local.folder, "other.json");
    const book = readAddressBook(BOOK);
    const { ModelRegistry, SigningKeys } = book.contracts;
    if (SigningKeys === undefined) throw new Error("no SigningKeys");
    const wrong = { ...ModelRegistry, address: SigningKeys.address };
    writeFileSync(
      other,
      JSON.stringify({ ...book, contracts: { ...book.contracts, ModelRegistry: wrong } }),
    );
    for (const [options, words] of [
      [["--by", "etherscan"], "set HACA_ETHERSCAN_KEY"],
      [["--by", "blockscout"], "no public Blockscout is known for chain 31337"],
      [["--by", "somebody"], "Allowed choices are sourcify, blockscout, etherscan"],
      [["--url", "http://127.0.0.1:9"], "Sourcify (127.0.0.1:9) does not answer"],
      [["--url", `${service.url}/text`], "no JSON: hello"],
      [["--book", other, "--url", service.url], "is not what this repository's sources give"],
      [["--out", local.folder, "--check"], "--out and --check: give one of them"],
      [["--network", "baseSepolia"], "network baseSepolia has no address of an endpoint"],
    ] as const) {
      expect(await failure(verify(...options))).toContain(words);
    }
    expect(service.submissions).toHaveLength(0);
    const help = await success(verify("--help"));
    expect(help.split("\n").every((line) => line.length <= 80)).toBe(true);
  });
});

const paid = { jobId: "" };
const payments = () => ({ local, provider: feeds.provider });

describe("npm run escrow", () => {
  escrowCases(payments, paid);
  operatorCases(payments);
});

describe("npm run feeds", () => {
  feedCases(() => ({ local, feeds }));
});

// Feeds move the clock beyond deadlines.
describe("npm run escrow, later", () => {
  refundCases(payments, paid);
});

type Submission = { contract: string; address: string; compiler: string; arguments: string };

/** Behaves like Sourcify's API, and like Etherscan's and Blockscout's at `/api`; compiles nothing. */
class VerificationService {
  readonly submissions: Submission[] = [];
  /** name of a contract whose sources do not match */
  refused = "";
  readonly #server: Server;
  readonly #key: string | undefined;
  readonly #asked = new Set<string>();
  #wasEarly = false;

  private constructor(key: string | undefined) {
    this.#key = key;
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.#answer(request, Buffer.concat(chunks).toString(), response);
    });
  }

  static async listen(key?: string): Promise<VerificationService> {
    const service = new VerificationService(key);
    await new Promise<void>((resolve) => service.#server.listen(0, "127.0.0.1", resolve));
    return service;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const url = new URL(request.url ?? "", this.url);
    const send = (status: number, json: unknown): void => {
      response.statusCode = status;
      response.end(JSON.stringify(json));
    };
    const [, version, verb, chain, address] = url.pathname.split("/");
    if (version === "text") response.end("hello");
    else if (version === "api") send(200, this.#explorer(url, body));
    else if (verb === "contract") {
      const isKnown = this.#isVerified(address ?? "");
      send(isKnown ? 200 : 404, { match: isKnown ? "exact_match" : null });
    } else if (request.method === "POST") {
      const { stdJsonInput, compilerVersion, contractIdentifier } = JSON.parse(body);
      const [source = ""] = contractIdentifier.split(":");
      if (!(source in stdJsonInput.sources)) {
        send(400, { message: "no such contract" });
        return;
      }
      send(202, {
        verificationId: this.#take(contractIdentifier, address ?? "", compilerVersion, ""),
      });
    } else {
      // `chain` is the job here. The first question about the first job comes too early.
      if (!this.#wasEarly) {
        this.#wasEarly = true;
        send(200, { isJobCompleted: false });
        return;
      }
      const submission = this.#job(chain ?? "");
      const isRefused = submission.contract.endsWith(`:${this.refused}`);
      send(200, {
        isJobCompleted: true,
        contract: { match: isRefused ? null : "exact_match" },
        ...(isRefused ? { error: { message: "the bytecodes do not match" } } : {}),
      });
    }
  }

  #explorer(url: URL, body: string): unknown {
    const fields = new URLSearchParams(body);
    const field = (name: string): string => fields.get(name) ?? url.searchParams.get(name) ?? "";
    if (this.#key !== undefined) {
      if (field("apikey") !== this.#key) {
        return { status: "0", message: "NOTOK", result: "Invalid API Key (#err2)" };
      }
      if (url.searchParams.get("chainid") !== "31337") {
        return { status: "0", message: "NOTOK", result: "Missing chainid parameter" };
      }
    }
    switch (field("action")) {
      case "getsourcecode":
        return {
          status: "1",
          result: [{ SourceCode: this.#isVerified(field("address")) ? "{}" : "" }],
        };
      case "verifysourcecode":
        return {
          status: "1",
          result: this.#take(
            field("contractname"),
            field("contractaddress"),
            field("compilerversion"),
            field("constructorArguements"),
          ),
        };
      default:
        this.#job(field("guid"));
        return { status: "1", result: "Pass - Verified" };
    }
  }

  #take(contract: string, address: string, compiler: string, values: string): string {
    this.submissions.push({ contract, address, compiler, arguments: values });
    return createHash("sha256").update(address).digest("hex");
  }

  #job(id: string): Submission {
    const submission = this.submissions.find(
      ({ address }) => createHash("sha256").update(address).digest("hex") === id,
    );
    if (submission === undefined) throw new Error(`no job ${id}`);
    this.#asked.add(submission.address);
    return submission;
  }

  #isVerified(address: string): boolean {
    return this.#asked.has(address);
  }
}
