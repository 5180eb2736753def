import { defineConfig } from "vitest/config"

/** Tests in `test` that neither show anything nor wait for one another: each works in processes and folders of its own, mostly on one core. */
const apart = [
  "architecture/**/*.test.ts",
  "experiments/{reproduce-training,switches,trace-errors}.test.ts",
  "export/command.test.ts",
  "main-job/{bad-input,real-rows,teachers}.test.ts",
  "package/**/*.test.ts",
  "retrieval/**/*.test.ts",
  "score/**/*.test.ts",
]

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
          name: "whole-apart",
          root: "test",
          include: apart,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "whole",
          root: "test",
          include: ["**/*.test.ts"],
          exclude: apart,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
