import type { Desk } from "../desk";
import { useStore } from "../store";
import { Blotter } from "./blotter";
import { Header } from "./header";
import { NoticeBar } from "./notice-bar";
import { PriceChart } from "./price-chart";
import { NoAccount, Ticket } from "./ticket";
import { Watchlist } from "./watchlist";

interface TerminalProps {
  desk: Desk;
  onLogout: () => void;
}

export function Terminal({ desk, onLogout }: TerminalProps) {
  const symbol = useStore(desk.selected);
  const instruments = useStore(desk.instruments);
  const instrument = instruments.find((candidate) => candidate.symbol === symbol);
  const trades = desk.session.account_id !== null;
  return (
    <div className="terminal">
      <Header desk={desk} onLogout={onLogout} />
      <main className={trades ? "desk" : "desk without-account"}>
        <Watchlist desk={desk} />
        <PriceChart desk={desk} instrument={instrument} />
        {trades ? <Ticket desk={desk} instrument={instrument} /> : <NoAccount desk={desk} />}
        {trades && <Blotter desk={desk} />}
      </main>
      <NoticeBar desk={desk} />
      <nav className="jump" aria-label="Parts of the page">
        <a href="#prices">Prices</a>
        <a href="#chart">Chart</a>
        <a href="#trade">Trade</a>
        {trades && <a href="#account">Account</a>}
      </nav>
    </div>
  );
}
