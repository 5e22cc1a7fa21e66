import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { BaseError } from "@haca/protocol/baseError";
import { AbiCoder, concat, getCreate2Address, Interface, keccak256, toBeHex } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openChainInMemory } from "../../../scripts/lib/chainAlone.ts";
import { readCodes } from "../../../testing/uptoContracts.ts";
import { buildCodes } from "./buildCodes.ts";
import { compile } from "./compile.ts";
import type { Tree } from "./extract.ts";
import type { Genuine } from "./genuine.ts";
import { readProfile } from "./readProfile.ts";

const ROOT = join(import.meta.dirname, "../../..");
const CREATOR = "0x4e59b44847b379578588920cA78FbF26c0B4956C";
/** This project's own compiler stands in for what npm would bring. */
const VERSION = "0.8.37";
const OTHER = "0x00000000000000000000000000000000000000aa";
const SALT = 7n;

const PROFILE = `[profile.default]
solc = "${VERSION}" # exact
optimizer = true
optimizer_runs = 1_000
bytecode_hash = "none"

[profile.other]
solc = "0.4.1"
`;
const LIBRARY = "project/lib/kept/Base.sol";
const SOURCES: Readonly<Record<string, string>> = {
  "project/foundry.toml": PROFILE,
  "project/remappings.txt": "kept/=lib/kept\n",
  [LIBRARY]: `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
abstract contract Base {
    address public immutable SELF = address(this);
    uint256 public immutable CHAIN = block.chainid;
}
`,
  "project/src/Thing.sol": `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
import {Base} from "kept/Base.sol";
contract Thing is Base {
    address public immutable OTHER;
    constructor(address other) { OTHER = other; }
}
`,
};

let folder: string;
let contract: Genuine;
let tree: Tree;

const at = (...parts: string[]): string => join(folder, ...parts);

function place(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function git(repository: string, ...words: string[]): string {
  const who = [
    "-c",
    "user.name=test",
    "-c",
    "user.email=test",
    "-c",
    "advice.addEmbeddedRepo=false",
  ];
  return execFileSync("git", ["-C", repository, ...who, ...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

/** Commits all that is in a repository, and returns the commit. */
function commit(repository: string): string {
  git(repository, "add", "--all");
  git(repository, "commit", "--quiet", "--allow-empty", "--message", "changed");
  return git(repository, "rev-parse", "HEAD");
}

/** The contract as a commit has it in which files are others, as they are not afterwards. */
function changed(changes: Readonly<Record<string, string>>): Genuine {
  const write = (contents: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(contents)) place(at("checkout", name), content);
    if (LIBRARY in contents) commit(at("checkout/project/lib/kept"));
    return commit(at("checkout"));
  };
  const made = write(changes);
  write(Object.fromEntries(Object.keys(changes).map((name) => [name, SOURCES[name] ?? ""])));
  return { ...contract, commit: made };
}

const build = (...contracts: Genuine[]) =>
  buildCodes({
    ...{ sources: at("checkout"), out: at("codes.json"), compilers: at("compilers") },
    ...{ contracts, tree },
  });

/** Why a build fails. Hardhat's plugins, which the chain brings, take `rejects` away from the runner. */
const refusal = (of: Genuine): Promise<BaseError> =>
  build(of).then(
    () => expect.fail("it was built"),
    (error) => error,
  );

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  folder = mkdtempSync(join(tmpdir(), "haca-genuine-"));
  for (const [name, content] of Object.entries(SOURCES)) place(at("checkout", name), content);
  for (const name of ["checkout/project/lib/kept", "checkout"]) {
    git(folder, "init", "--quiet", at(name));
    commit(at(name));
  }
  mkdirSync(at("compilers", VERSION, "node_modules"), { recursive: true });
  const home = at("compilers", VERSION, "node_modules/solc");
  symlinkSync(join(ROOT, "node_modules/solc"), home);
  const project = at("checkout/project");
  const { settings } = readProfile(project);
  const compiler = join(home, "solc.js");
  const code = await compile({ project, source: "src/Thing.sol", compiler, settings });
  const initCode = concat([code, AbiCoder.defaultAbiCoder().encode(["address"], [OTHER])]);
  place(at("checkout/project/init.hex"), `${initCode}\n`);
  tree = {
    files: ["src", "foundry.toml", "remappings.txt", "init.hex"].map((name) => `project/${name}`),
    libraries: { "project/lib/kept": { files: ["Base.sol"], libraries: {} } },
  };
  contract = {
    ...{ name: "Thing", salt: SALT, project: "project", commit: commit(at("checkout")) },
    address: getCreate2Address(CREATOR, toBeHex(SALT, 32), keccak256(initCode)),
    from: { source: "src/Thing.sol", arguments: [OTHER] },
  };
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe("buildCodes", () => {
  it("writes codes that constructors have run for, at their addresses and on a local chain", async () => {
    // What lies about in the checkout does not matter.
    place(at("checkout/project/src/Thing.sol"), "changed, and not committed");
    await build(contract);
    place(at("checkout/project/src/Thing.sol"), SOURCES["project/src/Thing.sol"] ?? "");
    const codes = JSON.parse(readFileSync(at("codes.json"), "utf8"));
    expect(Object.keys(codes)).toEqual([contract.address]);
    const connection = await openChainInMemory({ chainType: "l1" });
    onTestFinished(() => connection.close());
    const { provider } = connection.ethers;
    await provider.send("hardhat_setCode", [contract.address, codes[contract.address]]);
    const names = ["SELF", "OTHER", "CHAIN"];
    const abi = new Interface(names.map((name) => `function ${name}() view returns (uint256)`));
    const read = async (name: string) =>
      BigInt(await provider.call({ to: contract.address, data: abi.encodeFunctionData(name) }));
    expect(await read("SELF")).toBe(BigInt(contract.address));
    expect(await read("OTHER")).toBe(BigInt(OTHER));
    expect(await read("CHAIN")).toBe(31_337n);
    rmSync(at("codes.json"));
    await build({ ...contract, from: { initCode: "init.hex" } });
    expect(JSON.parse(readFileSync(at("codes.json"), "utf8"))).toEqual(codes);
  });

  it("refuses what does not belong to its address, and leaves the file that was there", async () => {
    place(at("codes.json"), "before");
    const source = SOURCES["project/src/Thing.sol"]?.replace("= other;", "= msg.sender;") ?? "";
    const base = SOURCES[LIBRARY]?.replace("block.chainid", "block.number") ?? "";
    const cases = [
      changed({ "project/src/Thing.sol": source }),
      changed({ [LIBRARY]: base }),
      changed({ "project/foundry.toml": PROFILE.replace("optimizer = true", "optimizer = false") }),
      { ...contract, salt: SALT + 1n },
      { ...contract, from: { source: "src/Thing.sol", arguments: [CREATOR] } },
    ];
    for (const other of cases) {
      const { code, message } = await refusal(other);
      expect([code, message.includes("this source is not that of")]).toEqual([
        "x402.otherCode",
        true,
      ]);
    }
    expect(readFileSync(at("codes.json"), "utf8")).toBe("before");
  });

  it("fetches no compiler but an exact version, and compiles nothing from outside the project", async () => {
    const profile = "project/foundry.toml";
    const thing = "project/src/Thing.sol";
    const cases = [
      [profile, PROFILE.replace(VERSION, "npm:other@1"), "x402.badProfile"],
      [profile, PROFILE.replace(VERSION, "../../0.8.37"), "x402.badProfile"],
      [profile, PROFILE.replace("optimizer = true", "optimizer = 1"), "x402.badProfile"],
      [profile, PROFILE.replace("optimizer = true\n", ""), "x402.badProfile"],
      [profile, `${PROFILE}[profile.default]\nsolc = "0.8.1"\n`, "x402.badProfile"],
      ["project/remappings.txt", "kept/ lib/kept\n", "x402.badProfile"],
      ["project/remappings.txt", `kept/=../../../${basename(folder)}/outside/\n`, "x402.noSource"],
      ["project/remappings.txt", "kept/=/etc/\n", "x402.noSource"],
      [thing, "contract Thing {", "x402.notCompiled"],
      [thing, "pragma solidity ^0.8.0; contract Another {}", "x402.notCompiled"],
      [thing, 'import "./Gone.sol"; contract Thing {}', "x402.noSource"],
    ] as const;
    // What is read there would be the same source.
    place(at("outside/Base.sol"), SOURCES[LIBRARY] ?? "");
    for (const [name, content, code] of cases) {
      expect(await refusal(changed({ [name]: content })), content).toMatchObject({ code });
    }
    expect(existsSync(at("compilers/0.8.1"))).toBe(false);
  });

  it("names what is not there", async () => {
    const gone = { ...contract, commit: "0123456789abcdef0123456789abcdef01234567" };
    expect(await refusal(gone)).toMatchObject({
      code: "x402.noSource",
      message: expect.stringMatching(/has not all of 01234567.*--recurse-submodules/),
    });
    const hex = { ...changed({ "project/init.hex": "6000" }), from: { initCode: "init.hex" } };
    expect(await refusal(hex)).toMatchObject({ code: "x402.badInitCode" });
    renameSync(at("checkout/project/lib/kept/.git"), at("kept.git"));
    onTestFinished(() => renameSync(at("kept.git"), at("checkout/project/lib/kept/.git")));
    // Its own path is then in the repository around it, which does not have that commit.
    expect(await refusal(contract)).toMatchObject({ code: "x402.noSource" });
  });
});

describe("readCodes", () => {
  it("names what is wrong with a file of codes", () => {
    const address = contract.address;
    const cases = [
      ["{", "cannot be read as JSON"],
      ["null", "not an object of codes"],
      ['{"0x12":"0x00"}', "0x12 is no address"],
      [JSON.stringify({ [address]: "0x0" }), `the code of ${address} is not hex`],
      [
        JSON.stringify({ [address]: "0x00" }),
        "no code of 0x000000000022D473030F116dDEE9F6B43aC78BA3 (Permit2)",
      ],
    ] as const;
    for (const [content, why] of cases) {
      place(at("bad.json"), content);
      expect(() => readCodes(at("bad.json"))).toThrow(`HACA_UPTO_CODES: ${at("bad.json")}: ${why}`);
    }
    expect(() => readCodes(at("none.json"))).toThrow("cannot be read as JSON");
  });
});
