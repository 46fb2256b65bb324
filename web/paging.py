"""Lists that are answered page by page."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from web.asking import AskingHandler

I = TypeVar("I")  # noqa: E741


class PagingHandler(AskingHandler):
    def answer_page(
        self, name: str, items: Sequence[I], limit: int, shape: Callable[[I], Any], id_of: Callable[[I], int]
    ) -> None:
        """One page, newest first, and where the next one begins. `items` has more than `limit` if there is more."""
        page = items[:limit]
        cursor = str(id_of(page[-1])) if len(items) > limit else None
        self.answer({name: [shape(item) for item in page], "next": cursor})
