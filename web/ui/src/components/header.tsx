import { direction, money, signedMoney } from "../decimal";
import type { Desk } from "../desk";
import { useStore } from "../store";
import type { StreamState } from "../stream";
import { Logo } from "./logo";
import { Moving } from "./moving";

const CONNECTION: Record<StreamState, string> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  stopped: "Not connected",
};

const BADGES = { margin_call: "Margin call", stop_out: "Stop-out" };

interface HeaderProps {
  desk: Desk;
  onLogout: () => void;
}

export function Header({ desk, onLogout }: HeaderProps) {
  const connection = useStore(desk.connection);
  return (
    <header className="header">
      <Logo />
      {desk.session.account_id !== null && <AccountBar desk={desk} />}
      <div className="header-end">
        <span className="connection" role="status" data-testid="connection-status" data-state={connection}>
          {CONNECTION[connection]}
        </span>
        <span className="user">{desk.session.username}</span>
        <button type="button" className="quiet" data-testid="logout" onClick={onLogout}>
          Log out
        </button>
      </div>
    </header>
  );
}

function AccountBar({ desk }: { desk: Desk }) {
  const account = useStore(desk.account);
  if (!account) return <p className="account-bar muted">Loading the account…</p>;
  const { balance, equity, open_profit: profit, margin, free_margin: free, margin_level: level } = account;
  return (
    <dl className="account-bar" aria-label={`Account ${account.account_id} in ${account.currency}`}>
      <Figure name="Balance" value={balance} testId="account-balance" unit={account.currency} />
      <Figure name="Equity" value={equity} testId="account-equity" />
      <div>
        <dt>Open profit</dt>
        <dd data-testid="account-open-profit" data-value={profit} className={tone(profit)}>
          {signedMoney(profit)}
        </dd>
      </div>
      <div>
        <dt>Margin</dt>
        <dd data-testid="account-margin" data-value={margin}>
          {money(margin)}
        </dd>
      </div>
      <Figure name="Free margin" value={free} testId="account-free-margin" />
      <div>
        <dt>Margin level</dt>
        <dd data-testid="account-margin-level" data-value={level ?? ""}>
          {level === null ? "–" : `${money(level)}%`}
          <MarginBadge desk={desk} />
        </dd>
      </div>
    </dl>
  );
}

/** Stays as long as the account's margin is called, or it is stopped out. */
function MarginBadge({ desk }: { desk: Desk }) {
  const status = useStore(desk.marginStatus);
  return (
    <span role="alert" data-testid="margin-alert" data-status={status}>
      {status !== "normal" && <strong className="badge">{BADGES[status]}</strong>}
    </span>
  );
}

interface FigureProps {
  name: string;
  value: string;
  testId: string;
  unit?: string;
}

function Figure({ name, value, testId, unit }: FigureProps) {
  return (
    <div>
      <dt>
        {name}
        {unit && <span className="unit"> {unit}</span>}
      </dt>
      <dd>
        <Moving value={value} testId={testId}>
          {money(value)}
        </Moving>
      </dd>
    </div>
  );
}

/** The class that colours a gain or a loss. */
export function tone(amount: string): string {
  const way = direction(amount);
  return way > 0 ? "up" : way < 0 ? "down" : "";
}
