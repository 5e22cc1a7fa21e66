import { defineConfig } from "hardhat/config";

/**
 * Hardhat's chain alone: without plugins, and without this project's build, which Hardhat reads whole to put names into
 * traces. Whoever looks at a revert here knows the ABIs, and a chain starts in a second instead of several.
 */
export default defineConfig({ paths: { artifacts: "cache/no-artifacts" } });
