"""The pages by which people come in, sign in, and let their devices in."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypedDict
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from kindlehl.domain.errors import DeniedError, KindlehlError, NotFoundError, WireError
from kindlehl_server.accounts import Person
from kindlehl_server.accounts.accounts import normal
from kindlehl_server.accounts.pairing import Waiting
from kindlehl_server.accounts.people import Still
from kindlehl_server.accounts.sessions import LASTS, SignedOutError
from kindlehl_server.needs import Needs
from kindlehl_server.routes import requests
from kindlehl_server.web import HEADERS, STATIC, page, root

COOKIE = "kindlehl"
_LIMIT = 8_192
Form = dict[str, str]


class Said(TypedDict, total=False):
    """What is shown when something was done."""

    said: str
    invitation: str


@dataclass(frozen=True, slots=True)
class Pages:
    """What a browser is shown."""

    needs: Needs

    def routes(self) -> list[BaseRoute]:
        """All of it."""
        return [
            Route("/", self.home),
            Route("/join", self.join, methods=["GET", "POST"]),
            Route("/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
            Route("/pair", self.pair, methods=["GET", "POST"]),
            Route("/pair/approve", self.approve, methods=["POST"]),
            Route("/pair/refuse", self.refuse, methods=["POST"]),
            Route("/devices/revoke", self.revoke, methods=["GET", "POST"]),
            Route("/invite", self.invite, methods=["POST"]),
            Route("/sign-out-others", self.sign_out_others, methods=["POST"]),
            Route("/password", self.password, methods=["GET", "POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]

    # -- coming in ------------------------------------------------------------------------------------------------

    async def join(self, request: Request) -> Response:
        """Accept an invitation."""
        if request.method == "GET":
            return page(request, "join", invitation="", name="")
        form = await self._form(request)
        try:
            self.needs.limits.guess("invitation", requests.address(request))
            person = await run_in_threadpool(
                self.needs.accounts.accept, form.get("invitation", "").strip(), form.get("name", ""),
                form.get("password", ""),
            )  # fmt: skip
        except KindlehlError as error:
            return page(request, "join", error, invitation=form.get("invitation", ""), name=form.get("name", ""))
        return await self._signed_in(request, person, _to(request, ""))

    async def sign_in(self, request: Request) -> Response:
        """Sign in with a name and a password."""
        if request.method == "GET":
            if not await run_in_threadpool(self.needs.accounts.everybody):
                return page(request, "nobody")
            then, ended = request.query_params.get("then", ""), "ended" in request.query_params
            return page(request, "sign-in", name="", then=then, ended=ended)
        form = await self._form(request)
        name, then = form.get("name", ""), form.get("then", "")
        try:
            self.needs.limits.guess("sign in from", requests.address(request))
            self.needs.limits.guess("sign in as", normal(name).casefold()[:64])
            person = await run_in_threadpool(self.needs.accounts.sign_in, name, form.get("password", ""))
        except KindlehlError as error:
            return page(request, "sign-in", error, name=name, then=then, ended=False)
        return await self._signed_in(request, person, _to(request, "pair" if then == "pair" else ""))

    async def _signed_in(self, request: Request, person: Person, answer: Response) -> Response:
        """The answer after which somebody is signed in."""
        answer.set_cookie(
            COOKIE, await run_in_threadpool(self.needs.sessions.begin, person), max_age=int(LASTS.total_seconds()),
            httponly=True, samesite="lax", secure=self._base(request).startswith("https:"),
        )  # fmt: skip
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Sign out."""
        await self._form(request)
        await run_in_threadpool(self.needs.sessions.end, request.cookies.get(COOKIE, ""))
        answer = _to(request, "sign-in")
        answer.delete_cookie(COOKIE)
        return answer

    async def _as(self, request: Request, then: str, show: Callable[[Person, Still], Awaitable[Response]]) -> Response:
        """Show something to who is signed in; whoever is not, signs in first. A form was read by now: it may have taken
        its time."""
        secret = request.cookies.get(COOKIE, "")
        person = await run_in_threadpool(self.needs.sessions.person, secret) if secret else None
        if person:
            with suppress(SignedOutError):
                return await show(person, self.needs.sessions.still(secret))
        query = {"then": then} if then else {}
        if request.method == "POST":
            query["ended"] = ""  # whoever was shown a form was signed in
        return _to(request, f"sign-in?{urlencode(query)}" if query else "sign-in")

    async def _form(self, request: Request) -> Form:
        """What was typed. Raises DeniedError where another site's page sent it: a browser says so itself."""
        origin = request.headers.get("Origin")
        ours = {request.headers.get("Host"), _place(self.needs.url or "")}
        foreign = origin is not None and _place(origin) not in ours - {""}
        if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise DeniedError(
                "Another site sent this form, so that nothing was done.",
                hint="Open the page here, and try again. Where a proxy stands before this server, it has to be started "
                "with the address that you see: `kindlehl serve --url`",
            )
        data = await requests.body(request, _LIMIT)
        try:
            return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=20))
        except ValueError as error:
            raise WireError("That is no form of this server.") from error

    def _base(self, request: Request) -> str:
        """How browsers reach the server."""
        return (self.needs.url or str(request.base_url)).rstrip("/")

    # -- devices --------------------------------------------------------------------------------------------------

    async def home(self, request: Request) -> Response:
        """The devices."""

        async def show(person: Person, _: Still) -> Response:
            return await self._home(request, person)

        return await self._as(request, "", show)

    async def _home(
        self, request: Request, person: Person, *, said: str = "", invitation: str = "",
        problem: KindlehlError | None = None,
    ) -> Response:  # fmt: skip
        devices = [
            {**each._asdict(), "connected": self.needs.hub.hears(person.id, each.id)}
            for each in await run_in_threadpool(self.needs.accounts.devices, person.id)
        ]
        others = await run_in_threadpool(self.needs.accounts.others, person) if person.role == "owner" else ()
        return page(
            request, "home", problem, person=person, devices=devices, said=said, invitation=invitation,
            others=others, **self._reached(request),
        )  # fmt: skip

    def _reached(self, request: Request) -> dict[str, object]:
        """The address that others are told, and whether it is one of this computer only."""
        address = self._base(request)
        return {"address": address, "local": _is_local(address)}

    async def pair(self, request: Request) -> Response:
        """Look what waits under a code."""
        form = None if request.method == "GET" else await self._form(request)

        async def show(person: Person, _: Still) -> Response:
            words: dict[str, object] = {"person": person, "waiting": None, "code": "", **self._reached(request)}
            if form is None:
                return page(request, "pair", **words)
            try:
                waiting = await self._look(person, form)
            except KindlehlError as error:
                return page(request, "pair", error, **words)
            return page(request, "pair", **{**words, "waiting": waiting, "code": form.get("code", "")})

        return await self._as(request, "pair", show)

    async def _look(self, person: Person, form: Form) -> Waiting:
        """What waits under the code that somebody typed. Raises NotFoundError, TooOftenError."""
        with self.needs.limits.guessing("code", person.id, NotFoundError):
            return await run_in_threadpool(self.needs.pairing.look, form.get("code", ""))

    async def approve(self, request: Request) -> Response:
        """Let it in."""

        async def act(person: Person, form: Form, still: Still) -> Said:
            await self._look(person, form)
            waiting = await run_in_threadpool(self.needs.pairing.approve, person, form.get("code", ""), still)
            return {
                "said": f"{waiting.device} is let in. It appears here as soon as the device has answered; it may have "
                "stopped waiting."
            }

        return await self._act(request, "pair", act)

    async def refuse(self, request: Request) -> Response:
        """Let it not in."""

        async def act(person: Person, form: Form, still: Still) -> Said:
            with suppress(NotFoundError):  # what waits no longer is not let in either
                await self._look(person, form)
                await run_in_threadpool(self.needs.pairing.refuse, form.get("code", ""), still)
            return {"said": "It is not let in."}

        return await self._act(request, "", act)

    async def revoke(self, request: Request) -> Response:
        """Let a device in no more, from this moment on; whoever only follows the link is asked."""

        async def ask(person: Person, _: Still) -> Response:
            devices = await run_in_threadpool(self.needs.accounts.devices, person.id)
            device = next((each for each in devices if each.id == request.query_params.get("id")), None)
            if device is None:
                return await self._home(request, person, problem=NotFoundError("There is no such device any more."))
            return page(request, "revoke", person=person, device=device)

        if request.method == "GET":
            return await self._as(request, "", ask)

        async def act(person: Person, form: Form, still: Still) -> Said:
            id_ = form.get("id", "")
            await run_in_threadpool(self.needs.accounts.revoke, person.id, id_, still)
            self.needs.hub.dismiss(person.id, id_)
            return {"said": "It is let in no more. What it holds, it keeps."}

        return await self._act(request, "", act)

    async def invite(self, request: Request) -> Response:
        """Let one more person in."""

        async def act(person: Person, _: Form, still: Still) -> Said:
            return {"invitation": await run_in_threadpool(self.needs.accounts.invite, person, still)}

        return await self._act(request, "", act)

    async def sign_out_others(self, request: Request) -> Response:
        """Sign out everywhere but here: of a browser that was lost."""

        async def act(person: Person, _: Form, __: Still) -> Said:
            await run_in_threadpool(self.needs.sessions.end_others, person, request.cookies.get(COOKIE, ""))
            return {"said": "You are signed in here only. Codes and invitations that nobody has used yet are void."}

        return await self._act(request, "", act)

    async def password(self, request: Request) -> Response:
        """Choose another password."""
        form = None if request.method == "GET" else await self._form(request)

        async def show(person: Person, still: Still) -> Response:
            if form is None:
                return page(request, "password", person=person)
            try:
                self.needs.limits.guess("sign in as", normal(person.name).casefold()[:64])
                await run_in_threadpool(
                    self.needs.accounts.change_password, person, form.get("password", ""), form.get("new", ""), still
                )
            except KindlehlError as error:
                return page(request, "password", error, person=person)
            said = "Your password is another one now, and you are signed in here only."
            return await self._signed_in(request, person, await self._home(request, person, said=said))

        return await self._as(request, "", show)

    async def _act(
        self, request: Request, then: str, act: Callable[[Person, Form, Still], Awaitable[Said]]
    ) -> Response:
        """Do what somebody sends a form for, and show his devices."""
        form = await self._form(request)

        async def show(person: Person, still: Still) -> Response:
            try:
                done = await act(person, form, still)
            except KindlehlError as error:
                return await self._home(request, person, problem=error)
            return await self._home(request, person, **done)

        return await self._as(request, then, show)


def refused(request: Request, error: KindlehlError) -> Response:
    """What was asked for and is not shown, with a way on."""
    title = "This page is not here" if isinstance(error, NotFoundError) else "That did not work"
    return page(request, "problem", error, title=title)


def elsewhere(request: Request) -> Response:
    """Go on to the first page, from an address that forms are sent to: a tab that is opened again asks for it."""
    return _to(request, "")


def _is_local(url: str) -> bool:
    """Whether this leads every computer to itself."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name, or nothing that anybody could open
        return False


def _place(url: str) -> str:
    """The host and port of it; nothing where it is none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _to(request: Request, place: str) -> RedirectResponse:
    """Go on there."""
    return RedirectResponse(f"{root(request)}/{place}", 303, HEADERS)
