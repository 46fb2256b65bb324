/** One symbol and timeframe on the chart: its history from the API, then its ticks. */
import { sentence } from "./api";
import type { CandleChart } from "./candle-chart";
import { type Candle, fold, fromBar } from "./candles";
import type { Timeframe } from "./contract";
import type { Desk } from "./desk";

const BARS = 500;

export class LiveCandles {
  private last: Candle | undefined;
  private stopped = false;
  private readonly unwatch: () => void;
  private loaded = false;

  /** `remark` is told what to write over the chart; "" for nothing. */
  constructor(
    private readonly desk: Desk,
    private readonly symbol: string,
    private readonly timeframe: Timeframe,
    digits: number,
    private readonly chart: CandleChart,
    private readonly remark: (text: string) => void,
  ) {
    chart.begin(`${symbol} ${timeframe}`, digits);
    this.unwatch = desk.tick(symbol).watch(() => this.draw());
    void this.load();
  }

  stop(): void {
    this.stopped = true;
    this.unwatch();
  }

  private async load(): Promise<void> {
    let candles: Candle[] = [];
    let remark = "";
    try {
      candles = (await this.desk.api.bars(this.symbol, this.timeframe, BARS)).map(fromBar);
      if (candles.length === 0) remark = "There is no history yet; the chart begins with the next price.";
    } catch (error) {
      remark = `The history could not be loaded. ${sentence(error)}`;
    }
    if (this.stopped) return;
    this.chart.show(candles);
    this.last = candles.at(-1);
    this.loaded = true;
    this.remark(remark);
    this.draw();
  }

  private draw(): void {
    const tick = this.desk.tick(this.symbol).get();
    if (!this.loaded || !tick?.live) return;
    const next = fold(this.last, Number(tick.bid), Date.parse(tick.time), this.timeframe);
    if (!next) return;
    this.last = next;
    this.chart.update(next, Number(tick.ask));
    this.remark("");
  }
}
