import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// The built page is served by `liqscape serve` from the package; while developing, its API is asked through the proxy.
export default defineConfig({
  plugins: [svelte()],
  build: { target: "es2022", outDir: "../src/liqscape/server/static", emptyOutDir: true, assetsInlineLimit: 0 },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8700", ws: true } } },
  test: { include: ["tests/**/*.test.ts"] },
});
