import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { contentId } from "@haca/protocol/blobs/blobId";
import type { JsonRpcProvider } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/lib/freePort.ts";
import {
  BOOK,
  failure,
  LocalDeployment,
  later,
  type Result,
  ROOT,
  refusalOn,
  success,
} from "./localDeployment.ts";

/** Accounts of `deployments/parameters/localhost.json` and of its airdrop, as the chain numbers them. */
const FOUNDATION = "2";
const CONTRIBUTOR = "4";
const CLAIMER = "7";
const STRANGER = "9";
const CLAIMER_ADDRESS = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";
const CSV = join(ROOT, "deployments", "parameters", "localhost-airdrop.csv");
const YEARS = 40 * 365 * 24 * 60 * 60;

let local: LocalDeployment;
let provider: JsonRpcProvider;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "haca-holders-"));
  local = await LocalDeployment.start();
  await success(local.deploy());
  provider = local.provider();
});
afterAll(async () => {
  provider.destroy();
  await local.stop();
  rmSync(folder, { recursive: true });
});

const models = (...options: string[]) => local.use("scripts/models/cli.ts", options);
const vesting = (...options: string[]) => local.use("scripts/token/vesting/cli.ts", options);
const airdrop = (...options: string[]) => local.use("scripts/token/airdrop/cli.ts", options);
const vaultOf = (allocation: string): string =>
  readAddressBook(BOOK).grants?.find((grant) => grant.allocation === allocation)?.vault ?? "";
const addressOf = async (account: string): Promise<string> =>
  (await provider.getSigner(Number(account))).address;

/** Runs a command that must send nothing, and returns its one line. */
const refusal = (running: Promise<Result>): Promise<string> => refusalOn(provider, running);

describe("npm run models", () => {
  let compiled: string;
  beforeAll(async () => {
    const source = join(ROOT, "models", "digits");
    compiled = join(ROOT, "data", "models", "digits-holders");
    const calibration = ["--calibration", join(source, "calibration.json")];
    const compile = ["zkml/src/cli.ts", "compile", join(source, "digits.onnx"), ...calibration];
    await success(local.run([...compile, "--out", compiled]));
  });

  it("registers a new model on Hardhat's node, lists it, deprecates it, each once", async () => {
    const folderOption = ["--folder", compiled];
    const first = await success(models("register", ...folderOption));
    expect(first).toContain("published: digits 1.0");
    const version = /version +(0x\w{64})/.exec(first)?.[1] ?? "";
    expect(await success(models("register", ...folderOption))).toContain("nothing sent");
    expect(await success(models("list"))).toContain(version);
    const onnx = join(ROOT, "models", "digits", "digits.onnx");
    const again = ["reproduce", compiled, "--onnx", onnx, "--no-keys", "--rpc", local.url];
    const reproduced = await success(local.run(["zkml/src/cli.ts", ...again]));
    expect(reproduced).toContain("equal       verifying key on chain 31337");
    expect(reproduced).toContain("equal       SHA-256 of the transcript on chain 31337");
    expect(reproduced).toContain("equal       SHA-256 of the manifest on chain 31337");
    const [entry] = readAddressBook(BOOK).models;
    const { setup } = JSON.parse(readFileSync(join(compiled, "manifest.json"), "utf8"));
    expect(entry).toMatchObject({
      ...{ versionId: version, csHash: `0x${setup.csHash}`, transcriptHash: setup.transcript },
    });
    expect(await refusal(models("deprecate", version, "--account", STRANGER))).toContain(
      "only the owner",
    );
    expect(await success(models("deprecate", version))).toContain("is deprecated, for good");
    expect(await refusal(models("deprecate", version))).toContain("is deprecated; nothing sent");
    expect(await success(models("list"))).toContain("deprecated");
  });

  it("refuses what it cannot do, in one line", async () => {
    for (const [options, text] of [
      [["register"], "required option '--folder <folder>' not specified"],
      [["register", "--folder", folder], "no file"],
      [["register", "--folder", compiled, "--version", "1"], "--version must be <major>.<minor>"],
      [["register", "--folder", compiled, "--blob", "0x12"], "--blob: 0x12 is no blob id"],
      [["register", "--folder", compiled, "--account", "99"], "--account must be a number from 0"],
      [["register", "--folder", compiled, "--network", "nowhere"], "--network must be one of"],
      [["register", "--folder", compiled, "--simulate"], "unknown option '--simulate'"],
      [["deprecate", `0x${"12".repeat(32)}`], "is unknown; nothing sent"],
      [["deprecate", "0x12"], "is not 0x and 64 hex digits"],
    ] as const) {
      expect(await refusal(models(...options))).toContain(text);
    }
  });

  it("registers on anvil as well", async () => {
    const book = readFileSync(BOOK);
    const port = await freePort(0);
    const anvil = spawn(
      join(ROOT, "node_modules", ".bin", "anvil"),
      ["--port", String(port), "--chain-id", "31337", "--hardfork", "osaka", "--silent"],
      { stdio: "ignore" },
    );
    const environment = { HACA_RPC_URL: `http://127.0.0.1:${port}` };
    try {
      await local.group.waitFor({
        name: "chain",
        timeoutMs: 60_000,
        probe: async () => {
          const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
          const headers = { "content-type": "application/json" };
          const asked = { method: "POST", headers, body };
          return (await fetch(environment.HACA_RPC_URL, asked)).ok ? true : undefined;
        },
      });
      await success(local.deploy(environment, "--part", "core"));
      const register = ["scripts/models/cli.ts", "register", "--folder", compiled];
      // another store's id of the files
      register.push("--blob", contentId(new Uint8Array(1)));
      expect(await success(local.run(register, environment))).toContain("published: digits 1.0");
      const [entry] = readAddressBook(BOOK).models;
      expect(entry).toMatchObject({ slug: "digits", transcriptHash: expect.any(String) });
      expect(entry).not.toHaveProperty("manifestHash");
    } finally {
      anvil.kill();
      writeFileSync(BOOK, book);
    }
  });
});

describe("npm run vesting", () => {
  it("says what is vested, and of one beneficiary only that", async () => {
    const all = await success(vesting("status"));
    expect(all).toContain("Contributors");
    const mine = await success(vesting("status", await addressOf(FOUNDATION)));
    expect(mine).toContain(vaultOf("Foundation"));
    expect(mine).not.toContain("Contributors");
    expect(all.split("\n").every((line) => line.length <= 100)).toBe(true);
  });

  it("releases what is vested from the account that it is told, and refuses to release nothing", async () => {
    const vault = vaultOf("Foundation");
    const released = await success(vesting("release", vault, "--account", STRANGER));
    expect(released).toMatch(/about [\d.]+ OPG of Foundation go to 0x/);
    const hash = /transaction +(0x\w{64})/.exec(released)?.[1] ?? "";
    expect((await provider.getTransaction(hash))?.from).toBe(await addressOf(STRANGER));
    // Within the cliff nothing is vested.
    expect(await refusal(vesting("release", vaultOf("Contributors")))).toContain(
      "nothing is releasable",
    );
    expect(await refusal(vesting("release", vault, "--account", "99"))).toContain(
      "--account must be a number from 0",
    );
    expect(await refusal(vesting("release", vault, "--simulate"))).toContain("unknown option");
    expect(await refusal(vesting("release", `0x${"12".repeat(20)}`))).toContain("is no vault");
    expect(await refusal(vesting("release", "0x12"))).toContain("is no address");
  });

  it("lets a beneficiary delegate locked votes, and nobody those of the treasury", async () => {
    const vault = vaultOf("Contributors");
    const to = await addressOf(STRANGER);
    expect(await refusal(vesting("delegate", vault, to, "--account", STRANGER))).toContain(
      "only the beneficiary",
    );
    const as = ["--account", CONTRIBUTOR];
    expect(await success(vesting("delegate", vault, to, ...as))).toContain(`from nobody to ${to}`);
    expect(await refusal(vesting("delegate", vault, to, ...as))).toContain("votes for");
    const treasury = ["delegate", vaultOf("Foundation"), to, "--account", FOUNDATION];
    expect(await refusal(vesting(...treasury))).toContain("has given up its votes for good");
  });

  it("hands a grant over in two steps", async () => {
    const vault = vaultOf("Foundation");
    const to = await addressOf(STRANGER);
    const as = ["--account", FOUNDATION];
    expect(
      await refusal(vesting("hand-over", vaultOf("Contributors"), to, "--account", CONTRIBUTOR)),
    ).toContain("do not let it be handed over");
    expect(await refusal(vesting("accept", vault, "--account", STRANGER))).toContain(
      "offered to nobody",
    );
    await success(vesting("hand-over", vault, to, ...as));
    expect(await refusal(vesting("hand-over", vault, to, ...as))).toContain("already");
    await success(vesting("hand-over", vault, "none", ...as));
    await success(vesting("hand-over", vault, to, ...as));
    await success(vesting("accept", vault, "--account", STRANGER));
    expect(await success(vesting("status", to))).toContain(vault);
  });
});

describe("npm run airdrop", () => {
  const write = (text: string): string => {
    const path = join(folder, "list.csv");
    writeFileSync(path, text);
    return path;
  };

  it("names every bad row at once, and ends with 1 where the sum is wrong", async () => {
    const bad = write(
      `${CLAIMER_ADDRESS},1\nnobody,1\n${CLAIMER_ADDRESS},0\n${CLAIMER_ADDRESS},2\n`,
    );
    const { status, output } = await airdrop("build", bad);
    expect(status).toBe(1);
    for (const line of [":2: nobody is not", ":3: amount is zero", ":4: 0x14dC"]) {
      expect(output).toContain(line);
    }
    const out = join(folder, "tree.json");
    const short = write(`${CLAIMER_ADDRESS},1\n`);
    expect(await failure(airdrop("build", short, "--out", out))).toContain("nothing was written");
    expect(await success(airdrop("build", CSV, "--out", out))).toContain("40000000.0 OPG");
  });

  it("claims once, for whom the list names, with votes where they are wanted", async () => {
    const to = await addressOf(STRANGER);
    const as = ["--account", CLAIMER];
    expect(await refusal(airdrop("claim", CSV, "--account", "1"))).toContain("is not in");
    expect(
      await refusal(airdrop("claim", CSV, CLAIMER_ADDRESS, "--delegate", to, "--account", "1")),
    ).toContain("can sign for its votes");
    expect(await success(airdrop("claim", CSV, "--delegate", to, ...as))).toContain(
      `20000000.0 OPG go to ${CLAIMER_ADDRESS}, and ${to} votes`,
    );
    expect(await refusal(airdrop("claim", CSV, ...as))).toContain("paid already");
    expect(await success(airdrop("status", CSV))).toContain("1 of 3 claimed");
    expect(await refusal(airdrop("status", write(`${CLAIMER_ADDRESS},1`)))).toContain(
      "the airdrop of chain 31337 has",
    );
    expect(await refusal(airdrop("sweep"))).toContain("the airdrop runs until");
  });

  it("sweeps once it has ended, and only then", async () => {
    await later(provider, YEARS);
    expect(await refusal(airdrop("claim", CSV, "--account", "8"))).toContain("ended at");
    expect(await success(airdrop("sweep"))).toContain("20000000.0 OPG go to");
    expect(await refusal(airdrop("sweep"))).toContain("holds nothing");
  });
});

describe("a restarted chain", () => {
  it("is said to have no such contract, by each of them", async () => {
    const other = await LocalDeployment.start();
    const elsewhere = (...command: string[]) =>
      failure(other.run(command, { HACA_RPC_URL: other.url }));
    for (const command of [
      ["scripts/token/vesting/cli.ts", "status"],
      ["scripts/token/airdrop/cli.ts", "status", CSV],
      ["scripts/models/cli.ts", "list"],
    ]) {
      expect(await elsewhere(...command)).toContain("[chain.otherChain]");
    }
    await other.stop();
  });
});

describe("help", () => {
  const COMMANDS = [
    ...["demo", "deploy", "deploy/check", "deploy/verify", "governance", "tee", "models"],
    ...["token/vesting", "token/airdrop", "blobs", "pages", "stake", "feeds", "escrow"],
  ].map((name) => `scripts/${name}/cli.ts`);
  const TOOLS = ["coverage", "mutation", "test"].map((name) => `tools/${name}/cli.ts`);
  const OTHERS = [
    ...["zkml/src/cli.ts", "worker/src/cli.ts", "indexer/launch/cli.ts", "sdk/src/cli/cli.ts"],
    "tools/bench/gas.ts",
    ...["tools/smt/vesting.ts", "tools/smt/stake.ts"],
    ...["build", "buildCuda", "checkPackagesCommand", "package", "testArm", "testCuda"].map(
      (name) => `tools/prover-build/${name}.ts`,
    ),
    ...["tools/sdk-build/cli.ts", "tools/x402/cli.ts"],
    ...["zkml", "prover", "worker"].map((name) => `tools/bench/cli.ts ${name}`),
  ];

  it.each([...COMMANDS, ...TOOLS, ...OTHERS])(
    "of %s fits 80 columns and starts nothing, from any folder; an unknown option is refused",
    async (command) => {
      const [path = "", ...words] = command.split(" ");
      const run = (option: string) =>
        local.run([join(ROOT, path), ...words, option], {}, { cwd: folder });
      const help = await success(run("--help"));
      expect(help).toMatch(/usage/i);
      expect(help.split("\n").filter((line) => line.length > 80)).toEqual([]);
      const { status, output } = await run("--no-such-option");
      expect(status, output).not.toBe(0);
      expect(output).toMatch(/error: .*(unknown option|required option)/);
      expect(output).not.toContain("    at ");
    },
  );
});
