import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import hre, { network } from "hardhat";
import { bytecodeSizes } from "./bytecodeSizes.ts";
import { measureAll } from "./measureAll.ts";

/** Largest difference from the committed figure, in either direction, as a share of it. */
const GAS_TOLERANCE = 0.002;
/** What has a random key, or hints for one, in its calldata: others have other zero bytes. */
const RANDOM_KEYS_TOLERANCE = 0.01;
const RANDOM_KEYS = /^(attest|register|heartbeat|image|p384|legacy)\.|^challenge\.answerLeaf32$/;
const SIZE_TOLERANCE = 0.005;
/** EIP-170. */
const MAXIMUM_CODE_LENGTH = 24_576;
/** Budgets of the design, whole transactions. */
const BUDGETS: Record<string, number> = {
  "settle.single": 262_000,
  "settle.single.firstInSlot": 280_000,
  "settle.single.byRelayer": 275_000,
  "settle.mlp784.committed": 270_000,
  "settle.batch32.perProof": 67_000,
  "settle.batch128.perProof": 61_000,
  "settle.batch32.extraSignal.perProof": 900,
  "settle.batch128.extraSignal.perProof": 760,
  "settle.tee.rsa.first": 165_000,
  "settle.tee.rsa": 148_000,
  "settle.tee.session.first": 112_000,
  "settle.tee.session": 95_000,
  "page.attest7": 105_000,
  "page.attest21": 180_000,
  "page.perResult256.attested": 1_000,
  "escrow.open": 180_000,
  "escrow.capture": 110_000,
  "escrow.captureFromPage": 140_000,
  "escrow.refund": 70_000,
  "vesting.create": 140_000,
  "vesting.createBatch50.perGrant": 110_000,
  "vesting.release": 65_000,
  "vesting.release.again": 65_000,
  "attest.cold": 14_000_000,
  "attest.warm": 4_500_000,
  "register.node": 450_000,
  "heartbeat.rsa": 110_000,
  "heartbeat.session": 50_000,
  "image.revoke": 60_000,
  "image.revoke.500": 60_000,
  "p384.verify": 1_300_000,
  "sha384.perBlock": 25_000,
  "rsapss2048.verify": 70_000,
};

const SNAPSHOTS = join(import.meta.dirname, "..", "..", "snapshots");
const isUpdate = process.env.HACA_UPDATE_SNAPSHOTS === "1";

describe("snapshots", () => {
  before(function () {
    // Instrumented code has other sizes and costs.
    if (hre.globalOptions.coverage) this.skip();
  });

  it("test_GasStaysWhereItWas", async () => {
    const { figures } = await measureAll({ connect: () => network.create() });
    for (const [key, budget] of Object.entries(BUDGETS)) {
      expect(figures[key], `${key} is over its budget`).to.be.at.most(budget);
    }
    compare({ name: "gas", figures, tolerance: GAS_TOLERANCE });
  });

  it("test_BytecodeSizesStayWhereTheyWere", async () => {
    const sizes = await bytecodeSizes();
    for (const [name, size] of Object.entries(sizes)) {
      expect(size, `${name} cannot be deployed`).to.be.at.most(MAXIMUM_CODE_LENGTH);
    }
    compare({ name: "bytecode", figures: sizes, tolerance: SIZE_TOLERANCE });
  });
});

function compare(parameters: {
  name: string;
  figures: Record<string, number>;
  tolerance: number;
}): void {
  const { name, figures, tolerance } = parameters;
  const path = join(SNAPSHOTS, `${name}.json`);
  if (isUpdate) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`);
    return;
  }
  expect(existsSync(path), `${path} is missing: npm run snapshot writes it`).to.equal(true);
  const committed: Record<string, number> = JSON.parse(readFileSync(path, "utf8"));
  expect(Object.keys(figures), `keys of ${name}.json: npm run snapshot`).to.have.members(
    Object.keys(committed),
  );
  const drifted = Object.entries(figures)
    .filter(([key, figure]) => {
      const before = committed[key] ?? 0;
      const allowed = RANDOM_KEYS.test(key) ? RANDOM_KEYS_TOLERANCE : tolerance;
      return Math.abs(figure - before) > allowed * before;
    })
    .map(([key, figure]) => `${key}: ${committed[key]} -> ${figure}`);
  expect(
    drifted,
    `drifted by more than ${100 * tolerance} %; if that is meant: npm run snapshot: ${drifted.join(", ")}`,
  ).to.deep.equal([]);
}
