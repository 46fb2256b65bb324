"""The account's ledger forwards: transactions since the last one known, and the statement of a period."""

import csv
import io

from actors.bus.history_answers import LedgerLine, Transactions
from actors.bus.requests import GetTransactions
from actors.domain import ledger
from actors.domain.money import format_minor
from web.handling.contract import QUESTION, contract
from web.handling.paging import PagingHandler
from web.payloads import answers, bodies, problem, render, schema
from web.payloads.times import format_ns, parse_ns

STATEMENT_LIMIT_ENTRIES = 10_000
PAGE_ENTRIES = 1_000
END_OF_TIME_NS = 2**63 - 1
CSV = "text/csv"


class _ForwardsHandler(PagingHandler):
    async def entries(
        self, account_id: int, limit: int, after_id: int, start_ns: int = 0, end_ns: int = END_OF_TIME_NS
    ) -> Transactions:
        seq = self.backend.accounts.known.seq(account_id)
        currency = await self.currency(account_id)
        account = ledger.client(account_id)
        question = GetTransactions(account, currency, limit, after_id, start_ns, end_ns, seq)
        return await self.history(question, Transactions)


class TransactionsHandler(_ForwardsHandler):
    """GET /account/transactions."""

    @contract(
        "Ledger entries after the last one that you know, oldest first.",
        {200: answers.TransactionsPage},
        parameters=schema.WhichTransactions,
        problems=QUESTION,
    )
    async def get(self) -> None:
        wanted = self.parameters(schema.WhichTransactions)
        account_id = self.account(wanted.account_id)
        got = await self.entries(account_id, wanted.limit + 1, int(wanted.since))
        lines, cursor = self.page(got.lines, wanted.limit, lambda line: line.entry_id, "since")
        last = str(lines[-1].entry_id) if lines else None
        entries = [render.entry(line) for line in lines]
        self.answer(answers.TransactionsPage(entries=entries, next=cursor, last=last))


class StatementHandler(_ForwardsHandler):
    """GET /account/statement."""

    @contract(
        f"The ledger of a period, at most {STATEMENT_LIMIT_ENTRIES:,} entries, with the balances around it.",
        {200: answers.Statement},
        parameters=schema.WhichStatement,
        problems=QUESTION,
        media=("application/json", CSV),
    )
    async def get(self) -> None:
        wanted = self.parameters(schema.WhichStatement)
        account_id = self.account(wanted.account_id)
        now_ns = self.backend.clock_ns()
        start_ns = _moment(wanted.start, "start")
        end_ns = now_ns if wanted.end is None else min(_moment(wanted.end, "end"), now_ns)
        if start_ns > end_ns:
            raise problem.invalid("start", "The period begins after its end, or in the future.")
        opening_minor, lines = await self._period(account_id, start_ns, end_ns)
        currency = await self.currency(account_id)
        if wanted.format == "csv":
            self._answer_csv(account_id, lines)
            return
        totals: dict[str, int] = {}
        for line in lines:
            totals[line.kind] = totals.get(line.kind, 0) + line.amount_minor
        self.answer(
            answers.Statement(
                account_id=str(account_id),
                currency=currency,
                start=format_ns(start_ns),
                end=format_ns(end_ns),
                opening_balance=format_minor(opening_minor, currency),
                closing_balance=format_minor(lines[-1].balance_minor if lines else opening_minor, currency),
                totals={kind: format_minor(total, currency) for kind, total in totals.items()},
                entries=[render.entry(line) for line in lines],
            )
        )

    async def _period(self, account_id: int, start_ns: int, end_ns: int) -> tuple[int, list[LedgerLine]]:
        """The balance before it, and all its entries. The ledger only grows, so pages fit together."""
        first = await self.entries(account_id, PAGE_ENTRIES, 0, start_ns, end_ns)
        lines, page = list(first.lines), first.lines
        while len(page) == PAGE_ENTRIES:
            page = (await self.entries(account_id, PAGE_ENTRIES, lines[-1].entry_id, start_ns, end_ns)).lines
            lines += page
            if len(lines) > STATEMENT_LIMIT_ENTRIES:
                detail = f"The period has more than {STATEMENT_LIMIT_ENTRIES:,} entries: ask for a shorter one."
                raise problem.Problem(422, "STATEMENT_TOO_LONG", detail, field="start")
        return first.opening_minor, lines

    def _answer_csv(self, account_id: int, lines: list[LedgerLine]) -> None:
        """RFC 4180."""
        text = io.StringIO()
        rows = csv.writer(text)
        fields = bodies.EntryBody.__struct_fields__
        rows.writerow(fields)
        for line in lines:
            entry = render.entry(line)
            rows.writerow([getattr(entry, field) for field in fields])
        self.set_header("Content-Type", f"{CSV}; charset=utf-8; header=present")
        self.set_header("Content-Disposition", f'attachment; filename="statement-{account_id}.csv"')
        self.set_header("Cache-Control", "no-store")
        self.finish(text.getvalue())


def _moment(text: str, field: str) -> int:
    try:
        return parse_ns(text)
    except ValueError as error:
        raise problem.invalid(field, f"{error}.") from None
