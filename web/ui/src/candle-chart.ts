/** TradingView's chart, dressed for this page. */
import {
  type CandlestickData,
  CandlestickSeries,
  ColorType,
  createChart,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineStyle,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Candle } from "./candles";
import type { Store } from "./store";

const UP = "#2fb389";
const DOWN = "#ea5f6d";
const GRID = "#161d24";
const BORDER = "#222c35";
const TEXT = "#8b98a5";
const LINE_COLORS = { buy: UP, sell: DOWN, stop: "#d9a03f", target: "#5d9bd8", order: "#a58bd6" };
const VISIBLE_CANDLES = 110;

export interface Line {
  kind: keyof typeof LINE_COLORS;
  price: number;
  title: string;
}

function toData(candle: Candle): CandlestickData<UTCTimestamp> {
  return { ...candle, time: candle.time as UTCTimestamp };
}

export class CandleChart {
  private readonly chart: IChartApi;
  private readonly series: ISeriesApi<"Candlestick">;
  private lines: IPriceLine[] = [];
  private ask: IPriceLine | null = null;
  private subject = "";
  private last: Candle | null = null;
  private pointing = false;

  /** `pointed` holds the candle under the pointer, or the last one. */
  constructor(
    place: HTMLElement,
    private readonly pointed: Store<Candle | null>,
  ) {
    this.chart = createChart(place, {
      autoSize: true,
      layout: {
        background: { type: ColorType.Solid, color: "transparent" },
        textColor: TEXT,
        fontFamily: getComputedStyle(document.body).fontFamily,
        fontSize: 11,
      },
      crosshair: { horzLine: { labelBackgroundColor: BORDER }, vertLine: { labelBackgroundColor: BORDER } },
      grid: { vertLines: { color: GRID }, horzLines: { color: GRID } },
      rightPriceScale: { borderColor: BORDER, scaleMargins: { top: 0.12, bottom: 0.08 } },
      timeScale: { borderColor: BORDER, timeVisible: true, secondsVisible: false, rightOffset: 4 },
      // A finger that moves up or down on a phone scrolls the page.
      handleScroll: { vertTouchDrag: false },
    });
    this.series = this.chart.addSeries(CandlestickSeries, {
      upColor: UP,
      downColor: DOWN,
      wickUpColor: UP,
      wickDownColor: DOWN,
      borderVisible: false,
    });
    this.chart.subscribeCrosshairMove(({ seriesData }) => {
      const candle = seriesData.get(this.series) as CandlestickData<UTCTimestamp> | undefined;
      this.pointing = candle !== undefined;
      this.pointed.set(candle ?? this.last);
    });
  }

  /** What follows belongs to `subject`; a new subject clears the chart, the same one keeps its view. */
  begin(subject: string, digits: number): void {
    if (subject === this.subject) return;
    this.subject = subject;
    this.series.setData([]);
    this.removeAsk();
    this.last = null;
    this.pointed.set(null);
    this.series.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
    this.chart.priceScale("right").applyOptions({ autoScale: true });
  }

  show(candles: Candle[]): void {
    const first = this.last === null;
    this.series.setData(candles.map(toData));
    this.last = candles.at(-1) ?? null;
    if (!this.pointing) this.pointed.set(this.last);
    if (first) {
      this.chart
        .timeScale()
        .setVisibleLogicalRange({ from: candles.length - VISIBLE_CANDLES, to: candles.length + 4 });
    }
  }

  update(candle: Candle, ask: number): void {
    this.series.update(toData(candle));
    this.last = candle;
    if (!this.pointing) this.pointed.set(candle);
    if (this.ask) {
      this.ask.applyOptions({ price: ask });
    } else {
      this.ask = this.series.createPriceLine({
        price: ask,
        color: "#4b5864",
        lineStyle: LineStyle.Dotted,
        lineWidth: 1,
        title: "ask",
      });
    }
  }

  showLines(lines: Line[]): void {
    for (const line of this.lines) this.series.removePriceLine(line);
    this.lines = lines.map(({ kind, price, title }) =>
      this.series.createPriceLine({
        price,
        title,
        color: LINE_COLORS[kind],
        lineStyle: LineStyle.Dashed,
        lineWidth: 1,
      }),
    );
  }

  remove(): void {
    this.chart.remove();
  }

  private removeAsk(): void {
    if (this.ask) this.series.removePriceLine(this.ask);
    this.ask = null;
  }
}
