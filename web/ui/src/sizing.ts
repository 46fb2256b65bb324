/** What a person may type into the ticket's quantity, and what it begins with. */
import type { Instrument } from "./contract";
import { compare, type Decimal, isMultiple, multiply, parse, quantity, toFixed } from "./decimal";

const ONE = { units: 1n, scale: 0 };
const USUAL_UNITS = { units: 10_000n, scale: 0 };

/**
 * Ten thousand of a currency; of a coin the power of ten that is worth about as many of the quote currency.
 * Kept within the instrument's limits.
 */
export function usualQuantity(instrument: Instrument, ask: string | null): string {
  const step = parse(instrument.quantity_step) ?? ONE;
  if (compare(step, ONE) >= 0) return clamp(instrument, USUAL_UNITS);
  const price = ask === null ? null : parse(ask);
  if (!price) return instrument.quantity_min;
  let usual: Decimal = USUAL_UNITS;
  while (usual.scale < 8 && compare(multiply(usual, price), USUAL_UNITS) > 0) usual = tenth(usual);
  return clamp(instrument, usual);
}

/** The usual quantity and its neighbours, for one-touch choice. */
export function usualQuantities(instrument: Instrument, ask: string | null): string[] {
  const usual = parse(usualQuantity(instrument, ask)) ?? ONE;
  const choices = [tenth(usual), usual, tenfold(usual)];
  return [...new Set(choices.map((choice) => clamp(instrument, choice)))];
}

/** The sentence that tells what is wrong with the text of a quantity; null where nothing is. */
export function quantityFault(instrument: Instrument, text: string): string | null {
  const value = parse(text);
  if (!value) return "The quantity must be a plain number, such as 10000.";
  const { quantity_min: min, quantity_max: max, quantity_step: step, base } = instrument;
  if (compare(value, parse(min) ?? ONE) < 0) return `The smallest quantity is ${quantity(min)} ${base}.`;
  if (compare(value, parse(max) ?? value) > 0) return `The largest quantity is ${quantity(max)} ${base}.`;
  if (!isMultiple(value, parse(step) ?? ONE))
    return `The quantity must be a multiple of ${quantity(step)} ${base}.`;
  return null;
}

function tenth({ units, scale }: Decimal): Decimal {
  return units % 10n === 0n ? { units: units / 10n, scale } : { units, scale: scale + 1 };
}

function tenfold({ units, scale }: Decimal): Decimal {
  return scale > 0 ? { units, scale: scale - 1 } : { units: units * 10n, scale };
}

function clamp(instrument: Instrument, value: Decimal): string {
  const min = parse(instrument.quantity_min) ?? value;
  const max = parse(instrument.quantity_max) ?? value;
  const kept = compare(value, min) < 0 ? min : compare(value, max) > 0 ? max : value;
  return toFixed(kept, kept.scale);
}
