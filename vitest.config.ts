import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", root: "kernel-lib", include: ["test/**/*.test.ts"], testTimeout: 30_000 } },
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
