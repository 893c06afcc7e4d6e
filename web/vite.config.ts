import { svelte } from "@sveltejs/vite-plugin-svelte";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";

const api = loadEnv("", ".", "LIQSCAPE_")["LIQSCAPE_URL"] ?? "http://127.0.0.1:8700";

// The built page is served by `liqscape serve` from the package; while developing, its API is asked through the proxy.
export default defineConfig({
  plugins: [svelte()],
  build: { target: "es2022", outDir: "../src/liqscape/server/static", emptyOutDir: true, assetsInlineLimit: 0 },
  server: { proxy: { "/api": { target: api, ws: true, changeOrigin: true, rewriteWsOrigin: true } } },
  test: { include: ["tests/**/*.test.ts"] },
});
