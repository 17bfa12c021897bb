import { defineConfig } from "vitest/config";

/** A shared build machine can stall a process for seconds; a fault shows every time. */
const retry = process.env["CI"] === undefined ? 0 : 2;

const PURE = ["bindings", "config", "doctor", "handshake", "iis", "peers"].map((room) => `src/${room}/**/*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      // Vitest leaves one processor free; most of these wait for sockets, disks and other processes.
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts"],
          exclude: PURE,
          retry,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          maxWorkers: "100%",
        },
      },
      // Pure functions leave nothing behind: their files share processes, which loads the rooms once.
      { test: { name: "pure", include: PURE, retry, testTimeout: 30_000, isolate: false, maxWorkers: "100%" } },
      {
        test: {
          name: "farm",
          include: ["test/**/*.test.ts"],
          retry,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each has processes of its own to keep busy: one after the other, when the others are done.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
