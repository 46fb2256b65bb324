"""Lists that are answered page by page."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from web.handling.asking import AskingHandler

I = TypeVar("I")  # noqa: E741


class PagingHandler(AskingHandler):
    def page(
        self, items: Sequence[I], limit: int, id_of: Callable[[I], object], cursor: str = "before"
    ) -> tuple[Sequence[I], str | None]:
        """One page, and where the next one begins, also as a Link (RFC 8288).

        `items` has more than `limit` if there is more; `cursor` is the parameter that asks for the next page.
        """
        page = items[:limit]
        if len(items) <= limit:
            return page, None
        last = str(id_of(page[-1]))
        given = {name: values[0] for name, values in self.request.query_arguments.items()}
        query = urlencode({**given, cursor: last})
        self.set_header("Link", f'<{self.request.path}?{query}>; rel="next"')
        return page, last
