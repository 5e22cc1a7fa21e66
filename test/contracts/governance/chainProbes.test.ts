import { BaseError } from "@haca/protocol/baseError";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { expect } from "chai";
import { toBeHex } from "ethers";
import hre, { network } from "hardhat";
import { PRECOMPILES } from "../../../scripts/deploy/chain/precompiles.ts";
import { probeChain } from "../../../scripts/deploy/chain/probeChain.ts";
import { OPCODES, opcodesOf } from "../../../scripts/deploy/chain/probeCode.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;

/** Where code stands that a probe meets instead of a precompiled contract. */
const STAND_IN = 0x0f00;
const SAYS_ONE = "0x60015f5260205ff3";
const SAYS_ZERO = "0x60205ff3";
const SAYS_NOTHING = "0x00";
const FAILS = "0xfe";
/** Asks the precompiled contract, for the price of a call more. */
const passesOn = (address: number): string =>
  `0x365f5f375f5f365f61${address.toString(16).padStart(4, "0")}5afa503d5f5f3e3d5ff3`;

/** The chain with other code in place of a precompiled contract. Everything that is asked really runs. */
const chainWith = (address: number): Parameters<typeof probeChain>[0]["provider"] => {
  const place = (at: number): string => `61${at.toString(16).padStart(4, "0")}`;
  const call = new RegExp(`${place(address)}((5a|63[0-9a-f]{8})fa)`);
  return {
    call: ({ data }) =>
      ethers.provider.call({ data: String(data).replace(call, `${place(STAND_IN)}$1`) }),
    getBlock: (block) => ethers.provider.getBlock(block),
  };
};

describe("what a deployment asks a chain", () => {
  let artifacts: Parameters<typeof probeChain>[0]["artifacts"];
  before(async () => {
    const rows = CONTRACT_ROWS.map(({ name }) => hre.artifacts.readArtifact(name));
    artifacts = await Promise.all(rows);
  });

  const withoutPages = () =>
    artifacts.filter(({ contractName }) => contractName !== "PageSettlement");
  const withPages = () => {
    const [first] = withoutPages();
    if (first === undefined) throw new Error("no contracts");
    return [...withoutPages(), { ...first, contractName: "PageSettlement" }];
  };
  const probe = async (
    address: number,
    code: string,
    of = withoutPages(),
  ): Promise<{ off: string[]; lacks: readonly string[] }> => {
    await networkHelpers.setCode(toBeHex(STAND_IN, 20), code);
    const provider = chainWith(address);
    return probeChain({ provider, artifacts: of, hasAttestation: true }).then(
      (off) => ({ off, lacks: [] }),
      (error: unknown) => {
        if (!(error instanceof BaseError)) throw error;
        expect(error.code).to.equal("deploy.chainLacks");
        return { off: [], lacks: error.details.lacks as string[] };
      },
    );
  };

  it("test_LacksNothing_AndSendsNothing", async () => {
    const before = await ethers.provider.getBlockNumber();
    const { provider } = ethers;
    for (const hasAttestation of [true, false]) {
      expect(await probeChain({ provider, artifacts, hasAttestation })).to.deep.equal([]);
    }
    expect(await ethers.provider.getBlockNumber()).to.equal(before);
  });

  it("test_KnowsEveryOpcodeOfTheCompiledCode", () => {
    const ranges = [
      ...[0x00, 0x0b, 0x10, 0x1d, 0x20, 0x20, 0x30, 0x48, 0x50, 0x5b, 0x60, 0xa4],
      ...[0xf0, 0xf5, 0xfa, 0xfa, 0xfd, 0xff],
    ];
    const isOfLondon = (opcode: number): boolean =>
      ranges.some((from, i) => i % 2 === 0 && opcode >= from && opcode <= (ranges[i + 1] ?? 0));
    const younger = new Set(
      artifacts
        .flatMap(({ bytecode, deployedBytecode }) => [bytecode, deployedBytecode])
        .flatMap((code) => [...opcodesOf(code)])
        .filter((opcode) => !isOfLondon(opcode)),
    );
    expect(younger.size).to.be.greaterThan(0);
    for (const opcode of younger) {
      expect(
        OPCODES.map((known) => known.opcode),
        `opcode ${toBeHex(opcode)}`,
      ).to.include(opcode);
    }
  });

  for (const { name, address, feature } of PRECOMPILES) {
    const isOptional = name === "P256VERIFY";
    it(`test_SaysWhatDoesNotWorkWithout: ${name}`, async () => {
      for (const [code, text] of [
        [SAYS_NOTHING, "is missing"],
        [SAYS_ZERO, "is missing"],
        [FAILS, "fails"],
      ] as const) {
        const { off, lacks } = await probe(address, code);
        const [line, ...more] = isOptional ? off : lacks;
        expect(line).to.contain(`${name} (0x${address.toString(16)}) ${text}: no ${feature}`);
        expect(more).to.deep.equal([]);
      }
    });

    it(`test_RefusesOneThatSaysYesToEverything: ${name}`, async () => {
      const { lacks } = await probe(address, SAYS_ONE);
      const isFooled = ["P256VERIFY", "BN254 pairing"].includes(name);
      const text = isFooled ? "takes wrong for right" : "answers wrongly";
      expect(lacks).to.have.length(1);
      expect(lacks[0]).to.contain(`) ${text}: no ${feature}`);
    });
  }

  it("test_MeasuresThePrice", async () => {
    const { lacks } = await probe(6, passesOn(6));
    expect(lacks).to.have.length(1);
    expect(lacks[0]).to.match(/BN254 addition \(0x6\) takes \d+ gas, more than 600: no/);
    expect(await probe(0x100, passesOn(0x100))).to.deep.equal({ off: [], lacks: [] });
  });

  it("test_RefusesAChainWithoutP256_ForPagesOfResults", async () => {
    expect(await probe(0x100, SAYS_NOTHING, withPages())).to.deep.equal({
      off: [],
      lacks: ["P256VERIFY (0x100) is missing: no nodes with P-256 keys, and no PageSettlement"],
    });
  });
});
