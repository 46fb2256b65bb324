"""The public REST addresses of the simulated Binance."""

from typing import TYPE_CHECKING, Any

from tornado.web import RequestHandler

from tools.venues.binance.book import STEPS, eight_places

if TYPE_CHECKING:
    from tools.venues.binance.server import BinanceVenue

DEPTH_LIMIT, DEPTH_LIMIT_HIGHEST = 100, 5000
RETRY_AFTER_S = 1


class PublicHandler(RequestHandler):
    """Errors are said as Binance does: `{"code": …, "msg": …}`."""

    def initialize(self, venue: "BinanceVenue") -> None:
        self.venue = venue

    def refuse(self, status: int, code: int, sentence: str) -> None:
        self.set_status(status)
        self.finish({"code": code, "msg": sentence})


class TimeHandler(PublicHandler):
    def get(self) -> None:
        self.finish({"serverTime": self.venue.time_ms()})


class ExchangeInfoHandler(PublicHandler):
    def get(self) -> None:
        symbols = [_symbol(name) for name in self.venue.books]
        self.finish({"timezone": "UTC", "serverTime": self.venue.time_ms(), "rateLimits": [], "symbols": symbols})


class DepthHandler(PublicHandler):
    def get(self) -> None:
        book = self.venue.books.get(self.get_query_argument("symbol", ""))
        limit = self.get_query_argument("limit", str(DEPTH_LIMIT))
        if self.venue.faults.take("refused_snapshots"):
            self.set_header("Retry-After", str(RETRY_AFTER_S))
            self.refuse(429, -1003, "Too much request weight used.")
        elif book is None:
            self.refuse(400, -1121, "Invalid symbol.")
        elif not limit.isdigit() or not 0 < int(limit) <= DEPTH_LIMIT_HIGHEST:
            self.refuse(400, -1130, "Data sent for parameter 'limit' is not valid.")
        else:
            book.follow()
            snapshot = book.snapshot(int(limit))
            if self.venue.faults.take("crossed_snapshots"):
                snapshot["bids"], snapshot["asks"] = snapshot["asks"], snapshot["bids"]
            self.finish(snapshot)


def _symbol(name: str) -> dict[str, Any]:
    """What Binance lists of a symbol, as far as anybody here looks."""
    return {
        "symbol": name,
        "status": "TRADING",
        "baseAsset": name.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": eight_places(str(STEPS[name])),
                "maxPrice": "1000000.00000000",
                "tickSize": eight_places(str(STEPS[name])),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": "0.00001000",
                "maxQty": "9000.00000000",
                "stepSize": "0.00001000",
            },
        ],
    }
