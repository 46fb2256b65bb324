import type { Instrument } from "../contract";
import { price, spread } from "../decimal";
import type { Desk } from "../desk";
import { useStore } from "../store";
import { Moving } from "./moving";

export function Watchlist({ desk }: { desk: Desk }) {
  const instruments = useStore(desk.instruments);
  const connected = useStore(desk.connection) === "live";
  return (
    <section className="panel watchlist" id="prices" aria-label="Prices">
      <table>
        <thead>
          <tr>
            <th scope="col">Symbol</th>
            <th scope="col" className="number">
              Bid
            </th>
            <th scope="col" className="number">
              Ask
            </th>
            <th scope="col" className="number">
              <abbr title="Spread, in pips or points">Spr</abbr>
            </th>
          </tr>
        </thead>
        <tbody>
          {instruments.map((instrument) => (
            <Row key={instrument.symbol} desk={desk} instrument={instrument} connected={connected} />
          ))}
        </tbody>
      </table>
      {instruments.length === 0 && <p className="empty">Loading the prices…</p>}
    </section>
  );
}

interface RowProps {
  desk: Desk;
  instrument: Instrument;
  connected: boolean;
}

function Row({ desk, instrument, connected }: RowProps) {
  const { symbol, description, price_digits: digits } = instrument;
  const tick = useStore(desk.tick(symbol));
  const selected = useStore(desk.selected) === symbol;
  const stale = !connected || !tick?.live;
  const select = () => desk.selected.set(symbol);
  const className = `${selected ? "selected" : ""} ${stale ? "stale" : ""}`;
  return (
    <tr className={className} data-testid={`watch-row-${symbol}`} data-live={!stale} onClick={select}>
      <th scope="row">
        <button type="button" className="symbol" aria-pressed={selected} title={description}>
          {symbol}
          <small>{tick && !tick.live ? "No live price" : description}</small>
        </button>
      </th>
      <Quoted side="bid" symbol={symbol} value={tick?.bid} venue={tick?.lp_bid} digits={digits} />
      <Quoted side="ask" symbol={symbol} value={tick?.ask} venue={tick?.lp_ask} digits={digits} />
      <td className="number spread">{tick ? spread(tick.bid, tick.ask, digits) : ""}</td>
    </tr>
  );
}

interface QuotedProps {
  side: "bid" | "ask";
  symbol: string;
  value: string | undefined;
  venue: string | undefined;
  digits: number;
}

function Quoted({ side, symbol, value, venue, digits }: QuotedProps) {
  return (
    <td className="number">
      {value === undefined ? (
        <span data-testid={`watch-${side}-${symbol}`}>–</span>
      ) : (
        <Moving value={value} testId={`watch-${side}-${symbol}`}>
          {price(value, digits)}
        </Moving>
      )}
      <small>{venue ?? "\u00a0"}</small>
    </td>
  );
}
