import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem, sentence } from "../src/api";
import type { Order, OrderRequest } from "../src/contract";
import { Desk } from "../src/desk";
import { newOrderId, place, Unsettled } from "../src/trading";

const SESSION = {
  access_token: "secret",
  expires_in: 900,
  refresh_token: "renew",
  obtained_ms: Date.now(),
  username: "t",
  role: "trader" as const,
  account_id: "1",
};
const REQUEST: OrderRequest = {
  symbol: "EURUSD",
  side: "buy",
  type: "market",
  quantity: "10000",
  client_order_id: "mine",
};
const FILLED: Order = {
  id: "7",
  client_order_id: "mine",
  symbol: "EURUSD",
  side: "buy",
  type: "market",
  quantity: "10000",
  filled_quantity: "10000",
  average_price: "1.09543",
  limit_price: null,
  stop_price: null,
  trail: null,
  price_bound: null,
  stop_loss: null,
  take_profit: null,
  trailing_stop: null,
  time_in_force: "gtc",
  expires: null,
  reduce_only: false,
  oco: null,
  status: "filled",
  reason: "client",
  position_id: "3",
  created_at: "2026-01-19T14:30:00Z",
};

/** What the server answers to "METHOD /path"; an absent answer is a connection that breaks. */
let answers: Record<string, () => Response>;
let asked: string[];
let loggedOut: number;
let desk: Desk;

const json =
  (body: unknown, status = 200) =>
  () =>
    new Response(JSON.stringify(body), { status });

beforeEach(() => {
  vi.useFakeTimers();
  answers = {};
  asked = [];
  loggedOut = 0;
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const request = `${init.method ?? "GET"} ${path}`;
    asked.push(request);
    const answer = answers[request];
    if (!answer) throw new TypeError("connection lost");
    return answer();
  });
  desk = new Desk(SESSION, () => {
    loggedOut += 1;
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** The outcome of an order, with all its waiting done. */
async function settle(): Promise<string> {
  const outcome = place(desk, REQUEST).catch((error: unknown) => {
    const kind = error instanceof Unsettled ? "unsettled" : "refused";
    return `${kind}: ${error instanceof Unsettled ? error.message : sentence(error)}`;
  });
  await vi.advanceTimersByTimeAsync(10_000);
  return outcome;
}

const placed = () => asked.filter((request) => request === "POST /order").length;

test("a fill is confirmed with its price", async () => {
  answers["POST /order"] = json({ order: FILLED, fills: [] }, 201);
  expect(await settle()).toBe("Bought 10,000 EURUSD at 1.09543.");
});

test("a refusal is the server's sentence and names the field", async () => {
  const detail = "The free margin does not cover this order";
  answers["POST /order"] = json({ detail, code: "insufficient_margin", field: "quantity" }, 422);
  expect(await settle()).toBe(`refused: ${detail}.`);
  await expect(place(desk, REQUEST)).rejects.toEqual(
    new Problem(422, detail, "insufficient_margin", "quantity"),
  );
});

test("an answer that is lost is looked up, and the order is never sent twice", async () => {
  answers["GET /orders"] = json({ orders: [{ ...FILLED, client_order_id: "another" }, FILLED] });
  expect(await settle()).toBe("Bought 10,000 EURUSD at 1.09543.");
  expect(placed()).toBe(1);
});

test("so is a gateway's timeout, and an order that appears late is found", async () => {
  answers["POST /order"] = () => new Response("<html>", { status: 504 });
  let lookups = 0;
  answers["GET /orders"] = () => json({ orders: ++lookups < 3 ? [] : [FILLED] })();
  expect(await settle()).toBe("Bought 10,000 EURUSD at 1.09543.");
  expect(placed()).toBe(1);
});

test("an order that the server does not know is told as such", async () => {
  answers["GET /orders"] = json({ orders: [] });
  expect(await settle()).toMatch(/^unsettled: .*the server has no record of it/);
});

test("a server that stays away leaves the outcome unknown", async () => {
  expect(await settle()).toMatch(/^unsettled: .*it is not known whether this order was taken/);
  expect(placed()).toBe(1);
});

test("a token that is no longer accepted ends the session", async () => {
  answers["POST /order"] = json({ detail: "The token has expired." }, 401);
  expect(await settle()).toBe("refused: The token has expired.");
  expect(loggedOut).toBe(1);
});

test("order ids are version 4 and differ", () => {
  const ids = Array.from({ length: 100 }, newOrderId);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(100);
});
