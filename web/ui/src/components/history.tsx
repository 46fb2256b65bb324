import { money, price, quantity, signedMoney } from "../decimal";
import type { Desk } from "../desk";
import { useStore } from "../store";
import { dateAndTime } from "../wording";
import { tone } from "./header";

export function Trades({ desk }: { desk: Desk }) {
  const trades = useStore(desk.trades);
  if (trades.length === 0) return <p className="empty">You have not traded yet.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Symbol</th>
          <th scope="col">Side</th>
          <th scope="col" className="number">
            Quantity
          </th>
          <th scope="col" className="number">
            Price
          </th>
          <th scope="col" className="number">
            Profit
          </th>
          <th scope="col" className="wide">
            Position
          </th>
        </tr>
      </thead>
      <tbody>
        {trades.map((fill) => (
          <tr key={fill.id} data-testid={`trade-row-${fill.id}`}>
            <td className="muted">{dateAndTime(fill.time)}</td>
            <th scope="row">{fill.symbol}</th>
            <td className={fill.side === "buy" ? "up" : "down"}>{fill.side}</td>
            <td className="number">{quantity(fill.quantity)}</td>
            <td className="number">{price(fill.price, desk.digits(fill.symbol))}</td>
            <td className={`number ${tone(fill.profit)}`}>{signedMoney(fill.profit)}</td>
            <td className="wide muted">{fill.position_id}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Ledger({ desk }: { desk: Desk }) {
  const entries = useStore(desk.ledger);
  if (entries.length === 0) return <p className="empty">Nothing has been booked yet.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Kind</th>
          <th scope="col" className="number">
            Amount
          </th>
          <th scope="col" className="number">
            Balance after
          </th>
          <th scope="col" className="wide">
            Reference
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id} data-testid={`ledger-row-${entry.id}`}>
            <td className="muted">{dateAndTime(entry.time)}</td>
            <th scope="row">{entry.kind}</th>
            <td className={`number ${tone(entry.amount)}`} data-value={entry.amount}>
              {signedMoney(entry.amount)} {entry.currency}
            </td>
            <td className="number">{money(entry.balance_after)}</td>
            <td className="wide muted">{entry.reference}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
