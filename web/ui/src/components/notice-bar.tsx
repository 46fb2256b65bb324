import { useEffect } from "react";
import type { Desk } from "../desk";
import { useStore } from "../store";

const SHOWN_MS = 8_000;

/** What happened apart from the ticket: a position closed, a stop loss reached, a server that is away. */
export function NoticeBar({ desk }: { desk: Desk }) {
  const notice = useStore(desk.notice);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => desk.notice.set(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [desk, notice]);
  return (
    <div className="notices" role="status">
      {notice && (
        <p className={`notice ${notice.tone}`} data-testid="notice">
          {notice.text}
          <button type="button" className="quiet" aria-label="Dismiss" onClick={() => desk.notice.set(null)}>
            ✕
          </button>
        </p>
      )}
    </div>
  );
}
