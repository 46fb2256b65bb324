import { type KeyboardEvent, useState } from "react";
import type { Desk } from "../desk";
import { useStore } from "../store";
import { CloseMany } from "./close-many";
import { Ledger, Trades } from "./history";
import { Orders } from "./orders";
import { Positions } from "./positions";

const TABS = ["positions", "orders", "trades", "ledger"] as const;
type Tab = (typeof TABS)[number];

const NAMES: Record<Tab, string> = {
  positions: "Positions",
  orders: "Orders",
  trades: "Trades",
  ledger: "Ledger",
};
const PANELS = { positions: Positions, orders: Orders, trades: Trades, ledger: Ledger };

export function Blotter({ desk }: { desk: Desk }) {
  const [shown, setShown] = useState<Tab>("positions");
  const open = useStore(desk.positions).length;
  const waiting = useStore(desk.orders).length;
  const counts: Partial<Record<Tab, number>> = { positions: open, orders: waiting };
  const Panel = PANELS[shown];

  function move(event: KeyboardEvent<HTMLDivElement>) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = TABS[(TABS.indexOf(shown) + step + TABS.length) % TABS.length] ?? "positions";
    setShown(next);
    document.getElementById(`tab-${next}`)?.focus();
  }

  return (
    <section className="panel blotter" id="account" aria-label="Positions, orders and history">
      <div className="tab-bar">
        <div className="tabs" role="tablist" onKeyDown={move}>
          {TABS.map((tab) => (
            <button
              key={tab}
              type="button"
              role="tab"
              id={`tab-${tab}`}
              data-testid={`tab-${tab}`}
              aria-selected={tab === shown}
              aria-controls="blotter-panel"
              tabIndex={tab === shown ? 0 : -1}
              onClick={() => setShown(tab)}
            >
              {NAMES[tab]}
              {(counts[tab] ?? 0) > 0 && <span className="count">{counts[tab]}</span>}
            </button>
          ))}
        </div>
        {shown === "positions" && open > 0 && <CloseMany desk={desk} />}
      </div>
      <div className="scroll" role="tabpanel" id="blotter-panel" aria-labelledby={`tab-${shown}`}>
        <Panel desk={desk} />
      </div>
    </section>
  );
}
