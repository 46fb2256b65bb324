/** Keeps a login alive: its refresh token is exchanged in time, once at a time, for new tokens. */
import { Problem, renewed } from "./api";
import type { Session } from "./contract";

/** The part of an access token's life after which the next one is asked for. */
const RENEW_AFTER = 0.75;
const RETRY_MS = 5_000;

export interface RenewalOptions {
  /** The session has new tokens. */
  onRenewed: (session: Session) => void;
  /** The session has ended. */
  onEnded: () => void;
  renew?: (refreshToken: string) => Promise<Session>;
  now?: () => number;
}

export class Renewal {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | null = null;
  private stopped = true;

  constructor(
    private session: Session,
    private readonly options: RenewalOptions,
  ) {}

  get token(): string {
    return this.session.access_token;
  }

  /** Resolves once the access token is good, or cannot be had at the moment. */
  async start(): Promise<void> {
    this.stopped = false;
    if (this.waitMs() <= 0) await this.renew();
    else this.plan(this.waitMs());
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private waitMs(): number {
    const now = this.options.now ?? Date.now;
    return this.session.obtained_ms + 1_000 * RENEW_AFTER * this.session.expires_in - now();
  }

  private plan(waitMs: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.renew(), waitMs);
  }

  /** A refresh token works once: two requests with the same one would end the session. */
  private renew(): Promise<void> {
    this.running ??= this.exchange().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async exchange(): Promise<void> {
    try {
      this.session = await (this.options.renew ?? renewed)(this.session.refresh_token);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.options.onEnded();
      else this.plan(RETRY_MS);
      return;
    }
    this.options.onRenewed(this.session);
    this.plan(this.waitMs());
  }
}
