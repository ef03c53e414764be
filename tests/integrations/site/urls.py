"""The pages of the test's Django site."""

from django.contrib.auth import get_user_model, login, logout
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import path

from keyfront.integrations.django import signed_cookies


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


async def home_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


def sign_in(request: HttpRequest, name: str) -> HttpResponse:
    login(request, get_user_model().objects.get(username=name))
    return HttpResponse("welcome")


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("bye")


@signed_cookies(resource="/course/*", path="/course")
def course(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f"course {number}")


@signed_cookies(resource=lambda request: f"/user/{request.user.pk}/*", path="/user")
async def own(request: HttpRequest) -> HttpResponse:
    return HttpResponse("yours")


def page(request: HttpRequest) -> HttpResponse:
    text = (
        '{% load keyfront %}<a href="{% signed_url key %}">{% signed_url other expires=60 as url %}{{ url|safe }}</a>'
    )
    return HttpResponse(
        Template(text).render(Context({"key": request.GET["key"], "other": "https://media.example.com/a"}))
    )


urlpatterns = [
    path("", home),
    path("async", home_async),
    path("in/<name>", sign_in),
    path("out", sign_out),
    path("course/<int:number>", course),
    path("own", own),
    path("page", page),
]
