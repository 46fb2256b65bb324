import { useState } from "react";
import { Problem, sentence } from "../api";
import { compose, NO_PRICES, plain, type TicketForm } from "../compose";
import type { Instrument, Side, Tick } from "../contract";
import { money, multiply, parse, toFixed } from "../decimal";
import type { Desk } from "../desk";
import { NEEDS, type PriceField } from "../orders";
import { usualQuantities, usualQuantity } from "../sizing";
import { useStore } from "../store";
import type { StreamState } from "../stream";
import { place, Unsettled } from "../trading";
import { DealButton, Field } from "./ticket-parts";
import { MoreTerms, PriceFields, TypePicker } from "./ticket-terms";
import { TimeFields } from "./time-in-force";

interface TicketProps {
  desk: Desk;
  instrument: Instrument | undefined;
}

export function Ticket({ desk, instrument }: TicketProps) {
  const instruments = useStore(desk.instruments);
  return (
    <section className="panel ticket" id="trade" aria-label="Order ticket">
      <label className="field">
        <span>Symbol</span>
        <select
          data-testid="ticket-symbol"
          value={instrument?.symbol ?? ""}
          onChange={(event) => desk.selected.set(event.target.value)}
        >
          {instruments.map(({ symbol, description }) => (
            <option key={symbol} value={symbol}>
              {symbol === description ? symbol : `${symbol} · ${description}`}
            </option>
          ))}
        </select>
      </label>
      {instrument && <Order key={instrument.symbol} desk={desk} instrument={instrument} />}
    </section>
  );
}

export function NoAccount({ desk }: { desk: Desk }) {
  return (
    <section className="panel ticket" id="trade" aria-label="Order ticket">
      <p className="message plain" data-testid="ticket-message">
        The user {desk.session.username} has no trading account, so prices and charts are shown but orders
        cannot be placed.
      </p>
    </section>
  );
}

interface Outcome {
  tone: "good" | "bad";
  text: string;
  field?: string | null;
}

const EMPTY = { prices: NO_PRICES, time: "gtc", expires: "", reduceOnly: false, oco: "" } as const;

function Order({ desk, instrument }: { desk: Desk; instrument: Instrument }) {
  const { symbol, base, quote } = instrument;
  const tick = useStore(desk.tick(symbol));
  const paused = whyPaused(useStore(desk.connection), tick, symbol);
  const [form, setForm] = useState<TicketForm>(() => ({
    ...EMPTY,
    type: "market",
    quantity: usualQuantity(instrument, tick?.ask ?? null),
  }));
  const [busy, setBusy] = useState<Side | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const { type, prices } = form;
  const change = (part: Partial<TicketForm>) => setForm((now) => ({ ...now, ...part }));
  const setPrice = (field: PriceField, value: string) =>
    setForm((now) => ({ ...now, prices: { ...now.prices, [field]: value } }));

  async function deal(side: Side) {
    const order = compose(instrument, side, form);
    if ("fault" in order) {
      setOutcome({ tone: "bad", text: order.fault, field: order.field });
      return;
    }
    setBusy(side);
    setOutcome(null);
    try {
      setOutcome({ tone: "good", text: await place(desk, order) });
      // What was meant for this one order must not slip into the next.
      change(EMPTY);
    } catch (error) {
      const text = error instanceof Unsettled ? error.message : sentence(error);
      setOutcome({ tone: "bad", text, field: error instanceof Problem ? error.field : null });
    } finally {
      setBusy(null);
    }
  }

  const faulty = (field: string) => outcome?.field === field;
  const asking = { values: prices, testId: "ticket", faulty, onChange: setPrice };
  const dealing = { type, instrument, busy, off: paused !== null, onDeal: deal };
  return (
    <>
      <TypePicker type={type} onChange={(chosen) => change({ type: chosen })} />
      <Field
        name="Quantity"
        unit={base}
        testId="ticket-quantity"
        value={form.quantity}
        invalid={faulty("quantity")}
        onChange={(quantity) => change({ quantity })}
      />
      <fieldset className="choices" aria-label="Usual quantities">
        {usualQuantities(instrument, tick?.ask ?? null).map((choice) => (
          <button key={choice} type="button" onClick={() => change({ quantity: choice })}>
            {compact(choice)}
          </button>
        ))}
      </fieldset>
      <PriceFields fields={NEEDS[type]} optional={false} {...asking} />
      {type !== "market" && (
        <TimeFields
          type={type}
          time={form.time}
          expires={form.expires}
          testId="ticket"
          invalid={faulty("expires")}
          onTime={(time) => change({ time })}
          onExpires={(expires) => change({ expires })}
        />
      )}
      <PriceFields fields={["stop_loss", "take_profit"]} optional {...asking} />
      <MoreTerms
        type={type}
        reduceOnly={form.reduceOnly}
        oco={form.oco}
        onReduceOnly={(reduceOnly) => change({ reduceOnly })}
        onOco={(oco) => change({ oco })}
        values={prices}
        faulty={faulty}
        onChange={setPrice}
      />
      <div className="pair deal">
        <DealButton side="sell" price={tick?.bid} {...dealing} />
        <DealButton side="buy" price={tick?.ask} {...dealing} />
      </div>
      <Cost instrument={instrument} quantity={plain(form.quantity)} ask={tick?.ask} unit={quote} />
      {paused !== null && (
        <p className="message plain" id="ticket-paused" data-testid="ticket-paused">
          {paused}
        </p>
      )}
      <p className={`message ${outcome?.tone ?? "none"}`} role="status" data-testid="ticket-message">
        {outcome?.text}
      </p>
    </>
  );
}

function whyPaused(connection: StreamState, tick: Tick | null, symbol: string): string | null {
  if (connection !== "live") return "Prices are not live at the moment, so trading waits for the connection.";
  if (!tick) return `There is no price for ${symbol} yet.`;
  if (!tick.live)
    return `No liquidity provider is quoting ${symbol} now, so it cannot be traded until prices return.`;
  return null;
}

/** "1000" as "1k", "10000000" as "10M". */
function compact(quantity: string): string {
  return quantity.replace(/^(\d+)000000$/, "$1M").replace(/^(\d+)000$/, "$1k");
}

interface CostProps {
  instrument: Instrument;
  quantity: string;
  ask: string | undefined;
  unit: string;
}

function Cost({ instrument, quantity, ask, unit }: CostProps) {
  const amount = parse(quantity);
  const price = ask === undefined ? null : parse(ask);
  const rate = parse(instrument.margin_rate);
  const value = amount && price ? multiply(amount, price) : null;
  return (
    <dl className="cost">
      <dt>Value</dt>
      <dd>{value ? `${money(toFixed(value, 2))} ${unit}` : "–"}</dd>
      <dt>Margin, about</dt>
      <dd>{value && rate ? `${money(toFixed(multiply(value, rate), 2))} ${unit}` : "–"}</dd>
    </dl>
  );
}
