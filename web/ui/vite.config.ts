import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const BACK_END = "http://localhost:8080";

// The paths of the API that `npm run dev` hands to a broker on this machine.
const API = [
  "login",
  "account",
  "symbols",
  "order",
  "orders",
  "positions",
  "position",
  "trades",
  "ledger",
  "ohlc",
];

export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 600 },
  server: {
    proxy: {
      ...Object.fromEntries(API.map((path) => [`^/${path}(/|\\?|$)`, BACK_END])),
      "/ws": { target: BACK_END, ws: true },
    },
  },
});
