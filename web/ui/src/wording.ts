/** The sentences and times that the page shows. */
import type { Execution, Order, Side } from "./contract";
import { add, type Decimal, parse, price, quantity, signedMoney, toFixed } from "./decimal";

const PAST: Record<Side, string> = { buy: "Bought", sell: "Sold" };
const PROTECTION: Record<string, string> = { stop_loss: "Stop loss", take_profit: "Take profit" };

export function describeOrder(order: Order, digits: number): string {
  if (order.status !== "filled" || order.average_price === null) {
    return `The order to ${order.side} ${quantity(order.quantity)} ${order.symbol} is ${order.status}.`;
  }
  const amount = quantity(order.filled_quantity);
  return `${PAST[order.side]} ${amount} ${order.symbol} at ${price(order.average_price, digits)}.`;
}

export function describeClose({ order, fills }: Execution, digits: number, currency: string): string {
  if (order.status !== "filled" || order.average_price === null) return describeOrder(order, digits);
  const profits = fills.map((fill) => parse(fill.profit)).filter((profit) => profit !== null);
  const total = profits.reduce<Decimal>(add, { units: 0n, scale: 2 });
  const result = signedMoney(toFixed(total, total.scale));
  const amount = quantity(order.filled_quantity);
  return `Closed ${amount} ${order.symbol} at ${price(order.average_price, digits)}: ${result} ${currency}.`;
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
