/**
 * The WebSocket to /ws: logs in, subscribes, hands on messages, and comes back after every loss with the same
 * subscriptions. The delay doubles from 0.5 s to 15 s, with jitter, and starts anew once it has been live.
 */
import type { StreamError, StreamMessage } from "./contract";

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** From opening the socket to the last subscription's answer. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Silence after which the server is asked for a sign of life. */
const QUIET_MS = 15_000;
const PROBE_TIMEOUT_MS = 10_000;

export type StreamState = "connecting" | "live" | "reconnecting" | "stopped";

export interface Subscription {
  channel: "quotes" | "account" | "alerts";
  symbols?: string[];
}

/** The part of WebSocket that is used, so that a test can be the server. */
export type Socket = Pick<WebSocket, "send" | "close" | "onopen" | "onmessage" | "onclose">;

export interface StreamOptions {
  token: () => string;
  subscriptions: Subscription[];
  connect: () => Socket;
  onMessage: (message: StreamMessage) => void;
  onState: (state: StreamState) => void;
  /** The server refused the login or a subscription. */
  onRefused: (operation: string, error: StreamError) => void;
  /** In [0, 1): spreads the return of many clients. */
  random?: () => number;
}

interface Answer {
  id: number;
  ok: boolean;
  error?: StreamError;
}

type Timer = ReturnType<typeof setTimeout>;

export class Stream {
  private socket: Socket | null = null;
  private timer: Timer | undefined;
  private lost = 0;
  private state: StreamState = "stopped";
  private nextId = 1;
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  constructor(private readonly options: StreamOptions) {}

  start(): void {
    if (this.state !== "stopped") return;
    this.enter("connecting");
    this.connect();
  }

  stop(): void {
    this.enter("stopped");
    this.abandon();
  }

  /** Tells the open socket of a new token. */
  renew(): void {
    if (this.state === "live") this.ask({ op: "auth", token: this.options.token() }, () => undefined);
  }

  /** Try at once: the network is back. */
  hurry(): void {
    if (this.state === "reconnecting") this.connect();
  }

  private connect(): void {
    this.abandon();
    const socket = this.options.connect();
    this.socket = socket;
    socket.onopen = () => this.authenticate();
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => this.retry();
    this.timer = setTimeout(() => this.retry(), HANDSHAKE_TIMEOUT_MS);
  }

  private authenticate(): void {
    this.ask({ op: "auth", token: this.options.token() }, (answer) => {
      if (answer.ok) {
        this.subscribe();
      } else {
        this.refused("auth", answer);
        this.retry();
      }
    });
  }

  private subscribe(): void {
    let unanswered = this.options.subscriptions.length;
    if (unanswered === 0) this.goLive();
    for (const subscription of this.options.subscriptions) {
      this.ask({ op: "subscribe", ...subscription }, (answer) => {
        if (!answer.ok) this.refused(`subscribe ${subscription.channel}`, answer);
        unanswered -= 1;
        if (unanswered === 0) this.goLive();
      });
    }
  }

  private goLive(): void {
    this.lost = 0;
    this.enter("live");
    this.listen();
  }

  private listen(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.probe(), QUIET_MS);
  }

  /** A connection may be dead without being closed. */
  private probe(): void {
    this.timer = setTimeout(() => this.retry(), PROBE_TIMEOUT_MS);
    this.ask({ op: "ping" }, () => undefined);
  }

  private ask(message: object, answered: (answer: Answer) => void): void {
    const id = this.nextId++;
    this.waiting.set(id, answered);
    this.socket?.send(JSON.stringify({ id, ...message }));
  }

  private refused(operation: string, answer: Answer): void {
    this.options.onRefused(
      operation,
      answer.error ?? { code: "refused", detail: "The server gave no reason." },
    );
  }

  private receive(data: unknown): void {
    let message: Answer | StreamMessage;
    try {
      message = JSON.parse(String(data));
    } catch {
      return;
    }
    if (typeof message !== "object" || message === null) return;
    if (this.state === "live") this.listen();
    if ("type" in message) {
      this.options.onMessage(message);
    } else {
      const answered = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      answered?.(message);
    }
  }

  private retry(): void {
    this.abandon();
    if (this.state === "stopped") return;
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.lost);
    this.lost = Math.min(this.lost + 1, 10);
    this.enter("reconnecting");
    const random = this.options.random ?? Math.random;
    this.timer = setTimeout(() => this.connect(), delay * (0.5 + random() / 2));
  }

  private abandon(): void {
    clearTimeout(this.timer);
    this.waiting.clear();
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private enter(state: StreamState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.onState(state);
  }
}
