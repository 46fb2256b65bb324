/** The messages of the HTTP API and of /ws. Decimals and ids are text, times are RFC 3339 in UTC. */
export type Side = "buy" | "sell";
export type OrderType = "market" | "limit" | "stop" | "stop_limit" | "market_if_touched" | "trailing_stop";
export type TimeInForce = "gtc" | "gtd" | "day" | "ioc" | "fok";
export type Which = "all" | "winners" | "losers";
export type Timeframe = "M1" | "M5" | "M15" | "H1" | "H4" | "D1";

export interface Session {
  access_token: string;
  expires_in: number;
  refresh_token: string;
  username: string;
  role: "trader" | "support" | "dealer" | "risk" | "admin" | "auditor";
  account_id: string | null;
  /** By this browser's clock; not the server's. */
  obtained_ms: number;
}

export interface Account {
  account_id: string;
  currency: string;
  balance: string;
  equity: string;
  open_profit: string;
  margin: string;
  free_margin: string;
  /** Percent; null while no margin is used. */
  margin_level: string | null;
  time: string;
}

export interface Instrument {
  symbol: string;
  base: string;
  quote: string;
  description: string;
  price_digits: number;
  quantity_min: string;
  quantity_max: string;
  quantity_step: string;
  margin_rate: string;
  bid: string | null;
  ask: string | null;
  time: string | null;
  seq: string | number | null;
  live: boolean;
}

export interface Tick {
  symbol: string;
  bid: string;
  ask: string;
  time: string;
  lp_bid?: string;
  lp_ask?: string;
  /** False where no LP is fresh behind the price: it must not be traded on. */
  live: boolean;
}

export interface Position {
  id: string;
  symbol: string;
  side: Side;
  quantity: string;
  open_price: string;
  current_price: string;
  profit: string;
  margin: string;
  stop_loss: string | null;
  take_profit: string | null;
  /** A distance from the best price. */
  trailing_stop: string | null;
  opened_at: string;
  status?: "open" | "closed";
}

/** Prices and distances that an order may name. */
export interface Prices {
  limit_price: string;
  stop_price: string;
  trail: string;
  price_bound: string;
  stop_loss: string;
  take_profit: string;
  trailing_stop: string;
}

export interface OrderRequest extends Partial<Prices> {
  symbol: string;
  side: Side;
  type: OrderType;
  quantity: string;
  client_order_id: string;
  time_in_force?: TimeInForce;
  expires?: string;
  reduce_only?: boolean;
  oco?: string;
}

type Nullable<T> = { [K in keyof T]: T[K] | null };

/** What is absent stays as it is, null takes it away. */
export interface OrderChange extends Partial<Nullable<Prices>> {
  quantity?: string;
  time_in_force?: TimeInForce;
  expires?: string | null;
}

export type Protection = Partial<Nullable<Pick<Prices, "stop_loss" | "take_profit" | "trailing_stop">>>;

export interface Order extends Nullable<Prices> {
  id: string;
  client_order_id: string;
  symbol: string;
  side: Side;
  type: OrderType;
  quantity: string;
  filled_quantity: string;
  average_price: string | null;
  time_in_force: TimeInForce;
  expires: string | null;
  reduce_only: boolean;
  oco: string | null;
  status: "working" | "triggered" | "filled" | "cancelled" | "expired" | "rejected";
  reason: string;
  position_id: string | null;
  created_at: string;
}

/** An order on the stream: `type` is the message's there. */
export interface OrderMessage extends Omit<Order, "type"> {
  order_type: OrderType;
  /** Why it was rejected, or ended without being filled whole. */
  code: string | null;
  detail: string | null;
}

export interface Fill {
  id: string;
  position_id: string;
  symbol: string;
  side: Side;
  price: string;
  quantity: string;
  profit: string;
  time: string;
}

export interface Execution {
  order: Order;
  fills: Fill[];
  /** Why the order ended without being filled whole. */
  code: string | null;
  detail: string | null;
}

export interface LedgerEntry {
  id: string;
  time: string;
  kind: string;
  amount: string;
  currency: string;
  balance_after: string;
  reference: string;
}

export interface Bar {
  time: string;
  open: string;
  high: string;
  low: string;
  close: string;
}

export interface StreamError {
  code: string;
  detail: string;
}

export interface MarginAlert {
  account_id: string;
  status: "normal" | "margin_call" | "stop_out";
  /** Percent, which decided it. */
  margin_level: string | null;
}

export type StreamMessage =
  | { type: "quotes"; quotes: Tick[] }
  | ({ type: "position" } & Position)
  | ({ type: "account" } & Account)
  | ({ type: "order" } & OrderMessage)
  | ({ type: "margin" } & MarginAlert)
  | ({ type: "fill" } & Fill);
