/** Orders and closes, with what becomes of them when no answer arrives. */
import { Problem, Unreachable } from "./api";
import type { Execution, Order, OrderRequest, Position, Which } from "./contract";
import type { Desk } from "./desk";
import { describeClose, describeMany, describeOrder } from "./wording";

const LOOKUP_DELAYS_MS = [500, 1_500, 3_000];

/** The outcome could not be learnt, or was learnt to be that nothing happened. */
export class Unsettled extends Error {}

/** Send an order; the sentence that tells its outcome. Throws Problem, Unreachable or Unsettled. */
export async function place(desk: Desk, request: OrderRequest): Promise<string> {
  const digits = desk.digits(request.symbol);
  try {
    const { order, fills, detail } = await desk.api.submit(request);
    desk.remember(fills);
    void desk.refresh();
    return describeOrder(order, digits, detail);
  } catch (error) {
    if (!isUncertain(error)) throw error;
    return describeOrder(await find(desk, request.client_order_id), digits);
  }
}

/** Close a position, or a quantity of it, at the market; the sentence that tells the outcome. */
export async function close(desk: Desk, position: Position, quantity?: string): Promise<string> {
  const part = quantity === undefined ? {} : { quantity };
  const execution = await desk.api.close(position.id, { ...part, client_order_id: newOrderId() });
  take(desk, execution);
  return describeClose(execution, desk.digits(position.symbol), currency(desk));
}

/** Close a position and open its opposite. */
export async function reverse(desk: Desk, position: Position): Promise<string> {
  const execution = await desk.api.reverse(position.id, newOrderId());
  take(desk, execution);
  return `Reversed. ${describeOrder(execution.order, desk.digits(position.symbol))}`;
}

export async function closeMany(desk: Desk, which: Which): Promise<string> {
  const execution = await desk.api.closeMany(which, newOrderId());
  take(desk, execution);
  return describeMany(execution, currency(desk));
}

function take(desk: Desk, execution: Execution): void {
  desk.remember(execution.fills);
  void desk.refresh();
}

function currency(desk: Desk): string {
  return desk.account.get()?.currency ?? "";
}

/** A gateway's 502 and 504 say as little about the order as silence does. */
function isUncertain(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && [502, 504].includes(error.status));
}

/**
 * Sending a market order again, seconds later, would fill it at a price that nobody chose. So the server is
 * asked what became of it instead.
 */
async function find(desk: Desk, clientOrderId: string): Promise<Order> {
  let answered = false;
  for (const delay of LOOKUP_DELAYS_MS) {
    await new Promise((resolve) => setTimeout(resolve, delay));
    try {
      const orders = await desk.api.orders();
      answered = true;
      const order = orders.find(({ client_order_id }) => client_order_id === clientOrderId);
      if (order) {
        void desk.refresh();
        return order;
      }
    } catch (error) {
      if (!(error instanceof Unreachable || error instanceof Problem)) throw error;
    }
  }
  throw new Unsettled(
    answered
      ? "No answer came to this order, and the server has no record of it. Check your positions before trying again."
      : "No answer came from the server, so it is not known whether this order was taken. Check your positions before trying again.",
  );
}

/** A random id (RFC 9562, version 4). `crypto.randomUUID` does not exist on a page served without TLS. */
export function newOrderId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
