/** What one logged-in person sees and does: the API and the stream come in, stores go out to the components. */
import { Api, Problem, sentence } from "./api";
import type {
  Account,
  Fill,
  Instrument,
  LedgerEntry,
  MarginAlert,
  Order,
  OrderMessage,
  Position,
  Session,
  StreamMessage,
  Tick,
} from "./contract";
import { applyOrder, arrangeOrders } from "./orders";
import { apply, arrange } from "./positions";
import { Renewal } from "./renewal";
import { saveSession } from "./session";
import { Store } from "./store";
import { Stream, type StreamState, type Subscription } from "./stream";
import { describeEnd, describeMargin, describeProtection, describeTriggered } from "./wording";

/** History is written behind the engine: after a fill it is asked for again until it has surely arrived. */
const HISTORY_DELAYS_MS = [250, 1_000, 3_000];
const START_RETRY_MS = 3_000;
const MAX_FILLS_SHOWN = 200;
const PROTECTIONS = ["stop_loss", "take_profit", "trailing_stop"];
const CANCELLED_BY_CLIENT = "CANCELLED";

type Timer = ReturnType<typeof setTimeout>;

export interface Notice {
  tone: "good" | "bad" | "plain";
  text: string;
}

export class Desk {
  readonly api: Api;
  readonly instruments = new Store<Instrument[]>([]);
  readonly selected = new Store("");
  readonly account = new Store<Account | null>(null);
  readonly positions = new Store<Position[]>([]);
  /** Those that wait, newest first. */
  readonly orders = new Store<Order[]>([]);
  readonly trades = new Store<Fill[]>([]);
  readonly ledger = new Store<LedgerEntry[]>([]);
  readonly marginStatus = new Store<MarginAlert["status"]>("normal");
  readonly connection = new Store<StreamState>("connecting");
  /** How often the stream has come alive: whoever draws history loads it again when this moves. */
  readonly connections = new Store(0);
  readonly notice = new Store<Notice | null>(null);

  private readonly renewal: Renewal;
  private readonly ticks = new Map<string, Store<Tick | null>>();
  private startTimer: Timer | undefined;
  private historyTimers: Timer[] = [];
  private stream: Stream | null = null;
  private stopped = false;
  /** Position messages since the running request for all positions began; they are newer than its answer. */
  private overtaking: Position[] | null = null;
  /** The same of orders. */
  private overtakingOrders: Order[] | null = null;

  constructor(
    readonly session: Session,
    onUnauthorised: () => void,
  ) {
    this.renewal = new Renewal(session, {
      onRenewed: (next) => {
        saveSession(next);
        this.stream?.renew();
      },
      onEnded: onUnauthorised,
    });
    this.api = new Api(() => this.renewal.token, onUnauthorised);
  }

  /** The price of a symbol; null until there is one. */
  tick(symbol: string): Store<Tick | null> {
    let store = this.ticks.get(symbol);
    if (!store) {
      store = new Store<Tick | null>(null);
      this.ticks.set(symbol, store);
    }
    return store;
  }

  instrument(symbol: string): Instrument | undefined {
    return this.instruments.get().find((instrument) => instrument.symbol === symbol);
  }

  digits(symbol: string): number {
    return this.instrument(symbol)?.price_digits ?? 0;
  }

  start(): void {
    this.stopped = false;
    window.addEventListener("online", this.hurry);
    void this.renewal.start().then(() => {
      if (!this.stopped) void this.begin();
    });
  }

  stop(): void {
    this.stopped = true;
    this.renewal.stop();
    window.removeEventListener("online", this.hurry);
    clearTimeout(this.startTimer);
    for (const timer of this.historyTimers) clearTimeout(timer);
    this.stream?.stop();
    this.stream = null;
  }

  say(tone: Notice["tone"], text: string): void {
    this.notice.set({ tone, text });
  }

  private async begin(): Promise<void> {
    try {
      const instruments = await this.api.symbols();
      if (this.stopped) return;
      this.showInstruments(instruments);
      this.openStream(instruments.map((instrument) => instrument.symbol));
    } catch (error) {
      if (this.stopped) return;
      this.connection.set("reconnecting");
      this.report(error);
      this.startTimer = setTimeout(() => void this.begin(), START_RETRY_MS);
    }
  }

  private showInstruments(instruments: Instrument[]): void {
    for (const { symbol, bid, ask, time, live } of instruments) {
      if (bid !== null && ask !== null && time !== null)
        this.tick(symbol).set({ symbol, bid, ask, time, live });
    }
    this.instruments.set(instruments);
    const [first] = instruments;
    if (first && !this.selected.get()) this.selected.set(first.symbol);
  }

  private openStream(symbols: string[]): void {
    const subscriptions: Subscription[] = [{ channel: "quotes", symbols }];
    if (this.session.account_id !== null) subscriptions.push({ channel: "account" }, { channel: "alerts" });
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    this.stream = new Stream({
      token: () => this.renewal.token,
      subscriptions,
      connect: () => new WebSocket(`${scheme}://${window.location.host}/ws`),
      onMessage: (message) => this.receive(message),
      onState: (state) => this.moved(state),
      onRefused: (operation, error) => {
        this.say("bad", `Live updates were refused (${operation}): ${error.detail}`);
        // An expired token shows itself as a 401 here and leads back to the login.
        void this.api.symbols().catch(() => undefined);
      },
    });
    this.stream.start();
  }

  private hurry = (): void => this.stream?.hurry();

  private moved(state: StreamState): void {
    this.connection.set(state);
    if (state !== "live") return;
    this.connections.update((count) => count + 1);
    void this.refresh();
  }

  private receive(message: StreamMessage): void {
    switch (message.type) {
      case "quotes":
        for (const quote of message.quotes) this.tick(quote.symbol).set(quote);
        break;
      case "account":
        if (message.balance !== this.account.get()?.balance) this.awaitHistory();
        this.account.set(message);
        break;
      case "margin":
        this.receiveMargin(message);
        break;
      case "position":
        this.overtaking?.push(message);
        this.positions.update((positions) => apply(positions, message));
        break;
      case "order":
        this.receiveOrder(message);
        break;
      case "fill":
        this.remember([message]);
        break;
    }
  }

  private receiveMargin(alert: MarginAlert): void {
    if (alert.account_id !== this.session.account_id) return;
    const before = this.marginStatus.get();
    this.marginStatus.set(alert.status);
    if (alert.status !== before) this.say(alert.status === "normal" ? "good" : "bad", describeMargin(alert));
  }

  private receiveOrder(message: OrderMessage): void {
    const { order_type: type, code, detail, ...rest } = message;
    const order: Order = { ...rest, type };
    const digits = this.digits(order.symbol);
    const waited = this.orders.get().some(({ id }) => id === order.id);
    this.overtakingOrders?.push(order);
    this.orders.update((orders) => applyOrder(orders, order));
    if (order.status === "filled") {
      if (PROTECTIONS.includes(order.reason)) this.say("plain", describeProtection(order, digits));
      else if (waited && order.type !== "market") this.say("good", describeTriggered(order, digits));
    } else if (waited && code !== null && code !== CANCELLED_BY_CLIENT && detail !== null) {
      this.say("plain", describeEnd(order, detail));
    }
  }

  /** Show fills before the history has them, and ask for the history again. */
  remember(fills: Fill[]): void {
    this.trades.update((trades) => {
      const known = new Set(trades.map((trade) => trade.id));
      return [...fills.filter((fill) => !known.has(fill.id)), ...trades].slice(0, MAX_FILLS_SHOWN);
    });
    this.awaitHistory();
  }

  private awaitHistory(): void {
    for (const timer of this.historyTimers) clearTimeout(timer);
    const load = () => void this.loadHistory().catch((error: unknown) => this.report(error));
    this.historyTimers = HISTORY_DELAYS_MS.map((delay) => setTimeout(load, delay));
  }

  /** Everything about the account, from the server. */
  async refresh(): Promise<void> {
    if (this.session.account_id === null) return;
    try {
      await Promise.all([this.loadAccount(), this.loadPositions(), this.loadOrders(), this.loadHistory()]);
    } catch (error) {
      this.report(error);
    }
  }

  private async loadAccount(): Promise<void> {
    const loaded = await this.api.account();
    this.account.update((shown) =>
      shown && Date.parse(shown.time) > Date.parse(loaded.time) ? shown : loaded,
    );
  }

  private async loadPositions(): Promise<void> {
    const overtaking: Position[] = [];
    this.overtaking = overtaking;
    const loaded = await this.api.positions();
    this.positions.set(overtaking.reduce(apply, arrange(loaded)));
    if (this.overtaking === overtaking) this.overtaking = null;
  }

  private async loadOrders(): Promise<void> {
    const overtaking: Order[] = [];
    this.overtakingOrders = overtaking;
    const loaded = await this.api.waiting();
    this.orders.set(overtaking.reduce(applyOrder, arrangeOrders(loaded)));
    if (this.overtakingOrders === overtaking) this.overtakingOrders = null;
  }

  private async loadHistory(): Promise<void> {
    const [trades, ledger] = await Promise.all([this.api.trades(), this.api.ledger()]);
    const known = new Set(trades.map((trade) => trade.id));
    const newest = trades[0] ? Date.parse(trades[0].time) : 0;
    this.trades.update((shown) => [
      ...shown.filter((fill) => !known.has(fill.id) && Date.parse(fill.time) >= newest),
      ...trades,
    ]);
    this.ledger.set(ledger);
  }

  private report(error: unknown): void {
    if (error instanceof Problem && error.status === 401) return;
    this.say("bad", sentence(error));
  }
}
