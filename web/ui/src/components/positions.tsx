import { useState } from "react";
import { sentence } from "../api";
import type { Position } from "../contract";
import { money, price, quantity, signedMoney } from "../decimal";
import type { Desk } from "../desk";
import { useStore } from "../store";
import { close } from "../trading";
import { dateAndTime, shortTime } from "../wording";
import { type Column, Head, SideCell } from "./columns";
import { tone } from "./header";
import { Moving } from "./moving";
import { PositionEditor } from "./position-editor";

const COLUMNS: readonly Column[] = [
  ["Symbol"],
  ["Side"],
  ["Quantity", "number"],
  ["Open", "number"],
  ["Now", "number"],
  ["Stop loss", "number wide"],
  ["Take profit", "number wide"],
  ["Margin", "number wide"],
  ["Profit", "number"],
  ["Opened (UTC)", "wide"],
];

export function Positions({ desk }: { desk: Desk }) {
  const positions = useStore(desk.positions);
  const [editing, setEditing] = useState<string | null>(null);
  const edited = positions.find((position) => position.id === editing);
  const instrument = edited && desk.instrument(edited.symbol);
  if (positions.length === 0) {
    return (
      <p className="empty" data-testid="positions-empty">
        You have no open positions. Choose a symbol and press Buy or Sell to open one.
      </p>
    );
  }
  return (
    <>
      <table>
        <Head columns={COLUMNS} actions="Edit or close" />
        <tbody>
          {positions.map((position) => (
            <Row key={position.id} desk={desk} position={position} onEdit={() => setEditing(position.id)} />
          ))}
        </tbody>
      </table>
      {edited && instrument && (
        <PositionEditor
          desk={desk}
          instrument={instrument}
          position={edited}
          onClose={() => setEditing(null)}
        />
      )}
    </>
  );
}

interface RowProps {
  desk: Desk;
  position: Position;
  onEdit: () => void;
}

function Row({ desk, position, onEdit }: RowProps) {
  const [busy, setBusy] = useState(false);
  const { id, symbol, side, profit } = position;
  const digits = desk.digits(symbol);
  const level = (value: string | null) => (value === null ? "–" : price(value, digits));

  async function closeIt() {
    setBusy(true);
    try {
      desk.say("good", await close(desk, position));
    } catch (error) {
      desk.say("bad", sentence(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <tr data-testid={`position-row-${id}`}>
      <th scope="row">{symbol}</th>
      <SideCell side={side} />
      <td className="number">{quantity(position.quantity)}</td>
      <td className="number">{price(position.open_price, digits)}</td>
      <td className="number">
        <Moving value={position.current_price}>{price(position.current_price, digits)}</Moving>
      </td>
      <td className="number wide" data-testid={`position-stop-loss-${id}`}>
        {position.stop_loss === null && position.trailing_stop !== null ? null : level(position.stop_loss)}
        {position.trailing_stop !== null && <small> trails {level(position.trailing_stop)}</small>}
      </td>
      <td className="number wide">{level(position.take_profit)}</td>
      <td className="number wide">{money(position.margin)}</td>
      <td
        className={`number profit ${tone(profit)}`}
        data-testid={`position-profit-${id}`}
        data-value={profit}
      >
        {signedMoney(profit)}
      </td>
      <td className="wide muted">
        <abbr title={`${dateAndTime(position.opened_at)} UTC`}>{shortTime(position.opened_at)}</abbr>
      </td>
      <td className="end">
        <button
          type="button"
          className="small"
          data-testid={`position-edit-${id}`}
          aria-label={`Edit ${side} ${quantity(position.quantity)} ${symbol}`}
          onClick={onEdit}
        >
          Edit
        </button>{" "}
        <button
          type="button"
          className="small"
          data-testid={`position-close-${id}`}
          aria-label={`Close ${side} ${quantity(position.quantity)} ${symbol}`}
          disabled={busy}
          onClick={closeIt}
        >
          {busy ? "Closing…" : "Close"}
        </button>
      </td>
    </tr>
  );
}
