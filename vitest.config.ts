import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // The default leaves one core idle, which on two cores is half of them.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          root: "kernel-lib",
          include: ["test/**/*.test.ts"],
          testTimeout: 30_000,
          // Loading the library for each file anew takes as long as the tests do. What a test changes for the whole process it sets back.
          isolate: false,
        },
      },
      {
        test: {
          name: "whole",
          root: "test",
          include: ["**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
