import { describe, expect, test } from "vitest";
import {
  add,
  compare,
  direction,
  isMultiple,
  money,
  multiply,
  parse,
  price,
  quantity,
  signedMoney,
  spread,
  subtract,
  toFixed,
} from "../src/decimal";

function decimal(text: string) {
  const value = parse(text);
  if (!value) throw new Error(`not a decimal: ${text}`);
  return value;
}

describe("parse", () => {
  test.each([
    ["0", 0n, 0],
    ["-12.30", -1230n, 2],
    ["+7", 7n, 0],
    ["0.00000001", 1n, 8],
    ["123456789012345678901234567890", 123456789012345678901234567890n, 0],
  ])("%s", (text, units, scale) => {
    expect(parse(text)).toEqual({ units, scale });
  });

  test.each(["", " 1", "1.", ".5", "1e5", "NaN", "Infinity", "1,000", "--1", "0x10", "1".repeat(31)])(
    "refuses %j",
    (text) => {
      expect(parse(text)).toBeNull();
    },
  );
});

describe("arithmetic", () => {
  test("is exact where floats are not", () => {
    expect(toFixed(add(decimal("0.1"), decimal("0.2")), 2)).toBe("0.30");
    expect(toFixed(subtract(decimal("1.10003"), decimal("1.1")), 8)).toBe("0.00003000");
    expect(toFixed(multiply(decimal("10000"), decimal("1.09543")), 2)).toBe("10954.30");
  });

  test("compares across scales", () => {
    expect(compare(decimal("1.10"), decimal("1.1"))).toBe(0);
    expect(compare(decimal("-2"), decimal("-1.5"))).toBe(-1);
    expect(compare(decimal("0.1"), decimal("0.09999"))).toBe(1);
  });

  test("knows the multiples of a step", () => {
    expect(isMultiple(decimal("0.15"), decimal("0.05"))).toBe(true);
    expect(isMultiple(decimal("0.151"), decimal("0.05"))).toBe(false);
    expect(isMultiple(decimal("1"), decimal("0"))).toBe(false);
  });

  test("rounds halves away from zero", () => {
    expect(["1.005", "-1.005", "1.0049", "-0.004"].map((text) => toFixed(decimal(text), 2))).toEqual([
      "1.01",
      "-1.01",
      "1.00",
      "0.00",
    ]);
    expect(toFixed(decimal("2.5"), 0)).toBe("3");
  });
});

describe("what is shown", () => {
  test("money is grouped and has two places", () => {
    expect(["0", "-1234.5", "100000.00", "999", "1234567.125"].map(money)).toEqual([
      "0.00",
      "-1,234.50",
      "100,000.00",
      "999.00",
      "1,234,567.125",
    ]);
    expect(money("garbage")).toBe("garbage");
  });

  test("gains have a plus, and nothing has no sign", () => {
    expect(["12.3", "-12.3", "0.00"].map(signedMoney)).toEqual(["+12.30", "-12.30", "0.00"]);
    expect(["12.3", "-12.3", "0.00", "?"].map(direction)).toEqual([1, -1, 0, 0]);
  });

  test("quantities have no trailing zeros", () => {
    expect(["10000", "10000.00", "0.10", "100", "1234567.5"].map(quantity)).toEqual([
      "10,000",
      "10,000",
      "0.1",
      "100",
      "1,234,567.5",
    ]);
  });

  test("prices are padded and never rounded", () => {
    expect(price("1.1", 5)).toBe("1.10000");
    expect(price("91234.10000000", 2)).toBe("91234.10");
    expect(price("1.123456", 5)).toBe("1.123456");
    expect(price("7", 0)).toBe("7");
  });

  test("spreads are in pips, or in points where there are none", () => {
    expect(spread("1.09543", "1.09555", 5)).toBe("1.2");
    expect(spread("151.204", "151.213", 3)).toBe("0.9");
    expect(spread("91234.12", "91234.13", 2)).toBe("1");
    expect(spread("2384.1", "2398.1", 2)).toBe("1,400");
    expect(spread("", "1", 2)).toBe("");
  });
});
