"""What the engine is told: commands (imperative, and checked before obeyed) and what it sees of the prices."""

from actors.domain.commands.dealing import (
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    ModifyOrder,
    ModifyPosition,
    ReversePosition,
    SubmitOrder,
    Which,
)
from actors.domain.commands.money import (
    Adjust,
    DecideRequest,
    Deposit,
    GrantCredit,
    Movement,
    RequestMoney,
    SetApprovalLimits,
    Withdraw,
)
from actors.domain.commands.prices import ObserveStream, ObserveTicks
from actors.domain.commands.terms import (
    AssignGroup,
    DefineGroup,
    DefineHedge,
    DefineHolidays,
    DefineInstrument,
    DefineRules,
    HaltTrading,
    Mode,
    OpenAccount,
    RemoveHedge,
    ResumeTrading,
    SendHedge,
    SetLimits,
)
from actors.domain.commands.told import Told
from actors.domain.commands.venues import (
    DismissBreak,
    ReportExecution,
    ReportHolding,
    SettleBreak,
)

EngineCommand = (
    OpenAccount
    | DefineInstrument
    | DefineGroup
    | AssignGroup
    | SetLimits
    | DefineHolidays
    | DefineRules
    | DefineHedge
    | RemoveHedge
    | SendHedge
    | HaltTrading
    | ResumeTrading
    | ReportExecution
    | ReportHolding
    | SettleBreak
    | DismissBreak
    | RequestMoney
    | DecideRequest
    | Deposit
    | Withdraw
    | GrantCredit
    | Adjust
    | SubmitOrder
    | ModifyOrder
    | CancelOrder
    | ModifyPosition
    | ClosePosition
    | ClosePositionBy
    | ClosePositions
    | ReversePosition
)
"""What other processes may ask for."""
Command = SetApprovalLimits | EngineCommand
"""What the engine obeys: how much one person may move comes from configuration alone."""
Input = Command | ObserveTicks | ObserveStream

__all__ = [
    "Adjust",
    "AssignGroup",
    "CancelOrder",
    "ClosePosition",
    "ClosePositionBy",
    "ClosePositions",
    "Command",
    "DecideRequest",
    "DefineGroup",
    "DefineHedge",
    "DefineHolidays",
    "DefineInstrument",
    "DefineRules",
    "Deposit",
    "DismissBreak",
    "EngineCommand",
    "GrantCredit",
    "HaltTrading",
    "Input",
    "Mode",
    "ModifyOrder",
    "ModifyPosition",
    "Movement",
    "ObserveStream",
    "ObserveTicks",
    "OpenAccount",
    "RemoveHedge",
    "ReportExecution",
    "ReportHolding",
    "RequestMoney",
    "ResumeTrading",
    "ReversePosition",
    "SendHedge",
    "SetApprovalLimits",
    "SetLimits",
    "SettleBreak",
    "SubmitOrder",
    "Told",
    "Which",
    "Withdraw",
]
