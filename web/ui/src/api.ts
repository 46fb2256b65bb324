/** The HTTP API. Every refusal is a `Problem` with a sentence to show; silence is an `Unreachable`. */
import type {
  Account,
  Bar,
  Execution,
  Fill,
  Instrument,
  LedgerEntry,
  Order,
  OrderChange,
  OrderRequest,
  Position,
  Protection,
  Session,
  Timeframe,
  Which,
} from "./contract";

const TIMEOUT_MS = 10_000;
/** As many orders of an account may wait. */
const WAITING_LIMIT = 500;

/** A problem document (RFC 9457), or what can be said of an answer that has none. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly code: string | null = null,
    readonly field: string | null = null,
  ) {
    super(detail);
  }
}

/** No answer came. Whether the request was carried out is not known. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer. Please check your connection.");
  }
}

async function problemFrom(response: Response): Promise<Problem> {
  const document: unknown = await response.json().catch(() => null);
  const fields = (typeof document === "object" && document !== null ? document : {}) as Record<
    string,
    unknown
  >;
  const text = (key: string) => (typeof fields[key] === "string" && fields[key] !== "" ? fields[key] : null);
  const detail = text("detail") ?? text("title") ?? `The server answered with status ${response.status}.`;
  return new Problem(response.status, detail, text("code"), text("field"));
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Unreachable();
  }
  if (!response.ok) throw await problemFrom(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new Unreachable();
  }
}

function post(body: unknown, headers: Record<string, string> = {}, method = "POST"): RequestInit {
  return {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

export function login(username: string, password: string): Promise<Session> {
  return sessionFrom("/login", { username, password });
}

/** The session with new tokens. The refresh token that is given is used up. */
export function renewed(refreshToken: string): Promise<Session> {
  return sessionFrom("/login/refresh", { refresh_token: refreshToken });
}

async function sessionFrom(path: string, body: unknown): Promise<Session> {
  return { ...(await request<Omit<Session, "obtained_ms">>(path, post(body))), obtained_ms: Date.now() };
}

export class Api {
  /** `onUnauthorised` is called when the server no longer accepts the token. */
  constructor(
    private readonly token: () => string,
    private readonly onUnauthorised: () => void,
  ) {}

  account = () => this.get<Account>("/account");
  symbols = async () => (await this.get<{ symbols: Instrument[] }>("/symbols")).symbols;
  positions = async () => (await this.get<{ positions: Position[] }>("/positions")).positions;
  orders = async () => (await this.get<{ orders: Order[] }>("/orders")).orders;
  waiting = async () =>
    (await this.get<{ orders: Order[] }>(`/orders?status=working&limit=${WAITING_LIMIT}`)).orders;
  trades = async () => (await this.get<{ trades: Fill[] }>("/trades")).trades;
  ledger = async () => (await this.get<{ entries: LedgerEntry[] }>("/ledger")).entries;

  /** At most `limit` bars, oldest first. */
  async bars(symbol: string, timeframe: Timeframe, limit: number): Promise<Bar[]> {
    const query = new URLSearchParams({ symbol, timeframe, limit: String(limit) });
    return (await this.get<{ bars: Bar[] }>(`/ohlc?${query}`)).bars;
  }

  submit = (order: OrderRequest) => this.send<Execution>("/order", post(order, this.authorization()));

  modify = (orderId: string, change: OrderChange) =>
    this.send<void>(`/order/${encodeURIComponent(orderId)}`, post(change, this.authorization(), "PUT"));

  cancel = (orderId: string) =>
    this.send<void>(`/order/${encodeURIComponent(orderId)}`, {
      method: "DELETE",
      headers: this.authorization(),
    });

  protect = (positionId: string, protection: Protection) =>
    this.send<void>(
      `/position/${encodeURIComponent(positionId)}`,
      post(protection, this.authorization(), "PUT"),
    );

  /** The whole position, or a quantity of it. */
  close = (positionId: string, part: { quantity?: string; client_order_id?: string } = {}) =>
    this.dealOn(positionId, "close", part);

  reverse = (positionId: string, clientOrderId: string) =>
    this.dealOn(positionId, "reverse", { client_order_id: clientOrderId });

  closeMany = (which: Which, clientOrderId: string) =>
    this.send<Execution>(
      "/positions/close",
      post({ which, client_order_id: clientOrderId }, this.authorization()),
    );

  private dealOn = (positionId: string, what: string, body: object) =>
    this.send<Execution>(
      `/position/${encodeURIComponent(positionId)}/${what}`,
      post(body, this.authorization()),
    );

  private authorization(): Record<string, string> {
    return { Authorization: `Bearer ${this.token()}` };
  }

  private get<T>(path: string): Promise<T> {
    return this.send<T>(path, { headers: this.authorization() });
  }

  private async send<T>(path: string, init: RequestInit): Promise<T> {
    try {
      return await request<T>(path, init);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.onUnauthorised();
      throw error;
    }
  }
}

/** The sentence that tells a person what went wrong. */
export function sentence(error: unknown): string {
  if (!(error instanceof Problem || error instanceof Unreachable))
    return "Something went wrong in this page.";
  return /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
}
