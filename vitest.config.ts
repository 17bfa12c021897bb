import { defineConfig } from "vitest/config";

/** A shared build machine can stall a process for seconds; a fault shows every time. */
const retry = process.env["CI"] === undefined ? 0 : 2;

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"], retry, testTimeout: 30_000, hookTimeout: 30_000 } },
      { test: { name: "farm", include: ["test/**/*.test.ts"], retry, testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false } },
    ],
  },
});
