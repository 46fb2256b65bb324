/** The login of this browser tab, kept over a reload and gone when the tab is closed. */
import type { Session } from "./contract";

const KEY = "hedgerow.session";

export function savedSession(): Session | null {
  try {
    const saved = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
    return typeof saved?.refresh_token === "string" ? saved : null;
  } catch {
    return null;
  }
}

export function saveSession(session: Session | null): void {
  try {
    if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
    else sessionStorage.removeItem(KEY);
  } catch {
    // A browser that forbids storage still has the session in memory.
  }
}
