"""The one page of the shop."""

from django.http import JsonResponse
from django.urls import path

from shop.tasks import greet


def signup(request):
    greet.delay(request.GET["email"])
    return JsonResponse({"ok": True})


urlpatterns = [path("signup", signup)]
