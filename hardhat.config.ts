import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { configVariable, defineConfig } from "hardhat/config";

const solcFromNpm = createRequire(import.meta.url).resolve("solc/soljson.js");

const isDeep = process.env.HACA_DEEP === "1";

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    version: "0.8.37",
    path: solcFromNpm,
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
    settings: {
      evmVersion: "osaka",
      optimizer: { enabled: true, runs: 1_000_000 },
      viaIR: true,
    },
  },
  paths: {
    // `test/e2e` belongs to another runner
    tests: { mocha: "test/contracts", solidity: "test/contracts" },
  },
  test: {
    mocha: { timeout: 120_000 },
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
      url: process.env.HACA_RPC_URL ?? "http://127.0.0.1:8545",
    },
    baseSepolia: {
      type: "http",
      chainType: "op",
      chainId: 84532,
      url: configVariable("BASE_SEPOLIA_RPC_URL"),
      accounts: [configVariable("HACA_DEPLOYER_KEY")],
    },
  },
});
