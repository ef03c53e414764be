"""What all pages of one console share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member

from starlette.requests import Request

from keyfront.console.accounts import Account
from keyfront.console.decisions import Decisions
from keyfront.console.events import Stopping
from keyfront.console.log_summary import LogReader
from keyfront.console.pages import Pages


@dataclass(frozen=True, slots=True)
class Context:
    """The account, the pages, and what is known of the edge."""

    account: Account
    pages: Pages
    read_only: bool
    decisions: Decisions | None = None
    """The decisions of the laptop's edge; `None` for an account."""
    logs: LogReader | None = None
    """The access logs of an account, if any are given."""
    stopping: Stopping = member(default_factory=Stopping)
    addresses: Callable[[str], Sequence[str]] = lambda domain_name: (f"https://{domain_name}",)
    """Returns the URLs of a distribution's domain name, the best first, without a slash at the end."""
    signer: str = ""
    """The address of a keystore that the page of links proposes."""
    last_used: Callable[[], Mapping[str, float]] = dict
    """Returns when each key last signed an allowed request, by key-pair id, as far as it is known."""


def field(request: Request, name: str) -> str:
    """Return a form's field without white space around it; empty if it is missing."""
    values = request.state.form.get(name) or [""]
    return str(values[-1]).strip()


def fields(request: Request, name: str) -> list[str]:
    """Return every value of a form's field."""
    return [str(each) for each in request.state.form.get(name, ())]
