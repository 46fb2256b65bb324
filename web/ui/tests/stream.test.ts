import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { StreamError, StreamMessage } from "../src/contract";
import { type Socket, Stream, type StreamState } from "../src/stream";

const SUBSCRIPTIONS = [{ channel: "quotes" as const, symbols: ["EURUSD"] }, { channel: "account" as const }];
const QUOTES = {
  type: "quotes",
  quotes: [{ symbol: "EURUSD", bid: "1.1", ask: "1.2", time: "2026-01-19T14:30:00Z", live: true }],
};

/** The server's end of one connection. */
class Wire implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: { id: number; op: string; [key: string]: unknown }[] = [];
  closed = false;

  send(data: unknown): void {
    this.sent.push(JSON.parse(String(data)));
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.onopen?.call(this as unknown as WebSocket, {} as Event);
  }

  say(message: unknown): void {
    const data = typeof message === "string" ? message : JSON.stringify(message);
    this.onmessage?.call(this as unknown as WebSocket, { data } as MessageEvent);
  }

  lose(): void {
    this.onclose?.call(this as unknown as WebSocket, {} as CloseEvent);
  }

  /** Open, and grant everything that is asked for. */
  welcome(): void {
    this.open();
    for (let answered = 0; answered < this.sent.length; answered++) {
      this.say({ id: this.sent[answered]?.id, ok: true });
    }
  }
}

let wires: Wire[];
let states: StreamState[];
let messages: StreamMessage[];
let refusals: [string, StreamError][];
let stream: Stream;

const wire = () => wires.at(-1) as Wire;

beforeEach(() => {
  vi.useFakeTimers();
  wires = [];
  states = [];
  messages = [];
  refusals = [];
  stream = new Stream({
    token: () => "secret",
    subscriptions: SUBSCRIPTIONS,
    connect: () => {
      wires.push(new Wire());
      return wire();
    },
    onMessage: (message) => messages.push(message),
    onState: (state) => states.push(state),
    onRefused: (operation, error) => refusals.push([operation, error]),
    random: () => 1,
  });
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

describe("coming alive", () => {
  test("logs in, subscribes when that is granted, and is live when all is answered", () => {
    stream.start();
    wire().open();
    expect(wire().sent).toEqual([{ id: 1, op: "auth", token: "secret" }]);
    wire().say({ id: 1, ok: true });
    expect(wire().sent.slice(1)).toEqual([
      { id: 2, op: "subscribe", channel: "quotes", symbols: ["EURUSD"] },
      { id: 3, op: "subscribe", channel: "account" },
    ]);
    wire().say({ id: 2, ok: true });
    expect(states).toEqual(["connecting"]);
    wire().say(QUOTES);
    wire().say({ id: 3, ok: true });
    expect(states).toEqual(["connecting", "live"]);
    expect(messages).toEqual([QUOTES]);
  });

  test("a refused login is told and tried again later", () => {
    stream.start();
    wire().open();
    const error = { code: "unauthorized", detail: "The token has expired." };
    wire().say({ id: 1, ok: false, error });
    expect(refusals).toEqual([["auth", error]]);
    expect(states).toEqual(["connecting", "reconnecting"]);
    expect(wire().closed).toBe(true);
  });

  test("a refused subscription is told, and the others live", () => {
    stream.start();
    wire().open();
    wire().say({ id: 1, ok: true });
    wire().say({ id: 2, ok: true });
    wire().say({ id: 3, ok: false });
    expect(refusals).toEqual([
      ["subscribe account", { code: "refused", detail: "The server gave no reason." }],
    ]);
    expect(states).toEqual(["connecting", "live"]);
  });

  test("what does not parse or answers nothing is passed over", () => {
    stream.start();
    wire().welcome();
    for (const garbage of ["{", "null", "7", '{"id":99,"ok":true}', "[]"]) wire().say(garbage);
    wire().say(QUOTES);
    expect(messages).toEqual([QUOTES]);
    expect(states).toEqual(["connecting", "live"]);
  });
});

describe("coming back", () => {
  test("subscribes to the same again", () => {
    stream.start();
    wire().welcome();
    wire().lose();
    expect(states.at(-1)).toBe("reconnecting");
    vi.advanceTimersByTime(500);
    expect(wires).toHaveLength(2);
    wire().welcome();
    const asked = ({ id: _, ...request }: Wire["sent"][number]) => request;
    expect(wires[1]?.sent.map(asked)).toEqual(wires[0]?.sent.map(asked));
    expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
  });

  test("waits twice as long each time, up to 15 seconds", () => {
    stream.start();
    for (const delay of [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const before = wires.length;
      wire().lose();
      vi.advanceTimersByTime(delay - 1);
      expect(wires).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(wires).toHaveLength(before + 1);
    }
  });

  test("starts with the short delay again once it was live", () => {
    stream.start();
    wire().lose();
    vi.advanceTimersByTime(500);
    wire().lose();
    vi.advanceTimersByTime(1_000);
    wire().welcome();
    wire().lose();
    vi.advanceTimersByTime(500);
    expect(wires).toHaveLength(4);
  });

  test("hurries when the network is back", () => {
    stream.start();
    wire().lose();
    stream.hurry();
    expect(wires).toHaveLength(2);
    vi.advanceTimersByTime(500);
    expect(wires).toHaveLength(2);
  });

  test("a late word of the lost connection is not heard", () => {
    stream.start();
    wire().welcome();
    const lost = wire();
    lost.lose();
    lost.say(QUOTES);
    lost.lose();
    vi.advanceTimersByTime(500);
    expect(messages).toEqual([]);
    expect(wires).toHaveLength(2);
  });

  test("stays away after stop", () => {
    stream.start();
    wire().welcome();
    stream.stop();
    expect(wire().closed).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(wires).toHaveLength(1);
    expect(states.at(-1)).toBe("stopped");
  });
});

describe("a connection that died without a word", () => {
  test("is given up when its handshake takes too long", () => {
    stream.start();
    vi.advanceTimersByTime(10_000);
    expect(wire().closed).toBe(true);
    expect(states).toEqual(["connecting", "reconnecting"]);
  });

  test("is asked for a sign of life after silence, and given up without one", () => {
    stream.start();
    wire().welcome();
    vi.advanceTimersByTime(14_999);
    wire().say(QUOTES);
    vi.advanceTimersByTime(14_999);
    expect(wire().sent).toHaveLength(3);
    vi.advanceTimersByTime(1);
    expect(wire().sent.at(-1)).toEqual({ id: 4, op: "ping" });
    vi.advanceTimersByTime(10_000);
    expect(states).toEqual(["connecting", "live", "reconnecting"]);
  });

  test("is kept when the sign comes", () => {
    stream.start();
    wire().welcome();
    vi.advanceTimersByTime(15_000);
    wire().say({ id: 4, ok: true });
    vi.advanceTimersByTime(14_999);
    expect(states).toEqual(["connecting", "live"]);
    expect(wires).toHaveLength(1);
  });
});
