import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { configVariable, defineConfig } from "hardhat/config";
import { movableCheckout } from "./tools/hardhat/movableCheckout.ts";

/** From the project's folder, so that a checkout that was moved does not compile again: see `movableCheckout`. */
const solcFromNpm = "node_modules/solc/soljson.js";

/** The compiler, optimised for `runs` calls of each contract. */
const compiler = (runs: number) => ({
  version: "0.8.37",
  path: solcFromNpm,
  settings: {
    ...{ evmVersion: "osaka", optimizer: { enabled: true, runs }, viaIR: true },
    // Deployments publish where witnessed contracts keep what; Hardhat adds what it needs itself.
    outputSelection: { "*": { "*": ["storageLayout"] } },
  },
});

/** They would exceed the 24,576 bytes of EIP-170 if optimised for more calls; so would what creates them. */
const LARGE_SOURCES = [
  "contracts/settlement/PageSettlement.sol",
  "contracts/staking/ValidatorStaking.sol",
  "contracts/tee/TEERegistry.sol",
  // The registry creates it, and so compiles it.
  "contracts/tee/LegacyAnswers.sol",
];

const isDeep = process.env.HACA_DEEP === "1";

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers, movableCheckout],
  solidity: {
    compilers: [compiler(1_000_000)],
    overrides: Object.fromEntries(LARGE_SOURCES.map((source) => [source, compiler(200)])),
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
  },
  paths: {
    // `test/e2e` belongs to another runner
    tests: { mocha: "test/contracts", solidity: "test/contracts" },
  },
  test: {
    mocha: { timeout: 600_000 },
    solidity: {
      // HACA_DEEP=1 (npm run test:deep) runs the random tests much longer.
      fuzz: { runs: isDeep ? 5_000 : 200 },
      invariant: { runs: isDeep ? 200 : 16, depth: isDeep ? 200 : 40, failOnRevert: true },
    },
  },
  networks: {
    localhost: {
      type: "http",
      chainType: "l1",
      chainId: 31337,
      url: process.env.HACA_RPC_URL || "http://127.0.0.1:8545",
    },
    baseSepolia: {
      type: "http",
      chainType: "op",
      chainId: 84532,
      url: configVariable("BASE_SEPOLIA_RPC_URL"),
      accounts: [configVariable("HACA_DEPLOYER_KEY")],
    },
    base: {
      type: "http",
      chainType: "op",
      chainId: 8453,
      url: configVariable("BASE_RPC_URL"),
      accounts: [configVariable("HACA_DEPLOYER_KEY")],
    },
    // An example of an EVM chain of its own.
    ogevm: {
      type: "http",
      chainType: "generic",
      chainId: 10740,
      url: configVariable("OGEVM_RPC_URL"),
      accounts: [configVariable("HACA_DEPLOYER_KEY")],
    },
  },
});
