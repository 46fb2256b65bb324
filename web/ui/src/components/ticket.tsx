import { useState } from "react";
import { Problem, sentence } from "../api";
import type { Instrument, OrderRequest, Side, Tick } from "../contract";
import { money, multiply, parse, toFixed } from "../decimal";
import type { Desk } from "../desk";
import { quantityFault, usualQuantities, usualQuantity } from "../sizing";
import { useStore } from "../store";
import type { StreamState } from "../stream";
import { newOrderId, place, Unsettled } from "../trading";
import { DealButton, Field } from "./ticket-parts";

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

function Order({ desk, instrument }: { desk: Desk; instrument: Instrument }) {
  const { symbol, base, quote } = instrument;
  const tick = useStore(desk.tick(symbol));
  const paused = whyPaused(useStore(desk.connection), tick, symbol);
  const [quantity, setQuantity] = useState(() => usualQuantity(instrument, tick?.ask ?? null));
  const [stopLoss, setStopLoss] = useState("");
  const [takeProfit, setTakeProfit] = useState("");
  const [busy, setBusy] = useState<Side | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);

  async function deal(side: Side) {
    const order = compose(instrument, side, plain(quantity), plain(stopLoss), plain(takeProfit));
    if ("fault" in order) {
      setOutcome({ tone: "bad", text: order.fault, field: order.field });
      return;
    }
    setBusy(side);
    setOutcome(null);
    try {
      setOutcome({ tone: "good", text: await place(desk, order) });
      setStopLoss("");
      setTakeProfit("");
    } catch (error) {
      const text = error instanceof Unsettled ? error.message : sentence(error);
      setOutcome({ tone: "bad", text, field: error instanceof Problem ? error.field : null });
    } finally {
      setBusy(null);
    }
  }

  const faulty = (field: string) => outcome?.field === field;
  return (
    <>
      <Field
        name="Quantity"
        unit={base}
        testId="ticket-quantity"
        value={quantity}
        invalid={faulty("quantity")}
        onChange={setQuantity}
      />
      <fieldset className="choices" aria-label="Usual quantities">
        {usualQuantities(instrument, tick?.ask ?? null).map((choice) => (
          <button key={choice} type="button" onClick={() => setQuantity(choice)}>
            {compact(choice)}
          </button>
        ))}
      </fieldset>
      <div className="pair">
        <Field
          name="Stop loss"
          testId="ticket-stop-loss"
          value={stopLoss}
          placeholder="none"
          invalid={faulty("stop_loss")}
          onChange={setStopLoss}
        />
        <Field
          name="Take profit"
          testId="ticket-take-profit"
          value={takeProfit}
          placeholder="none"
          invalid={faulty("take_profit")}
          onChange={setTakeProfit}
        />
      </div>
      <div className="pair deal">
        <DealButton
          side="sell"
          price={tick?.bid}
          instrument={instrument}
          busy={busy}
          off={paused !== null}
          onDeal={deal}
        />
        <DealButton
          side="buy"
          price={tick?.ask}
          instrument={instrument}
          busy={busy}
          off={paused !== null}
          onDeal={deal}
        />
      </div>
      <Cost instrument={instrument} quantity={plain(quantity)} ask={tick?.ask} unit={quote} />
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

/** What people type between digits: "10 000" and "10,000" are 10000. */
function plain(text: string): string {
  return text.replace(/[\s,_]/g, "");
}

function compose(
  instrument: Instrument,
  side: Side,
  quantity: string,
  stopLoss: string,
  takeProfit: string,
): OrderRequest | { fault: string; field: string } {
  const fault = quantityFault(instrument, quantity);
  if (fault) return { fault, field: "quantity" };
  if (stopLoss && !parse(stopLoss)) return { fault: "The stop loss must be a price.", field: "stop_loss" };
  if (takeProfit && !parse(takeProfit))
    return { fault: "The take profit must be a price.", field: "take_profit" };
  return {
    symbol: instrument.symbol,
    side,
    type: "market",
    quantity,
    client_order_id: newOrderId(),
    ...(stopLoss && { stop_loss: stopLoss }),
    ...(takeProfit && { take_profit: takeProfit }),
  };
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
