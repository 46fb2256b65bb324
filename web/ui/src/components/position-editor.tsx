import { type FormEvent, useState } from "react";
import { Problem, sentence } from "../api";
import { type Fault, NO_PRICES, PROTECTIONS, plain, protectionOf } from "../compose";
import type { Instrument, Position } from "../contract";
import { price, quantity } from "../decimal";
import type { Desk } from "../desk";
import { quantityFault } from "../sizing";
import { close, reverse } from "../trading";
import { Dialog } from "./dialog";
import { Field } from "./ticket-parts";
import { PriceFields } from "./ticket-terms";

interface PositionEditorProps {
  desk: Desk;
  instrument: Instrument;
  position: Position;
  onClose: () => void;
}

/** Changes a position's protections, closes a part of it, or reverses it. */
export function PositionEditor({ desk, instrument, position, onClose }: PositionEditorProps) {
  const { id, side, symbol } = position;
  const [prices, setPrices] = useState(() => ({
    ...NO_PRICES,
    stop_loss: position.stop_loss ?? "",
    take_profit: position.take_profit ?? "",
    trailing_stop: position.trailing_stop ?? "",
  }));
  const [part, setPart] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const faulty = (field: string) => fault?.field === field;

  /** Does what is asked for, says so, and goes; or stays and says why not. */
  async function carryOut(what: () => Promise<string>) {
    setBusy(true);
    setFault(null);
    try {
      desk.say("good", await what());
      onClose();
    } catch (error) {
      const field = error instanceof Problem ? error.field : null;
      setFault({ fault: sentence(error), field: field ?? "" });
      setBusy(false);
    }
  }

  function save(event: FormEvent) {
    event.preventDefault();
    const change = protectionOf(position, prices);
    if ("fault" in change) {
      setFault(change);
      return;
    }
    void carryOut(async () => {
      if (Object.keys(change).length > 0) await desk.api.protect(id, change);
      void desk.refresh();
      return `The protection of your ${symbol} position is changed.`;
    });
  }

  function closePart(event: FormEvent) {
    event.preventDefault();
    const text = plain(part);
    const wrong = quantityFault(instrument, text);
    if (wrong) setFault({ fault: wrong, field: "quantity" });
    else void carryOut(() => close(desk, position, text));
  }

  const title = `${side === "buy" ? "Long" : "Short"} ${quantity(position.quantity)} ${symbol} from ${price(position.open_price, instrument.price_digits)}`;
  return (
    <Dialog title={title} testId="position-editor" onClose={onClose}>
      <form onSubmit={save}>
        <PriceFields
          fields={PROTECTIONS}
          optional
          values={prices}
          testId="position-edit"
          faulty={faulty}
          onChange={(field, value) => setPrices({ ...prices, [field]: value })}
        />
        <button type="submit" className="primary" data-testid="position-edit-save" disabled={busy}>
          Save
        </button>
      </form>
      <form onSubmit={closePart} className="row">
        <Field
          name="Close a part"
          unit={instrument.base}
          testId="position-part-quantity"
          value={part}
          placeholder={`of ${quantity(position.quantity)}`}
          invalid={faulty("quantity")}
          onChange={setPart}
        />
        <button type="submit" data-testid="position-part-close" disabled={busy || part === ""}>
          Close part
        </button>
        <button
          type="button"
          data-testid="position-reverse"
          title={`Close it and ${side === "buy" ? "sell" : "buy"} as much`}
          disabled={busy}
          onClick={() => void carryOut(() => reverse(desk, position))}
        >
          Reverse
        </button>
      </form>
      <p className={`message ${fault ? "bad" : "none"}`} role="status" data-testid="position-edit-message">
        {fault?.fault}
      </p>
    </Dialog>
  );
}
