import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // Others' packages, with tests of their own.
    exclude: [...configDefaults.exclude, "**/.cache/**"],
    ...{ testTimeout: 300_000, hookTimeout: 300_000 },
  },
});
