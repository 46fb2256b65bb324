"""The simulated OANDA's prices: the last ones, and the stream of them."""

import asyncio

from tornado.web import HTTPError

from gateway.venues.timestamp import BadTime, parse_time_ns
from tools.venues.oanda.handler import Handler, StreamHandler
from tools.venues.oanda.prices import client_price, home_conversion
from tools.venues.oanda.wire import date_time

FIRST_PRICE_WAIT_S = 1.0
_LOOK_S = 0.01


class PricingHandler(Handler):
    async def get(self, account: str) -> None:
        self.check_account(account)
        names = self.asked_instruments()
        try:
            since_ns = parse_time_ns(self.get_query_argument("since", "0"))
        except BadTime:
            raise HTTPError(400, reason="Invalid value specified for 'since'") from None
        await self._first_prices(names)
        venue = self.venue
        priced = [name for name in names if name in venue.latest and venue.priced_ns[name] > since_ns]
        answer = {
            "time": self.now(),
            "prices": [
                client_price(name, *venue.latest[name], date_time(venue.priced_ns[name], self.unix)) for name in priced
            ],
        }
        if self.get_query_argument("includeHomeConversions", "false").lower() == "true":
            currencies = sorted({currency for name in priced for currency in name.split("_")})
            conversions = (home_conversion(currency, venue.latest) for currency in currencies)
            answer["homeConversions"] = [conversion for conversion in conversions if conversion]
        self.write(answer)

    async def _first_prices(self, names: list[str]) -> None:
        """A market that nobody has looked at has no prices yet: they come soon, or with the recording's first row."""
        self.venue.play.begin()
        for _ in range(int(FIRST_PRICE_WAIT_S / _LOOK_S)):
            if self.venue.latest.keys() >= set(names):
                return
            await asyncio.sleep(_LOOK_S)


class PricingStreamHandler(StreamHandler):
    async def get(self, account: str) -> None:
        self.check_account(account)
        names = self.asked_instruments()
        venue = self.venue
        fate = venue.price_faults.connect()
        if fate == "refused":
            raise HTTPError(503, reason="Service Unavailable")
        if fate == "cut":
            await self.flush()
            self.cut()
            return
        subscriber = self.subscribe(names)
        if self.get_query_argument("snapshot", "true").lower() != "false":
            for name in names:
                if name in venue.latest and not venue.price_faults.hides(name):
                    subscriber.put(venue.price_line(name, venue.priced_ns[name], self.unix))
        venue.subscribers[subscriber] = self.unix
        venue.play.begin()
        try:
            await self.write_lines(subscriber)
        finally:
            del venue.subscribers[subscriber]
