import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { configVariable, defineConfig } from "hardhat/config";

const solcFromNpm = createRequire(import.meta.url).resolve("solc/soljson.js");

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    version: "0.8.37",
    path: solcFromNpm,
    npmFilesToBuild: [
      "@openzeppelin/contracts/access/manager/AccessManager.sol",
      "@openzeppelin/contracts/governance/TimelockController.sol",
    ],
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
