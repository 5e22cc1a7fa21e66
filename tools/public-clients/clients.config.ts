import { defineConfig } from "vitest/config";

/** Not among the suites of `npm test`: `*.clients.ts` need the packages. */
export default defineConfig({
  test: {
    include: ["**/*.clients.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
