import { defineConfig } from "vitest/config";

// Files run one after another: the slow ones drive real processes, which would compete for the same cores.
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    globalSetup: "test/support/globalSetup.ts",
  },
});
