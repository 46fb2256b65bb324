import { describe, expect, test } from "vitest";
import { type Candle, fold, fromBar, openingTime } from "../src/candles";
import type { Timeframe } from "../src/contract";

const at = (text: string) => Date.parse(text);
const seconds = (text: string) => Date.parse(text) / 1000;

const LAST: Candle = { time: seconds("2026-01-19T14:30:00Z"), open: 1.1, high: 1.3, low: 1.0, close: 1.2 };

describe("openingTime", () => {
  test.each<[Timeframe, string]>([
    ["M1", "2026-01-19T14:37:00Z"],
    ["M5", "2026-01-19T14:35:00Z"],
    ["M15", "2026-01-19T14:30:00Z"],
    ["H1", "2026-01-19T14:00:00Z"],
    ["H4", "2026-01-19T12:00:00Z"],
    ["D1", "2026-01-19T00:00:00Z"],
  ])("%s", (timeframe, opening) => {
    expect(openingTime(at("2026-01-19T14:37:59.999Z"), timeframe)).toBe(seconds(opening));
  });
});

test("a bar of the API becomes a candle", () => {
  const bar = { time: "2026-01-19T14:30:00Z", open: "1.1", high: "1.3", low: "1.0", close: "1.2" };
  expect(fromBar(bar)).toEqual(LAST);
});

describe("fold", () => {
  test("begins with the first price", () => {
    expect(fold(undefined, 1.5, at("2026-01-19T14:30:12Z"), "M1")).toEqual({
      time: seconds("2026-01-19T14:30:00Z"),
      open: 1.5,
      high: 1.5,
      low: 1.5,
      close: 1.5,
    });
  });

  test("stretches the running candle and moves its close", () => {
    const higher = fold(LAST, 1.4, at("2026-01-19T14:30:20Z"), "M1");
    expect(higher).toEqual({ ...LAST, high: 1.4, close: 1.4 });
    expect(fold(higher ?? undefined, 0.9, at("2026-01-19T14:30:59.999Z"), "M1")).toEqual({
      ...LAST,
      high: 1.4,
      low: 0.9,
      close: 0.9,
    });
  });

  test("begins a new candle at its first tick, after a pause as well", () => {
    const opened = { open: 1.25, high: 1.25, low: 1.25, close: 1.25 };
    expect(fold(LAST, 1.25, at("2026-01-19T14:31:00Z"), "M1")).toEqual({
      time: seconds("2026-01-19T14:31:00Z"),
      ...opened,
    });
    expect(fold(LAST, 1.25, at("2026-01-19T16:02:10Z"), "M1")).toEqual({
      time: seconds("2026-01-19T16:02:00Z"),
      ...opened,
    });
  });

  test("leaves out what is older than the candle, and garbage", () => {
    expect(fold(LAST, 9, at("2026-01-19T14:29:59Z"), "M1")).toBeNull();
    expect(fold(LAST, Number.NaN, at("2026-01-19T14:30:20Z"), "M1")).toBeNull();
    expect(fold(LAST, 1.2, at("not a time"), "M1")).toBeNull();
  });

  test("does not change the candle it was given", () => {
    const before = { ...LAST };
    fold(LAST, 2, at("2026-01-19T14:30:20Z"), "M1");
    expect(LAST).toEqual(before);
  });
});
