import type { Instrument, OrderType, Side } from "../contract";
import { price as padded } from "../decimal";
import { TYPE_NAMES } from "../orders";
import { Moving } from "./moving";

interface FieldProps {
  name: string;
  unit?: string;
  testId: string;
  value: string;
  placeholder?: string;
  invalid: boolean;
  onChange: (value: string) => void;
}

export function Field({ name, unit, testId, value, placeholder, invalid, onChange }: FieldProps) {
  return (
    <label className="field">
      <span>
        {name}
        {unit && <span className="unit"> {unit}</span>}
      </span>
      <input
        data-testid={testId}
        inputMode="decimal"
        autoComplete="off"
        maxLength={24}
        value={value}
        placeholder={placeholder}
        aria-invalid={invalid}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

interface DealButtonProps {
  side: Side;
  type: OrderType;
  price: string | undefined;
  instrument: Instrument;
  busy: Side | null;
  off: boolean;
  onDeal: (side: Side) => void;
}

export function DealButton({ side, type, price, instrument, busy, off, onDeal }: DealButtonProps) {
  const name = side === "buy" ? "Buy" : "Sell";
  const what = type === "market" ? name : `${name} ${TYPE_NAMES[type].toLowerCase()}`;
  return (
    <button
      type="button"
      className={side}
      data-testid={`ticket-${side}`}
      aria-describedby={off ? "ticket-paused" : undefined}
      disabled={off || busy !== null}
      onClick={() => onDeal(side)}
    >
      <span className="deal-side">{busy === side ? "Sending…" : what}</span>
      {price === undefined ? (
        <span className="deal-price">–</span>
      ) : (
        <Moving value={price} className="deal-price">
          <BigFigure text={padded(price, instrument.price_digits)} digits={instrument.price_digits} />
        </Moving>
      )}
    </button>
  );
}

/** 1.09543 with the pips, 54, written large, as dealers read it; other prices plain. */
function BigFigure({ text, digits }: { text: string; digits: number }) {
  if (digits !== 3 && digits !== 5) return text;
  return (
    <>
      {text.slice(0, -3)}
      <b>{text.slice(-3, -1)}</b>
      {text.slice(-1)}
    </>
  );
}
