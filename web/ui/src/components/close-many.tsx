import { useEffect, useState } from "react";
import { sentence } from "../api";
import type { Which } from "../contract";
import type { Desk } from "../desk";
import { closeMany } from "../trading";

const CHOICES: Which[] = ["all", "winners", "losers"];
const ARMED_MS = 4_000;

/** Closes many positions at once. The first press asks, the second does it. */
export function CloseMany({ desk }: { desk: Desk }) {
  const [armed, setArmed] = useState<Which | null>(null);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (armed === null) return;
    const timer = setTimeout(() => setArmed(null), ARMED_MS);
    return () => clearTimeout(timer);
  }, [armed]);

  async function press(which: Which) {
    if (armed !== which) {
      setArmed(which);
      return;
    }
    setArmed(null);
    setBusy(true);
    try {
      desk.say("good", await closeMany(desk, which));
    } catch (error) {
      desk.say("bad", sentence(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <fieldset className="close-many" aria-label="Close many positions">
      {CHOICES.map((which) => (
        <button
          key={which}
          type="button"
          className={`small ${armed === which ? "armed" : ""}`}
          data-testid={`close-${which}`}
          disabled={busy}
          onClick={() => void press(which)}
        >
          {armed === which ? `Really close ${which}?` : `Close ${which}`}
        </button>
      ))}
    </fieldset>
  );
}
