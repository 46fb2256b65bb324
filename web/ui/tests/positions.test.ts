import { expect, test } from "vitest";
import type { Position } from "../src/contract";
import { apply, arrange } from "../src/positions";

function position(id: string, minute: number, change: Partial<Position> = {}): Position {
  return {
    id,
    symbol: "EURUSD",
    side: "buy",
    quantity: "10000",
    open_price: "1.1",
    current_price: "1.1",
    profit: "0.00",
    margin: "366.30",
    stop_loss: null,
    take_profit: null,
    trailing_stop: null,
    opened_at: `2026-01-19T14:${minute}:00Z`,
    status: "open",
    ...change,
  };
}

const OLD = position("1", 30);
const NEW = position("2", 31);

test("the newest is first", () => {
  expect(arrange([OLD, NEW])).toEqual([NEW, OLD]);
  expect(apply([OLD], NEW)).toEqual([NEW, OLD]);
  expect(apply([NEW], OLD)).toEqual([NEW, OLD]);
});

test("a change replaces, in place", () => {
  const moved = { ...OLD, profit: "-3.10" };
  expect(apply([NEW, OLD], moved)).toEqual([NEW, moved]);
});

test("a closed one is gone, and being closed twice is harmless", () => {
  const closed = { ...OLD, status: "closed" as const };
  expect(apply([NEW, OLD], closed)).toEqual([NEW]);
  expect(apply([NEW], closed)).toEqual([NEW]);
});
