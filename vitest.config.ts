import { defineConfig } from "vitest/config";

/** `fast` is what `npm run check` runs: no network, no subprocess, virtual clocks. `real` talks to sockets, ptys and programs. */
export default defineConfig({
  test: {
    maxWorkers: "100%", // of the processors; the usual leaves one of them idle, which of two is half
    projects: [
      { test: { name: "fast", include: ["test/unit/**/*.test.ts", "test/sim/**/*.test.ts"], testTimeout: 20_000 } },
      {
        test: {
          name: "real",
          globalSetup: ["test/real/build-cli.ts"],
          include: ["test/real/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          maxConcurrency: 3, // boards in real time beside the programs that flash them
        },
      },
    ],
  },
});
