import { expect, test } from "vitest";
import { changeOf, compose, formOf, NO_PRICES, protectionOf, type TicketForm } from "../src/compose";
import type { Instrument, Order, OrderType, Position } from "../src/contract";
import { applyOrder, arrangeOrders, timesFor, utc } from "../src/orders";
import { describeEnd, describeOrder } from "../src/wording";

const EURUSD: Instrument = {
  symbol: "EURUSD",
  base: "EUR",
  quote: "USD",
  description: "Euro vs US dollar",
  price_digits: 5,
  quantity_min: "1",
  quantity_max: "10000000",
  quantity_step: "1",
  margin_rate: "0.0333",
  bid: null,
  ask: null,
  time: null,
  seq: null,
  live: true,
};

function order(id: string, change: Partial<Order> = {}): Order {
  return {
    id,
    client_order_id: `order-${id}`,
    symbol: "EURUSD",
    side: "buy",
    type: "limit",
    quantity: "10000",
    filled_quantity: "0",
    average_price: null,
    limit_price: "1.09000",
    stop_price: null,
    trail: null,
    price_bound: null,
    stop_loss: "1.08000",
    take_profit: null,
    trailing_stop: null,
    time_in_force: "gtc",
    expires: null,
    reduce_only: false,
    oco: null,
    status: "working",
    reason: "client",
    position_id: null,
    created_at: "2026-01-19T14:30:00Z",
    ...change,
  };
}

function form(type: OrderType, change: Partial<TicketForm> = {}, prices: object = {}): TicketForm {
  return {
    type,
    quantity: "10,000",
    prices: { ...NO_PRICES, ...prices },
    time: "gtc",
    expires: "",
    reduceOnly: false,
    oco: "",
    ...change,
  };
}

/** What is composed, without the random id. */
function composed(ticket: TicketForm) {
  const { client_order_id: _, ...rest } = { client_order_id: "", ...compose(EURUSD, "buy", ticket) };
  return rest;
}

test("the newest waits first, one that ended waits no longer", () => {
  const [old, young] = [order("9"), order("10")];
  expect(arrangeOrders([old, young])).toEqual([young, old]);
  expect(applyOrder([old], young)).toEqual([young, old]);
  const moved = order("9", { limit_price: "1.085" });
  expect(applyOrder([young, old], moved)).toEqual([young, moved]);
  expect(applyOrder([old], order("9", { status: "triggered" }))).toHaveLength(1);
  for (const status of ["filled", "cancelled", "expired", "rejected"] as const) {
    expect(applyOrder([young, old], order("9", { status }))).toEqual([young]);
    expect(applyOrder([young], order("9", { status }))).toEqual([young]);
  }
});

test("a market order says nothing of time and of prices that belong to others", () => {
  const typed = { limit_price: "1.09", stop_loss: " 1.08", take_profit: "1.2", price_bound: "1.101" };
  expect(composed(form("market", { time: "fok", oco: "pair" }, typed))).toEqual({
    symbol: "EURUSD",
    side: "buy",
    type: "market",
    quantity: "10000",
    stop_loss: "1.08",
    take_profit: "1.2",
    price_bound: "1.101",
  });
});

test("each other type names its own prices", () => {
  const typed = { limit_price: "1.09", stop_price: "1.11", trail: "0.005", price_bound: "1.2" };
  const base = { symbol: "EURUSD", side: "buy", quantity: "10000", time_in_force: "gtc" };
  const of = (type: OrderType) => composed(form(type, {}, typed));
  expect(of("limit")).toEqual({ ...base, type: "limit", limit_price: "1.09" });
  expect(of("stop")).toEqual({ ...base, type: "stop", stop_price: "1.11", price_bound: "1.2" });
  expect(of("stop_limit")).toEqual({
    ...base,
    type: "stop_limit",
    stop_price: "1.11",
    limit_price: "1.09",
  });
  expect(of("trailing_stop")).toEqual({ ...base, type: "trailing_stop", trail: "0.005", price_bound: "1.2" });
});

test("time, mark and reduction are said where they were chosen", () => {
  const ticket = form(
    "limit",
    { time: "gtd", expires: "2026-02-01T12:30", oco: " pair ", reduceOnly: true },
    { limit_price: "1.09" },
  );
  expect(composed(ticket)).toMatchObject({
    time_in_force: "gtd",
    expires: "2026-02-01T12:30:00Z",
    oco: "pair",
    reduce_only: true,
  });
  expect(composed(form("stop", { time: "ioc" }, { stop_price: "1.11" }))).toMatchObject({
    time_in_force: "gtc",
  });
  expect(timesFor("limit")).toContain("fok");
  expect(utc("2026-02-01 12:30")).toBeNull();
});

test("a fault is told in a sentence, with its field", () => {
  expect(composed(form("limit"))).toEqual({ fault: "The limit price is missing.", field: "limit_price" });
  expect(composed(form("stop", {}, { stop_price: "x" }))).toEqual({
    fault: "The stop price must be a price.",
    field: "stop_price",
  });
  expect(composed(form("trailing_stop", {}, { trail: "1e-3" }))).toEqual({
    fault: "The distance must be a distance, such as 0.005.",
    field: "trail",
  });
  expect(composed(form("market", { quantity: "" }))).toMatchObject({ field: "quantity" });
  expect(composed(form("limit", { time: "gtd" }, { limit_price: "1.09" }))).toMatchObject({
    field: "expires",
  });
});

test("only what was changed of an order is sent, and what was emptied is taken away", () => {
  const waiting = order("1");
  const before = formOf(waiting);
  expect(changeOf(EURUSD, waiting, before)).toEqual({});
  const edited = {
    ...before,
    quantity: "5 000",
    prices: { ...before.prices, limit_price: "1.085", stop_loss: "", take_profit: "1.2" },
  };
  expect(changeOf(EURUSD, waiting, edited)).toEqual({
    quantity: "5000",
    limit_price: "1.085",
    stop_loss: null,
    take_profit: "1.2",
  });
  const emptied = { ...before, prices: { ...before.prices, limit_price: "" } };
  expect(changeOf(EURUSD, waiting, emptied)).toMatchObject({ field: "limit_price" });
  const until = { ...before, time: "gtd" as const, expires: "2026-02-01T12:30" };
  expect(changeOf(EURUSD, waiting, until)).toEqual({ time_in_force: "gtd", expires: "2026-02-01T12:30:00Z" });
});

test("an order with an end keeps it", () => {
  const until = order("1", { time_in_force: "gtd", expires: "2026-02-01T12:30:00Z" });
  expect(changeOf(EURUSD, until, formOf(until))).toEqual({});
  const today = order("1", { time_in_force: "day", expires: "2026-02-01T22:00:00Z" });
  expect(changeOf(EURUSD, today, { ...formOf(today), quantity: "1" })).toEqual({ quantity: "1" });
});

test("a position's protections are changed one by one", () => {
  const position = { stop_loss: "1.08000", take_profit: null, trailing_stop: "0.00500" } as Position;
  const typed = { ...NO_PRICES, stop_loss: "1.08", take_profit: "1.2", trailing_stop: "" };
  expect(protectionOf(position, typed)).toEqual({ take_profit: "1.2", trailing_stop: null });
  expect(protectionOf(position, { ...typed, stop_loss: "low" })).toMatchObject({ field: "stop_loss" });
});

test("what became of an order is told in a sentence", () => {
  expect(describeOrder(order("1"), 5)).toBe("Limit order to buy 10,000 EURUSD at 1.09000 waits.");
  const trailing = order("1", { type: "trailing_stop", trail: "0.005", side: "sell" });
  expect(describeOrder(trailing, 5)).toBe("Trailing stop order to sell 10,000 EURUSD 0.00500 behind waits.");
  const gone = order("1", { status: "cancelled" });
  expect(describeOrder(gone, 5, "the market was not there")).toBe(
    "The order to buy 10,000 EURUSD is cancelled: the market was not there.",
  );
  expect(describeEnd(order("1", { status: "expired" }), "its time in force is over")).toBe(
    "Limit order to buy 10,000 EURUSD is expired: its time in force is over.",
  );
});
