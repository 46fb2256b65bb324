"""What an account may do, what ties its margin up, and what an order would do to both."""

from actors.bus.answers import AccountReport, LotSizeReport, PreviewReport
from actors.bus.requests import GetLotSize, GetPreview
from actors.domain.account import AccountSummary
from actors.domain.money import SCALE, Rounding, format_e8, format_minor, mul_div
from actors.domain.risk.limits import ExposureLimit
from web.handling.asking import AskingHandler
from web.handling.contract import QUESTION, contract
from web.payloads import answers, problem, render, schema
from web.payloads.terms import amount_minor, positive_e8
from web.payloads.times import format_ns

PERCENT_LIMIT_E8 = 100 * SCALE


class LimitsHandler(AskingHandler):
    """GET /account/limits."""

    @contract("What the account may do.", {200: answers.LimitsBody}, parameters=schema.WhoseAccount, problems=QUESTION)
    async def get(self) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        report = await self.report(account_id)
        limits, group = report.limits, report.group
        self.answer(
            answers.LimitsBody(
                account_id=str(account_id),
                group=group.name,
                leverage=group.leverage or None,
                margin_call_level=format_e8(group.levels.call_e8 * 100, 2),
                stop_out_level=format_e8(group.levels.stop_out_e8 * 100, 2),
                waiting_orders=limits.waiting_orders or None,
                positions=limits.positions or None,
                orders_per_second=limits.orders_per_second or None,
                order_lots=format_e8(limits.order_lots_e8) if limits.order_lots_e8 else None,
                exposure=_exposure(limits.exposure),
            )
        )


class MarginHandler(AskingHandler):
    """GET /account/margin."""

    @contract(
        "What ties up margin, by symbol.",
        {200: answers.MarginBody},
        parameters=schema.WhoseAccount,
        problems=QUESTION,
    )
    async def get(self) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        report = await self.report(account_id)
        self.answer(_margin(report))


class PreviewHandler(AskingHandler):
    """GET /risk/margin-preview."""

    @contract(
        "What an order at the market would do to the account's margin.",
        {200: answers.MarginPreview},
        parameters=schema.WhichPreview,
        problems=QUESTION,
    )
    async def get(self) -> None:
        wanted = self.parameters(schema.WhichPreview)
        account_id = self.account(wanted.account_id)
        quantity_e8 = positive_e8(wanted.quantity, "quantity")
        got = await self.engine(GetPreview(account_id, wanted.symbol, wanted.side, quantity_e8), PreviewReport)
        seen, currency = got.preview, got.currency
        after = AccountSummary(
            account_id,
            currency,
            seen.balance_minor,
            seen.open_profit_minor,
            seen.margin_minor,
            self.backend.clock_ns(),
            maintenance_minor=seen.maintenance_minor,
        )
        self.answer(
            answers.MarginPreview(
                symbol=wanted.symbol,
                side=wanted.side.value,
                quantity=format_e8(quantity_e8),
                price=self.backend.render.price(wanted.symbol, seen.price_e8),
                notional=format_minor(seen.notional_minor, currency),
                commission=format_minor(seen.commission_minor, currency),
                margin_needed=format_minor(seen.needed_minor, currency),
                margin=format_minor(seen.margin_minor, currency),
                equity=format_minor(after.equity_minor, currency),
                free_margin=format_minor(after.free_margin_minor, currency),
                margin_level=render.margin_level(after),
                sufficient=seen.needed_minor <= 0 or after.free_margin_minor >= 0,
            )
        )


class LotSizeHandler(AskingHandler):
    """GET /risk/lot-size."""

    @contract(
        "The largest quantity whose loss at a stop is within a risk; without commission.",
        {200: answers.LotSize},
        parameters=schema.WhichLotSize,
        problems=QUESTION,
    )
    async def get(self) -> None:
        wanted = self.parameters(schema.WhichLotSize)
        account_id = self.account(wanted.account_id)
        stop_e8 = positive_e8(wanted.stop_loss, "stop_loss")
        risk_minor = await self._risk_minor(wanted, account_id)
        question = GetLotSize(account_id, wanted.symbol, wanted.side, stop_e8, risk_minor)
        got = await self.engine(question, LotSizeReport)
        size, price = got.size, self.backend.render.price
        self.answer(
            answers.LotSize(
                symbol=wanted.symbol,
                side=wanted.side.value,
                price=price(wanted.symbol, size.price_e8),
                stop_loss=price(wanted.symbol, stop_e8),
                risk=format_minor(risk_minor, got.currency),
                quantity=format_e8(size.quantity_e8),
                lots=format_e8(mul_div(size.quantity_e8, SCALE, size.lot_e8, Rounding.FLOOR)),
                loss=format_minor(size.loss_minor, got.currency),
                limited_by="quantity_max" if size.is_capped else None,
            )
        )

    async def _risk_minor(self, wanted: schema.WhichLotSize, account_id: int) -> int:
        if (wanted.risk is None) == (wanted.risk_percent is None):
            raise problem.invalid("risk", "Name either risk or risk_percent.")
        if wanted.risk is not None:
            positive_e8(wanted.risk, "risk")
            return amount_minor(wanted.risk, await self.currency(account_id), "risk")
        percent_e8 = positive_e8(wanted.risk_percent or "", "risk_percent")
        if percent_e8 > PERCENT_LIMIT_E8:
            raise problem.invalid("risk_percent", "risk_percent is at most 100.")
        equity_minor = (await self.report(account_id)).summary.equity_minor
        return max(0, mul_div(equity_minor, percent_e8, PERCENT_LIMIT_E8, Rounding.FLOOR))


def _margin(report: AccountReport) -> answers.MarginBody:
    summary = report.summary
    currency = summary.currency
    initial_minor = sum(requirement.initial_minor for requirement in report.requirements.values())
    return answers.MarginBody(
        account_id=str(summary.account_id),
        currency=currency,
        equity=format_minor(summary.equity_minor, currency),
        margin=format_minor(summary.margin_minor, currency),
        maintenance_margin=format_minor(summary.maintenance_minor, currency),
        reserved=format_minor(summary.margin_minor - initial_minor, currency),
        free_margin=format_minor(summary.free_margin_minor, currency),
        margin_level=render.margin_level(summary),
        symbols={
            symbol: answers.SymbolMargin(
                initial=format_minor(requirement.initial_minor, currency),
                maintenance=format_minor(requirement.maintenance_minor, currency),
            )
            for symbol, requirement in sorted(report.requirements.items())
        },
        time=format_ns(summary.time_ns),
    )


def _exposure(limit: ExposureLimit) -> answers.ExposureLimits | None:
    if not (limit.symbol_minor or limit.total_minor):
        return None
    symbol, total = (
        format_minor(amount, limit.currency) if amount else None for amount in (limit.symbol_minor, limit.total_minor)
    )
    return answers.ExposureLimits(currency=limit.currency, symbol=symbol, total=total)
