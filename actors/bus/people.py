"""All requests about people, and their answers."""

from actors.bus.logins import (
    AddApiKey,
    ApiKeys,
    BeginLogin,
    BeginTotp,
    ChangePassword,
    ConfirmTotp,
    DropTotp,
    EndApiKey,
    EndSession,
    EndSessions,
    GetApiKey,
    GetApiKeys,
    GetRevocations,
    KeyReport,
    LoginTicket,
    OpenSession,
    Revocations,
    Revoked,
    RotateSession,
    Session,
)
from actors.bus.users import (
    Acts,
    AddUser,
    ChangeUser,
    GetActs,
    GetOneUser,
    GetUser,
    GetUsers,
    RecordAct,
    Recorded,
    RecordOutcome,
    ResetLogin,
    UnlockUser,
    UserReport,
    Users,
)

PeopleRequest = (
    GetUser
    | BeginLogin
    | OpenSession
    | RotateSession
    | EndSession
    | ChangePassword
    | EndSessions
    | BeginTotp
    | ConfirmTotp
    | DropTotp
    | AddApiKey
    | EndApiKey
    | GetApiKeys
    | GetApiKey
    | GetRevocations
    | GetUsers
    | GetOneUser
    | AddUser
    | ChangeUser
    | ResetLogin
    | UnlockUser
    | RecordAct
    | RecordOutcome
    | GetActs
)

PeopleAnswer = (
    UserReport | LoginTicket | Session | ApiKeys | KeyReport | Revocations | Revoked | Users | Recorded | Acts
)
