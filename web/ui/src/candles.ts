/** Candles for drawing: the only place where prices become floats. */
import type { Bar, Timeframe } from "./contract";

/** `time` is the candle's opening in seconds since 1970, UTC. */
export interface Candle {
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

export const SECONDS: Record<Timeframe, number> = {
  M1: 60,
  M5: 300,
  M15: 900,
  H1: 3600,
  H4: 14400,
  D1: 86400,
};

/** The opening time of the candle that a tick at `timeMs` falls in; every timeframe starts at midnight UTC. */
export function openingTime(timeMs: number, timeframe: Timeframe): number {
  const seconds = Math.floor(timeMs / 1000);
  return seconds - (seconds % SECONDS[timeframe]);
}

export function fromBar(bar: Bar): Candle {
  return {
    time: Date.parse(bar.time) / 1000,
    open: Number(bar.open),
    high: Number(bar.high),
    low: Number(bar.low),
    close: Number(bar.close),
  };
}

/** The candle after one more price: `last` moved, or a new one begun; null for a tick older than `last`. */
export function fold(
  last: Candle | undefined,
  price: number,
  timeMs: number,
  timeframe: Timeframe,
): Candle | null {
  const time = openingTime(timeMs, timeframe);
  if (!Number.isFinite(time) || !Number.isFinite(price)) return null;
  if (!last || time > last.time) return { time, open: price, high: price, low: price, close: price };
  if (time < last.time) return null;
  return { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price };
}
