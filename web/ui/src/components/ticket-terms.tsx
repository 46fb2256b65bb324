import type { OrderType } from "../contract";
import { NEEDS, PRICE_NAMES, type PriceField, TYPE_NAMES, takesBound } from "../orders";
import { Field } from "./ticket-parts";

const USUAL: OrderType[] = ["market", "limit", "stop"];
const OTHERS: OrderType[] = ["stop_limit", "market_if_touched", "trailing_stop"];

interface TypePickerProps {
  type: OrderType;
  onChange: (type: OrderType) => void;
}

/** The usual types as buttons, the others behind a list. */
export function TypePicker({ type, onChange }: TypePickerProps) {
  const isOther = OTHERS.includes(type);
  return (
    <fieldset className="types" aria-label="Order type">
      {USUAL.map((choice) => (
        <button
          key={choice}
          type="button"
          data-testid={`ticket-type-${choice}`}
          aria-pressed={choice === type}
          onClick={() => onChange(choice)}
        >
          {TYPE_NAMES[choice]}
        </button>
      ))}
      <select
        data-testid="ticket-type-more"
        aria-label="Other order types"
        className={isOther ? "chosen" : ""}
        value={isOther ? type : ""}
        onChange={(event) => onChange(event.target.value as OrderType)}
      >
        <option value="" disabled hidden>
          More
        </option>
        {OTHERS.map((choice) => (
          <option key={choice} value={choice}>
            {TYPE_NAMES[choice]}
          </option>
        ))}
      </select>
    </fieldset>
  );
}

interface PriceFieldsProps {
  fields: readonly PriceField[];
  /** Those that may be left empty say so. */
  optional: boolean;
  values: Record<PriceField, string>;
  testId: string;
  faulty: (field: string) => boolean;
  onChange: (field: PriceField, value: string) => void;
}

export function PriceFields({ fields, optional, values, testId, faulty, onChange }: PriceFieldsProps) {
  if (fields.length === 0) return null;
  return (
    <div className="pair">
      {fields.map((field) => (
        <Field
          key={field}
          name={PRICE_NAMES[field]}
          testId={`${testId}-${field.replaceAll("_", "-")}`}
          value={values[field]}
          {...(optional && { placeholder: "none" })}
          invalid={faulty(field)}
          onChange={(value) => onChange(field, value)}
        />
      ))}
    </div>
  );
}

interface MoreTermsProps extends Omit<PriceFieldsProps, "fields" | "optional" | "testId"> {
  type: OrderType;
  reduceOnly: boolean;
  oco: string;
  onReduceOnly: (reduceOnly: boolean) => void;
  onOco: (oco: string) => void;
}

/** What is seldom wanted. */
export function MoreTerms({ type, reduceOnly, oco, onReduceOnly, onOco, ...prices }: MoreTermsProps) {
  const fields: PriceField[] = takesBound(type) ? ["trailing_stop", "price_bound"] : ["trailing_stop"];
  return (
    <details className="more">
      <summary data-testid="ticket-more">More terms</summary>
      <PriceFields fields={fields} optional testId="ticket" {...prices} />
      {NEEDS[type].length > 0 && (
        <label className="field">
          <span>
            <abbr title="Orders with the same mark: when one is filled, the others are cancelled">
              One cancels the others: mark
            </abbr>
          </span>
          <input
            data-testid="ticket-oco"
            autoComplete="off"
            maxLength={32}
            value={oco}
            placeholder="none"
            aria-invalid={prices.faulty("oco")}
            onChange={(event) => onOco(event.target.value)}
          />
        </label>
      )}
      <label className="check">
        <input
          type="checkbox"
          data-testid="ticket-reduce-only"
          checked={reduceOnly}
          onChange={(event) => onReduceOnly(event.target.checked)}
        />
        Only reduce what is open
      </label>
    </details>
  );
}
