/** Orders: those that wait, and what each type is made of. */
import type { Order, OrderType, Prices, TimeInForce } from "./contract";

export type PriceField = keyof Prices;

/** The prices that an order of each type names, in the order in which they are asked for. */
export const NEEDS: Record<OrderType, PriceField[]> = {
  market: [],
  limit: ["limit_price"],
  stop: ["stop_price"],
  stop_limit: ["stop_price", "limit_price"],
  market_if_touched: ["stop_price"],
  trailing_stop: ["trail"],
};

export const TYPE_NAMES: Record<OrderType, string> = {
  market: "Market",
  limit: "Limit",
  stop: "Stop",
  stop_limit: "Stop limit",
  market_if_touched: "If touched",
  trailing_stop: "Trailing stop",
};

export const PRICE_NAMES: Record<PriceField, string> = {
  limit_price: "Limit price",
  stop_price: "Stop price",
  trail: "Distance",
  price_bound: "Worst price",
  stop_loss: "Stop loss",
  take_profit: "Take profit",
  trailing_stop: "Trailing stop",
};

export const TIME_NAMES: Record<TimeInForce, string> = {
  gtc: "Until cancelled",
  day: "Today, until 17:00 New York",
  gtd: "Until a time",
  ioc: "At once or not at all",
  fok: "At once and whole",
};

/** What a person is offered: an order for a price that is not there waits, unless it is a limit order for now. */
export function timesFor(type: OrderType): TimeInForce[] {
  return type === "limit" ? ["gtc", "day", "gtd", "ioc", "fok"] : ["gtc", "day", "gtd"];
}

/** An order that is dealt at the market may name the worst price it takes. */
export function takesBound(type: OrderType): boolean {
  return type !== "limit" && type !== "stop_limit";
}

export function waits(order: Order): boolean {
  return order.status === "working" || order.status === "triggered";
}

/** The waiting orders, newest first, after one was accepted, changed or ended. */
export function applyOrder(orders: Order[], changed: Order): Order[] {
  if (!waits(changed)) return orders.filter((order) => order.id !== changed.id);
  if (!orders.some((order) => order.id === changed.id)) return arrangeOrders([changed, ...orders]);
  return orders.map((order) => (order.id === changed.id ? changed : order));
}

export function arrangeOrders(orders: Order[]): Order[] {
  return [...orders].sort((a, b) => Number(BigInt(b.id) - BigInt(a.id)));
}

/** The instant of a `datetime-local` field, which is taken for UTC; null for text that is none. */
export function utc(local: string): string | null {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(local)
    ? `${local.length === 16 ? `${local}:00` : local}Z`
    : null;
}
