/**
 * Exact decimals for prices, quantities and money: a bigint of `units` at 10^-`scale`.
 * The API sends decimals as text and they are shown without ever passing through a float.
 */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const PATTERN = /^([+-]?)(\d{1,30})(?:\.(\d{1,30}))?$/;

/** The decimal that `text` writes, or null where it is not one. No exponents, signs of grouping or blanks. */
export function parse(text: string): Decimal | null {
  const match = PATTERN.exec(text);
  if (!match) return null;
  const [, sign = "", whole = "", fraction = ""] = match;
  const units = BigInt(whole + fraction);
  return { units: sign === "-" ? -units : units, scale: fraction.length };
}

function at(value: Decimal, scale: number): bigint {
  return value.units * 10n ** BigInt(scale - value.scale);
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { units: at(a, scale) + at(b, scale), scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, { units: -b.units, scale: b.scale });
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

/** Negative, zero or positive, as a is below, equal to or above b. */
export function compare(a: Decimal, b: Decimal): number {
  const { units } = subtract(a, b);
  return units < 0n ? -1 : units > 0n ? 1 : 0;
}

export function isMultiple(value: Decimal, step: Decimal): boolean {
  const scale = Math.max(value.scale, step.scale);
  const unit = at(step, scale);
  return unit !== 0n && at(value, scale) % unit === 0n;
}

/** Plain text with exactly `places` decimals, halves rounded away from zero. */
export function toFixed(value: Decimal, places: number): string {
  const negative = value.units < 0n;
  let digits = negative ? -value.units : value.units;
  if (value.scale > places) {
    const divisor = 10n ** BigInt(value.scale - places);
    digits = (digits + divisor / 2n) / divisor;
  } else {
    digits *= 10n ** BigInt(places - value.scale);
  }
  const text = digits.toString().padStart(places + 1, "0");
  const whole = text.slice(0, text.length - places);
  const sign = negative && digits !== 0n ? "-" : "";
  return places === 0 ? sign + whole : `${sign}${whole}.${text.slice(-places)}`;
}

function group(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Money with thousands separators and two places at least: "-1234.5" becomes "-1,234.50". */
export function money(text: string): string {
  const value = parse(text);
  return value ? group(toFixed(value, Math.max(2, value.scale))) : text;
}

/** As `money`, with a plus before a gain. */
export function signedMoney(text: string): string {
  return (direction(text) > 0 ? "+" : "") + money(text);
}

/** A quantity with thousands separators and no trailing zeros: "10000.00" becomes "10,000". */
export function quantity(text: string): string {
  if (!parse(text)) return text;
  return group(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}

/** A price padded to the instrument's digits. More digits than that are shown, never rounded away. */
export function price(text: string, digits: number): string {
  const value = parse(text);
  if (!value) return text;
  const trimmed = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  const significant = trimmed.split(".")[1]?.length ?? 0;
  return toFixed(value, Math.max(digits, significant));
}

/**
 * The spread in pips where the instrument is quoted in tenths of a pip (3 or 5 digits), to one place;
 * otherwise in points, the last digit of the price.
 */
export function spread(bid: string, ask: string, digits: number): string {
  const low = parse(bid);
  const high = parse(ask);
  if (!low || !high) return "";
  const places = digits === 3 || digits === 5 ? 1 : 0;
  const { units, scale } = subtract(high, low);
  const points = { units: units * 10n ** BigInt(digits - places), scale };
  return group(toFixed(points, places));
}

/** -1, 0 or 1: the sign of the amount; 0 for text that is not a decimal. */
export function direction(text: string): number {
  const value = parse(text);
  return value ? (value.units < 0n ? -1 : value.units > 0n ? 1 : 0) : 0;
}
