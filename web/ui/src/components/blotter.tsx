import { type KeyboardEvent, useState } from "react";
import type { Desk } from "../desk";
import { useStore } from "../store";
import { Ledger, Trades } from "./history";
import { Positions } from "./positions";

const TABS = ["positions", "trades", "ledger"] as const;
type Tab = (typeof TABS)[number];

const NAMES: Record<Tab, string> = { positions: "Positions", trades: "Trades", ledger: "Ledger" };
const PANELS = { positions: Positions, trades: Trades, ledger: Ledger };

export function Blotter({ desk }: { desk: Desk }) {
  const [shown, setShown] = useState<Tab>("positions");
  const open = useStore(desk.positions).length;
  const Panel = PANELS[shown];

  function move(event: KeyboardEvent<HTMLDivElement>) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = TABS[(TABS.indexOf(shown) + step + TABS.length) % TABS.length] ?? "positions";
    setShown(next);
    document.getElementById(`tab-${next}`)?.focus();
  }

  return (
    <section className="panel blotter" id="account" aria-label="Positions and history">
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
            {tab === "positions" && open > 0 && <span className="count">{open}</span>}
          </button>
        ))}
      </div>
      <div className="scroll" role="tabpanel" id="blotter-panel" aria-labelledby={`tab-${shown}`}>
        <Panel desk={desk} />
      </div>
    </section>
  );
}
