import { useEffect, useState } from "react";
import { Login } from "./components/login";
import { Terminal } from "./components/terminal";
import type { Session } from "./contract";
import { Desk } from "./desk";
import { savedSession, saveSession } from "./session";

export function App() {
  const [session, setSession] = useState(savedSession);
  const [farewell, setFarewell] = useState<string | null>(null);

  function enter(next: Session) {
    saveSession(next);
    setFarewell(null);
    setSession(next);
  }

  function leave(sentence: string | null) {
    saveSession(null);
    setFarewell(sentence);
    setSession(null);
  }

  if (!session) return <Login farewell={farewell} onLogin={enter} />;
  return <Trading key={session.access_token} session={session} onLeave={leave} />;
}

interface TradingProps {
  session: Session;
  onLeave: (sentence: string | null) => void;
}

function Trading({ session, onLeave }: TradingProps) {
  const [desk] = useState(
    () => new Desk(session, () => onLeave("Your session has ended. Please log in again.")),
  );
  useEffect(() => {
    desk.start();
    return () => desk.stop();
  }, [desk]);
  return <Terminal desk={desk} onLogout={() => onLeave(null)} />;
}
