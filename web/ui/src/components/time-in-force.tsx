import type { OrderType, TimeInForce } from "../contract";
import { TIME_NAMES, timesFor } from "../orders";

interface TimeFieldsProps {
  type: OrderType;
  time: TimeInForce;
  expires: string;
  testId: string;
  /** Those of a waiting order: it cannot become one for at once. */
  waiting?: boolean;
  invalid: boolean;
  onTime: (time: TimeInForce) => void;
  onExpires: (expires: string) => void;
}

/** How long an order stands, and for one with an end, until when. */
export function TimeFields(props: TimeFieldsProps) {
  const { type, time, expires, testId, waiting = false, invalid, onTime, onExpires } = props;
  const times = timesFor(waiting ? "stop" : type);
  const chosen = times.includes(time) ? time : "gtc";
  return (
    <>
      <label className="field">
        <span>Stands</span>
        <select
          data-testid={`${testId}-time`}
          value={chosen}
          onChange={(event) => onTime(event.target.value as TimeInForce)}
        >
          {times.map((choice) => (
            <option key={choice} value={choice}>
              {TIME_NAMES[choice]}
            </option>
          ))}
        </select>
      </label>
      {chosen === "gtd" && (
        <label className="field">
          <span>
            Until <span className="unit">UTC</span>
          </span>
          <input
            type="datetime-local"
            data-testid={`${testId}-expires`}
            value={expires}
            aria-invalid={invalid}
            onChange={(event) => onExpires(event.target.value)}
          />
        </label>
      )}
    </>
  );
}
