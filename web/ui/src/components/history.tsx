import { money, price, quantity, signedMoney } from "../decimal";
import type { Desk } from "../desk";
import { useStore } from "../store";
import { dateAndTime } from "../wording";
import { type Column, Head, SideCell } from "./columns";
import { tone } from "./header";

const TRADE_COLUMNS: readonly Column[] = [
  ["Time (UTC)"],
  ["Symbol"],
  ["Side"],
  ["Quantity", "number"],
  ["Price", "number"],
  ["Profit", "number"],
  ["Position", "wide"],
];

const LEDGER_COLUMNS: readonly Column[] = [
  ["Time (UTC)"],
  ["Kind"],
  ["Amount", "number"],
  ["Balance after", "number"],
  ["Reference", "wide"],
];

export function Trades({ desk }: { desk: Desk }) {
  const trades = useStore(desk.trades);
  if (trades.length === 0) return <p className="empty">You have not traded yet.</p>;
  return (
    <table>
      <Head columns={TRADE_COLUMNS} />
      <tbody>
        {trades.map((fill) => (
          <tr key={fill.id} data-testid={`trade-row-${fill.id}`}>
            <td className="muted">{dateAndTime(fill.time)}</td>
            <th scope="row">{fill.symbol}</th>
            <SideCell side={fill.side} />
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
      <Head columns={LEDGER_COLUMNS} />
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
