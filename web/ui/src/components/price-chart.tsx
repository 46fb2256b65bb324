import { useEffect, useRef, useState } from "react";
import { CandleChart, type Line } from "../candle-chart";
import type { Candle } from "../candles";
import type { Instrument, Timeframe } from "../contract";
import { quantity } from "../decimal";
import type { Desk } from "../desk";
import { LiveCandles } from "../live-candles";
import { TYPE_NAMES } from "../orders";
import { Store, useStore } from "../store";

const TIMEFRAMES: Timeframe[] = ["M1", "M5", "M15", "H1", "H4", "D1"];

interface PriceChartProps {
  desk: Desk;
  instrument: Instrument | undefined;
}

export function PriceChart({ desk, instrument }: PriceChartProps) {
  const [timeframe, setTimeframe] = useState<Timeframe>("M1");
  return (
    <section
      className="panel chart-panel"
      id="chart"
      aria-label={`Candles of ${instrument?.symbol}, ${timeframe}`}
    >
      <div className="chart-head">
        <h2>{instrument?.symbol}</h2>
        <span className="muted description">{instrument?.description}</span>
        <fieldset className="timeframes" aria-label="Timeframe">
          {TIMEFRAMES.map((choice) => (
            <button
              key={choice}
              type="button"
              aria-pressed={choice === timeframe}
              onClick={() => setTimeframe(choice)}
            >
              {choice}
            </button>
          ))}
        </fieldset>
      </div>
      {instrument && <Candles desk={desk} instrument={instrument} timeframe={timeframe} />}
    </section>
  );
}

function Candles({
  desk,
  instrument,
  timeframe,
}: {
  desk: Desk;
  instrument: Instrument;
  timeframe: Timeframe;
}) {
  const { symbol, price_digits: digits } = instrument;
  const place = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<CandleChart | null>(null);
  const [pointed] = useState(() => new Store<Candle | null>(null));
  const [remark, setRemark] = useState("");
  const connections = useStore(desk.connections);
  const lines = useLines(desk, symbol);

  useEffect(() => {
    if (!place.current) return;
    const drawn = new CandleChart(place.current, pointed);
    setChart(drawn);
    return () => drawn.remove();
  }, [pointed]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new connection loads what was missed
  useEffect(() => {
    if (!chart) return;
    const live = new LiveCandles(desk, symbol, timeframe, digits, chart, setRemark);
    return () => live.stop();
  }, [chart, desk, symbol, timeframe, digits, connections]);

  useEffect(() => chart?.showLines(JSON.parse(lines) as Line[]), [chart, lines]);

  return (
    <div className="chart" data-testid="chart">
      <Legend pointed={pointed} digits={digits} />
      {remark && <p className="chart-remark">{remark}</p>}
      <div className="chart-canvas" ref={place} />
    </div>
  );
}

/** The lines of the symbol's positions and waiting orders, as text that stays the same while only their profit moves. */
function useLines(desk: Desk, symbol: string): string {
  const positions = useStore(desk.positions);
  const orders = useStore(desk.orders);
  const lines: Line[] = [];
  for (const position of positions) {
    if (position.symbol !== symbol) continue;
    const { side, open_price, stop_loss, take_profit } = position;
    lines.push({ kind: side, price: Number(open_price), title: `${side} ${quantity(position.quantity)}` });
    if (stop_loss !== null) lines.push({ kind: "stop", price: Number(stop_loss), title: "SL" });
    if (take_profit !== null) lines.push({ kind: "target", price: Number(take_profit), title: "TP" });
  }
  for (const order of orders) {
    const price = order.limit_price ?? order.stop_price;
    if (order.symbol !== symbol || price === null) continue;
    const title = `${order.side} ${TYPE_NAMES[order.type].toLowerCase()} ${quantity(order.quantity)}`;
    lines.push({ kind: "order", price: Number(price), title });
  }
  return JSON.stringify(lines);
}

function Legend({ pointed, digits }: { pointed: Store<Candle | null>; digits: number }) {
  const candle = useStore(pointed);
  if (!candle) return null;
  const tone = candle.close >= candle.open ? "up" : "down";
  return (
    <dl className={`legend ${tone}`}>
      {(["open", "high", "low", "close"] as const).map((part) => (
        <div key={part}>
          <dt>{part.charAt(0).toUpperCase()}</dt>
          <dd>{candle[part].toFixed(digits)}</dd>
        </div>
      ))}
    </dl>
  );
}
