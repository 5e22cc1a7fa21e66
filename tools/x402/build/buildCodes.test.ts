import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AbiCoder, concat, getCreate2Address, Interface, keccak256, toBeHex } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openChainInMemory } from "../../../scripts/lib/chainAlone.ts";
import { readCodes } from "../../../testing/uptoContracts.ts";
import { buildCodes } from "./buildCodes.ts";
import { compile } from "./compile.ts";
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
const SOURCES = {
  "foundry.toml": PROFILE,
  "remappings.txt": "kept/=lib/kept\n",
  "lib/kept/Base.sol": `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
abstract contract Base {
    address public immutable SELF = address(this);
    uint256 public immutable CHAIN = block.chainid;
}
`,
  "src/Thing.sol": `// SPDX-License-Identifier: MIT
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

const at = (...parts: string[]): string => join(folder, ...parts);

function place(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Changes a file until the test is over. */
function change(name: string, content: string): void {
  const before = readFileSync(at("checkout/project", name), "utf8");
  place(at("checkout/project", name), content);
  onTestFinished(() => place(at("checkout/project", name), before));
}

const build = (contracts: readonly Genuine[] = [contract]) =>
  buildCodes({
    sources: at("checkout"),
    out: at("codes.json"),
    compilers: at("compilers"),
    contracts,
  });

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  folder = mkdtempSync(join(tmpdir(), "haca-genuine-"));
  for (const [name, content] of Object.entries(SOURCES)) {
    place(at("checkout/project", name), content);
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
  const address = getCreate2Address(CREATOR, toBeHex(SALT, 32), keccak256(initCode));
  const from = { source: "src/Thing.sol", arguments: [OTHER] };
  contract = { name: "Thing", address, salt: SALT, project: "project", from };
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe("buildCodes", () => {
  it("writes codes that constructors have run for, at their addresses and on a local chain", async () => {
    await build();
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
  });

  it("takes a published init code as it is", async () => {
    await build();
    const compiled = readFileSync(at("codes.json"), "utf8");
    rmSync(at("codes.json"));
    await build([{ ...contract, from: { initCode: "init.hex" } }]);
    expect(readFileSync(at("codes.json"), "utf8")).toBe(compiled);
  });

  it("refuses what does not belong to its address, and leaves the file that was there", async () => {
    place(at("codes.json"), "before");
    const source = SOURCES["src/Thing.sol"].replace("{ OTHER = other; }", "{ OTHER = msg.sender; }");
    change("src/Thing.sol", source);
    await expect(build()).rejects.toMatchObject({ code: "x402.otherCode" });
    change("src/Thing.sol", SOURCES["src/Thing.sol"]);
    change("foundry.toml", PROFILE.replace("1_000", "1_001"));
    await expect(build()).resolves.toBeUndefined();
    place(at("codes.json"), "before");
    await expect(build([{ ...contract, salt: SALT + 1n }])).rejects.toMatchObject({
      code: "x402.otherCode",
    });
    expect(readFileSync(at("codes.json"), "utf8")).toBe("before");
  });

  it("fetches no compiler but an exact version, and compiles nothing from outside the project", async () => {
    const cases = [
      ["foundry.toml", PROFILE.replace(VERSION, "npm:other@1"), "x402.badProfile"],
      ["foundry.toml", PROFILE.replace(VERSION, "../../0.8.37"), "x402.badProfile"],
      ["foundry.toml", PROFILE.replace("optimizer = true", "optimizer = 1"), "x402.badProfile"],
      ["foundry.toml", PROFILE.replace("optimizer = true\n", ""), "x402.badProfile"],
      ["foundry.toml", `${PROFILE}[profile.default]\nsolc = "0.8.1"\n`, "x402.badProfile"],
      ["remappings.txt", "kept/ lib/kept\n", "x402.badProfile"],
      ["remappings.txt", "kept/=../../outside/\n", "x402.notCompiled"],
      ["src/Thing.sol", "contract Thing {", "x402.notCompiled"],
      ["src/Thing.sol", "pragma solidity ^0.8.0; contract Another {}", "x402.notCompiled"],
    ] as const;
    place(at("outside/Base.sol"), SOURCES["lib/kept/Base.sol"]);
    for (const [name, content, code] of cases) {
      place(at("checkout/project", name), content);
      await expect(build(), content).rejects.toMatchObject({ code });
      place(at("checkout/project", name), SOURCES[name]);
    }
    expect(existsSync(at("compilers/0.8.1"))).toBe(false);
  });

  it("names what is not there", async () => {
    const gone = { ...contract, project: "lib/permit2" };
    await expect(build([gone])).rejects.toMatchObject({
      code: "x402.noSource",
      message: expect.stringMatching(/permit2\/foundry\.toml cannot be read \(ENOENT\).*submodules/),
    });
    place(at("checkout/project/init.hex"), "6000");
    const hex = { ...contract, from: { initCode: "init.hex" } };
    await expect(build([hex])).rejects.toMatchObject({ code: "x402.badInitCode" });
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
      [JSON.stringify({ [address]: "0x00" }), "no code of 0x000000000022D473030F116dDEE9F6B43aC78BA3 (Permit2)"],
    ] as const;
    for (const [content, why] of cases) {
      place(at("bad.json"), content);
      expect(() => readCodes(at("bad.json"))).toThrow(`HACA_UPTO_CODES: ${at("bad.json")}: ${why}`);
    }
    expect(() => readCodes(at("none.json"))).toThrow("cannot be read as JSON");
  });
});
