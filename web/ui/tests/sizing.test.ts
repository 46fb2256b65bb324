import { expect, test } from "vitest";
import type { Instrument } from "../src/contract";
import { quantityFault, usualQuantities, usualQuantity } from "../src/sizing";

const EURUSD: Instrument = {
  symbol: "EURUSD",
  base: "EUR",
  quote: "USD",
  description: "Euro vs US dollar",
  price_digits: 5,
  quantity_min: "1",
  quantity_max: "10000000",
  quantity_step: "1",
  margin_rate: "0.0333",
  bid: null,
  ask: null,
  time: null,
  seq: null,
  live: false,
};
const BTCUSDT: Instrument = {
  ...EURUSD,
  base: "BTC",
  quantity_min: "0.00001",
  quantity_max: "100",
  quantity_step: "0.00001",
};

test("the usual quantity is ten thousand of a currency, and a coin's worth about that", () => {
  expect(usualQuantity(EURUSD, "1.1")).toBe("10000");
  expect(usualQuantity(EURUSD, null)).toBe("10000");
  expect(usualQuantity(BTCUSDT, "91234.12")).toBe("0.1");
  expect(usualQuantity(BTCUSDT, "187.2")).toBe("10");
});

test("a coin without a price begins with its smallest quantity", () => {
  expect(usualQuantity(BTCUSDT, null)).toBe("0.00001");
});

test("the choices keep within the limits", () => {
  expect(usualQuantities(EURUSD, "1.1")).toEqual(["1000", "10000", "100000"]);
  expect(usualQuantities(BTCUSDT, "91234.12")).toEqual(["0.01", "0.1", "1"]);
  expect(usualQuantities({ ...EURUSD, quantity_max: "20000" }, "1.1")).toEqual(["1000", "10000", "20000"]);
});

test("a fault is told in a sentence", () => {
  expect(quantityFault(EURUSD, "10000")).toBeNull();
  expect(quantityFault(BTCUSDT, "0.12345")).toBeNull();
  expect(quantityFault(EURUSD, "1e4")).toBe("The quantity must be a plain number, such as 10000.");
  expect(quantityFault(EURUSD, "")).toBe("The quantity must be a plain number, such as 10000.");
  expect(quantityFault(EURUSD, "0")).toBe("The smallest quantity is 1 EUR.");
  expect(quantityFault(EURUSD, "-5")).toBe("The smallest quantity is 1 EUR.");
  expect(quantityFault(EURUSD, "10000001")).toBe("The largest quantity is 10,000,000 EUR.");
  expect(quantityFault(EURUSD, "1.5")).toBe("The quantity must be a multiple of 1 EUR.");
});
