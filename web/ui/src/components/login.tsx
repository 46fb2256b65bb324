import { type FormEvent, useState } from "react";
import { login, Problem, sentence } from "../api";
import type { Session } from "../contract";
import { Logo } from "./logo";

interface LoginProps {
  /** Why the person is here again, if they were logged in before. */
  farewell: string | null;
  onLogin: (session: Session) => void;
}

export function Login({ farewell, onLogin }: LoginProps) {
  const [error, setError] = useState(farewell);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    try {
      onLogin(await login(String(form.get("username")), String(form.get("password"))));
    } catch (refusal) {
      const wrong = refusal instanceof Problem && refusal.status === 401;
      setError(wrong ? "The user name or the password is wrong." : sentence(refusal));
      setBusy(false);
    }
  }

  return (
    <main className="login">
      <form className="login-card" onSubmit={submit}>
        <Logo />
        <h1>Log in to trade</h1>
        <label className="field">
          <span>User name</span>
          <input
            name="username"
            data-testid="login-username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            // biome-ignore lint/a11y/noAutofocus: the login is all that this page holds
            autoFocus
          />
        </label>
        <label className="field">
          <span>Password</span>
          <input
            name="password"
            type="password"
            data-testid="login-password"
            autoComplete="current-password"
            required
          />
        </label>
        <button className="primary" type="submit" data-testid="login-submit" disabled={busy}>
          {busy ? "Logging in…" : "Log in"}
        </button>
        {error && (
          <p className="message bad" role="alert" data-testid="login-error">
            {error}
          </p>
        )}
      </form>
    </main>
  );
}
