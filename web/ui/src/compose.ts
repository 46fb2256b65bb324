/** What a person has typed, made into requests; or the sentence that tells what is wrong with it. */
import type {
  Instrument,
  Order,
  OrderChange,
  OrderRequest,
  OrderType,
  Position,
  Protection,
  Side,
  TimeInForce,
} from "./contract";
import { compare, parse } from "./decimal";
import { NEEDS, PRICE_NAMES, type PriceField, takesBound, timesFor, utc } from "./orders";
import { quantityFault } from "./sizing";
import { newOrderId } from "./trading";

export interface TicketForm {
  type: OrderType;
  quantity: string;
  prices: Record<PriceField, string>;
  time: TimeInForce;
  /** Of a `datetime-local` field, in UTC. */
  expires: string;
  reduceOnly: boolean;
  oco: string;
}

export interface Fault {
  fault: string;
  field: string;
}

export const NO_PRICES: Record<PriceField, string> = {
  limit_price: "",
  stop_price: "",
  trail: "",
  price_bound: "",
  stop_loss: "",
  take_profit: "",
  trailing_stop: "",
};
export const PROTECTIONS = ["stop_loss", "take_profit", "trailing_stop"] as const;

/** What people type between digits: "10 000" and "10,000" are 10000. */
export function plain(text: string): string {
  return text.replace(/[\s,_]/g, "");
}

/** The prices that the ticket asks for: those that the type needs, and those that it may name. */
export function fieldsOf(type: OrderType): PriceField[] {
  return [...NEEDS[type], ...PROTECTIONS, ...(takesBound(type) ? (["price_bound"] as const) : [])];
}

export function compose(instrument: Instrument, side: Side, form: TicketForm): OrderRequest | Fault {
  const { type } = form;
  const quantity = plain(form.quantity);
  const fault = quantityFault(instrument, quantity);
  if (fault) return { fault, field: "quantity" };
  const order: OrderRequest = {
    symbol: instrument.symbol,
    side,
    type,
    quantity,
    client_order_id: newOrderId(),
  };
  for (const field of fieldsOf(type)) {
    const text = plain(form.prices[field]);
    const wrong = priceFault(field, text, NEEDS[type].includes(field));
    if (wrong) return wrong;
    if (text) order[field] = text;
  }
  if (type !== "market") {
    // A time that the type does not offer was chosen for another type.
    order.time_in_force = timesFor(type).includes(form.time) ? form.time : "gtc";
    if (order.time_in_force === "gtd") {
      const expires = utc(form.expires);
      if (expires === null) return NO_END;
      order.expires = expires;
    }
    if (form.oco.trim()) order.oco = form.oco.trim();
  }
  if (form.reduceOnly) order.reduce_only = true;
  return order;
}

const NO_END: Fault = { fault: "Say until which time (UTC) the order is to stand.", field: "expires" };

export interface OrderForm {
  quantity: string;
  prices: Record<PriceField, string>;
  time: TimeInForce;
  expires: string;
}

/** The form of an order as it stands. */
export function formOf(order: Order): OrderForm {
  const prices = { ...NO_PRICES };
  for (const field of Object.keys(prices) as PriceField[]) prices[field] = order[field] ?? "";
  const expires = order.time_in_force === "gtd" && order.expires ? order.expires.slice(0, 19) : "";
  return { quantity: order.quantity, prices, time: order.time_in_force, expires };
}

/** What differs between an order and its form. */
export function changeOf(instrument: Instrument, order: Order, form: OrderForm): OrderChange | Fault {
  const change: OrderChange = {};
  const quantity = plain(form.quantity);
  const fault = quantityFault(instrument, quantity);
  if (fault) return { fault, field: "quantity" };
  if (!same(quantity, order.quantity)) change.quantity = quantity;
  for (const field of fieldsOf(order.type)) {
    const text = plain(form.prices[field]);
    const wrong = priceFault(field, text, NEEDS[order.type].includes(field));
    if (wrong) return wrong;
    if (!same(text, order[field] ?? "")) change[field] = text || null;
  }
  const before = formOf(order);
  if (form.time !== before.time || form.expires !== before.expires) {
    change.time_in_force = form.time;
    if (form.time === "gtd") {
      const expires = utc(form.expires);
      if (expires === null) return NO_END;
      change.expires = expires;
    }
  }
  return change;
}

/** What differs between a position's protections and what was typed. */
export function protectionOf(position: Position, typed: Record<PriceField, string>): Protection | Fault {
  const change: Protection = {};
  for (const field of PROTECTIONS) {
    const text = plain(typed[field]);
    const wrong = priceFault(field, text, false);
    if (wrong) return wrong;
    if (!same(text, position[field] ?? "")) change[field] = text || null;
  }
  return change;
}

function priceFault(field: PriceField, text: string, needed: boolean): Fault | null {
  const name = PRICE_NAMES[field].toLowerCase();
  if (!text) return needed ? { fault: `The ${name} is missing.`, field } : null;
  const kind = field === "trail" || field === "trailing_stop" ? "a distance, such as 0.005" : "a price";
  return parse(text) ? null : { fault: `The ${name} must be ${kind}.`, field };
}

function same(a: string, b: string): boolean {
  const [one, other] = [parse(a), parse(b)];
  return one && other ? compare(one, other) === 0 : a === b;
}
