import { type FormEvent, useState } from "react";
import { Problem, sentence } from "../api";
import { changeOf, type Fault, formOf, PROTECTIONS } from "../compose";
import type { Instrument, Order } from "../contract";
import { quantity } from "../decimal";
import type { Desk } from "../desk";
import { NEEDS, type PriceField, TYPE_NAMES, takesBound } from "../orders";
import { Dialog } from "./dialog";
import { Field } from "./ticket-parts";
import { PriceFields } from "./ticket-terms";
import { TimeFields } from "./time-in-force";

interface OrderEditorProps {
  desk: Desk;
  instrument: Instrument;
  order: Order;
  onClose: () => void;
}

/** Changes the terms of a waiting order. */
export function OrderEditor({ desk, instrument, order, onClose }: OrderEditorProps) {
  const [form, setForm] = useState(() => formOf(order));
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const { type, side, symbol } = order;
  const faulty = (field: string) => fault?.field === field;
  const setPrice = (field: PriceField, value: string) =>
    setForm((now) => ({ ...now, prices: { ...now.prices, [field]: value } }));

  async function save(event: FormEvent) {
    event.preventDefault();
    const change = changeOf(instrument, order, form);
    if ("fault" in change) {
      setFault(change);
      return;
    }
    setBusy(true);
    setFault(null);
    try {
      if (Object.keys(change).length > 0) await desk.api.modify(order.id, change);
      desk.say("good", `The ${TYPE_NAMES[type].toLowerCase()} order in ${symbol} is changed.`);
      void desk.refresh();
      onClose();
    } catch (error) {
      const field = error instanceof Problem ? error.field : null;
      setFault({ fault: sentence(error), field: field ?? "" });
      setBusy(false);
    }
  }

  const title = `${TYPE_NAMES[type]} order to ${side} ${quantity(order.quantity)} ${symbol}`;
  return (
    <Dialog title={title} testId="order-editor" onClose={onClose}>
      <form onSubmit={save} noValidate>
        <Field
          name="Quantity"
          unit={instrument.base}
          testId="order-edit-quantity"
          value={form.quantity}
          invalid={faulty("quantity")}
          onChange={(value) => setForm({ ...form, quantity: value })}
        />
        <PriceFields
          fields={NEEDS[type]}
          optional={false}
          values={form.prices}
          testId="order-edit"
          faulty={faulty}
          onChange={setPrice}
        />
        <TimeFields
          type={type}
          waiting
          time={form.time}
          expires={form.expires}
          testId="order-edit"
          invalid={faulty("expires")}
          onTime={(time) => setForm({ ...form, time })}
          onExpires={(expires) => setForm({ ...form, expires })}
        />
        <PriceFields
          fields={takesBound(type) ? [...PROTECTIONS, "price_bound"] : PROTECTIONS}
          optional
          values={form.prices}
          testId="order-edit"
          faulty={faulty}
          onChange={setPrice}
        />
        <p className={`message ${fault ? "bad" : "none"}`} role="status" data-testid="order-edit-message">
          {fault?.fault}
        </p>
        <button type="submit" className="primary" data-testid="order-edit-save" disabled={busy}>
          {busy ? "Saving…" : "Save"}
        </button>
      </form>
    </Dialog>
  );
}
