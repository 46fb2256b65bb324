/** The sentences and times that the page shows. */
import type { Execution, Fill, MarginAlert, Order, Side } from "./contract";
import { add, type Decimal, money, parse, price, quantity, signedMoney, toFixed } from "./decimal";
import { TYPE_NAMES, waits } from "./orders";

const PAST: Record<Side, string> = { buy: "Bought", sell: "Sold" };
const PROTECTION: Record<string, string> = {
  stop_loss: "Stop loss",
  take_profit: "Take profit",
  trailing_stop: "Trailing stop",
};

/** `detail` is the server's clause of why it ended without being filled whole, where it did. */
export function describeOrder(order: Order, digits: number, detail: string | null = null): string {
  if (waits(order)) {
    const amount = quantity(order.quantity);
    return `${TYPE_NAMES[order.type]} order to ${order.side} ${amount} ${order.symbol} ${terms(order, digits)} waits.`;
  }
  if (order.status !== "filled" || order.average_price === null) {
    const why = detail === null ? "" : `: ${detail}`;
    return `The order to ${order.side} ${quantity(order.quantity)} ${order.symbol} is ${order.status}${why}.`;
  }
  const amount = quantity(order.filled_quantity);
  return `${PAST[order.side]} ${amount} ${order.symbol} at ${price(order.average_price, digits)}.`;
}

export function describeClose({ order, fills }: Execution, digits: number, currency: string): string {
  if (order.status !== "filled" || order.average_price === null) return describeOrder(order, digits);
  const amount = quantity(order.filled_quantity);
  const at = price(order.average_price, digits);
  return `Closed ${amount} ${order.symbol} at ${at}: ${profitOf(fills)} ${currency}.`;
}

/** Several positions closed by one request. */
export function describeMany({ fills }: Execution, currency: string): string {
  const count = new Set(fills.map((fill) => fill.position_id)).size;
  return `Closed ${count} ${count === 1 ? "position" : "positions"}: ${profitOf(fills)} ${currency}.`;
}

function profitOf(fills: Fill[]): string {
  const profits = fills.map((fill) => parse(fill.profit)).filter((profit) => profit !== null);
  const total = profits.reduce<Decimal>(add, { units: 0n, scale: 2 });
  return signedMoney(toFixed(total, total.scale));
}

/** "at 1.09000": the prices that the order waits for. */
export function terms(order: Order, digits: number): string {
  const named = (field: "limit_price" | "stop_price" | "trail") => price(order[field] ?? "", digits);
  if (order.type === "trailing_stop") return `${named("trail")} behind`;
  if (order.type === "stop_limit") return `at ${named("stop_price")}, limit ${named("limit_price")}`;
  return `at ${named(order.type === "limit" ? "limit_price" : "stop_price")}`;
}

export function describeMargin({ status, margin_level: level }: MarginAlert): string {
  const at = level === null ? "" : ` The margin level is ${money(level)}%.`;
  if (status === "margin_call") return `Margin call.${at} Deposit money, or close positions.`;
  if (status === "stop_out") return `Stop-out.${at} Positions are closed, the largest loss first.`;
  return `The margin suffices again.${at}`;
}

/** An order that waited, and is filled now. */
export function describeTriggered(order: Order, digits: number): string {
  return `${TYPE_NAMES[order.type]} order: ${describeOrder(order, digits)}`;
}

/** An order that waited, and is over. `detail` is the server's clause of why. */
export function describeEnd(order: Order, detail: string): string {
  const what = `${TYPE_NAMES[order.type]} order to ${order.side} ${quantity(order.quantity)} ${order.symbol}`;
  return `${what} is ${order.status}: ${detail}.`;
}

/** An order that the engine placed by itself. */
export function describeProtection(order: Order, digits: number): string {
  return `${PROTECTION[order.reason] ?? order.reason}: ${describeOrder(order, digits)}`;
}

/** "01-19 08:30" of an RFC 3339 time in UTC. */
export function shortTime(time: string): string {
  return dateAndTime(time).slice(5, 16);
}

/** "2026-01-19 08:30:00" of an RFC 3339 time in UTC. */
export function dateAndTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}`;
}
