import { useState } from "react";
import { sentence } from "../api";
import type { Order } from "../contract";
import { price, quantity } from "../decimal";
import type { Desk } from "../desk";
import { TIME_NAMES, TYPE_NAMES } from "../orders";
import { useStore } from "../store";
import { dateAndTime, shortTime, terms } from "../wording";
import { type Column, Head, SideCell } from "./columns";
import { OrderEditor } from "./order-editor";

const COLUMNS: readonly Column[] = [
  ["Symbol"],
  ["Side"],
  ["Type"],
  ["Quantity", "number"],
  ["Price", "number"],
  ["Stop loss", "number wide"],
  ["Take profit", "number wide"],
  ["Stands", "wide"],
];

/** The orders that wait. */
export function Orders({ desk }: { desk: Desk }) {
  const orders = useStore(desk.orders);
  const [editing, setEditing] = useState<string | null>(null);
  const edited = orders.find((order) => order.id === editing);
  const instrument = edited && desk.instrument(edited.symbol);
  if (orders.length === 0) {
    return (
      <p className="empty" data-testid="orders-empty">
        You have no waiting orders. Choose Limit or Stop in the ticket to place one.
      </p>
    );
  }
  return (
    <>
      <table>
        <Head columns={COLUMNS} actions="Modify or cancel" />
        <tbody>
          {orders.map((order) => (
            <Row key={order.id} desk={desk} order={order} onEdit={() => setEditing(order.id)} />
          ))}
        </tbody>
      </table>
      {edited && instrument && (
        <OrderEditor desk={desk} instrument={instrument} order={edited} onClose={() => setEditing(null)} />
      )}
    </>
  );
}

function Row({ desk, order, onEdit }: { desk: Desk; order: Order; onEdit: () => void }) {
  const [busy, setBusy] = useState(false);
  const { id, symbol, side } = order;
  const digits = desk.digits(symbol);
  const level = (value: string | null) => (value === null ? "–" : price(value, digits));
  const what = `${TYPE_NAMES[order.type].toLowerCase()} order to ${side} ${quantity(order.quantity)} ${symbol}`;

  async function cancel() {
    setBusy(true);
    try {
      await desk.api.cancel(id);
      desk.say("good", `Cancelled: ${what}.`);
      void desk.refresh();
    } catch (error) {
      desk.say("bad", sentence(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <tr data-testid={`order-row-${id}`}>
      <th scope="row">{symbol}</th>
      <SideCell side={side} />
      <td>
        {TYPE_NAMES[order.type]}
        {order.status === "triggered" && <small> triggered</small>}
      </td>
      <td className="number">{quantity(order.quantity)}</td>
      <td className="number" data-testid={`order-price-${id}`}>
        {terms(order, digits).replace(/^at /, "")}
      </td>
      <td className="number wide">{level(order.stop_loss)}</td>
      <td className="number wide">{level(order.take_profit)}</td>
      <td className="wide muted">
        <Until order={order} />
      </td>
      <td className="end">
        <button
          type="button"
          className="small"
          data-testid={`order-modify-${id}`}
          aria-label={`Modify ${what}`}
          onClick={onEdit}
        >
          Modify
        </button>{" "}
        <button
          type="button"
          className="small"
          data-testid={`order-cancel-${id}`}
          aria-label={`Cancel ${what}`}
          disabled={busy}
          onClick={cancel}
        >
          {busy ? "Cancelling…" : "Cancel"}
        </button>
      </td>
    </tr>
  );
}

function Until({ order }: { order: Order }) {
  if (order.expires === null) return TIME_NAMES[order.time_in_force].toLowerCase();
  return <abbr title={`${dateAndTime(order.expires)} UTC`}>until {shortTime(order.expires)}</abbr>;
}
