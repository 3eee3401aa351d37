"""The steps of an A/B test in the admin: a page that says what will happen and asks why, then the service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action

from experiments import ab_tests
from experiments.ab_test_forms import WhyForm, WinnerForm
from experiments.errors import DomainError
from experiments.models import ABTest

State = ABTest.State
RUN = ["run", "view"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that can be done with a test in one of these states."""

    title: str
    states: Sequence[ABTest.State]
    words: str
    act: Callable[..., ABTest | ab_tests.Winner]
    form: type[WhyForm] = WhyForm


STEPS = {
    "start": Step(
        title="Start",
        states=ab_tests.BEFORE[State.RUNNING],
        words="Users are served their variants within two seconds, and who had one before has it again.",
        act=ab_tests.ab_test_start,
    ),
    "pause": Step(
        title="Pause",
        states=ab_tests.BEFORE[State.PAUSED],
        words="The live version answers everybody until the test is started again.",
        act=ab_tests.ab_test_pause,
    ),
    "stop": Step(
        title="Stop",
        states=ab_tests.BEFORE[State.STOPPED],
        words="The live version answers everybody from now on. A stopped test cannot be started again.",
        act=ab_tests.ab_test_stop,
    ),
    "promote_winner": Step(
        title="Promote the winner",
        states=(State.STOPPED,),
        words="Its version goes live, unless it is worse than the live one on held-out rows. Measuring takes a while.",
        act=ab_tests.ab_test_promote_winner,
        form=WinnerForm,
    ),
}


class StepsAdmin(ModelAdmin):
    """Has the steps as buttons on the page of a test."""

    def has_run_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("experiments.run_abtest")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Without those that its state does not allow."""
        test = self.get_object(request, unquote(object_id))
        out = [name for name, step in STEPS.items() if not test or test.state not in step.states]
        names = {f"experiments_abtest_{name}" for name in out}
        return [one for one in super().get_actions_detail(request, object_id) if one.action_name not in names]

    @action(description="Start", url_path="start", permissions=RUN, icon="play_arrow")
    def start(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "start")

    @action(description="Pause", url_path="pause", permissions=RUN, icon="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "pause")

    @action(description="Stop", url_path="stop", permissions=RUN, icon="stop")
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "stop")

    @action(description="Promote the winner", url_path="promote-winner", permissions=RUN, icon="trophy")
    def promote_winner(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "promote_winner")

    def page(self, request: HttpRequest, test: ABTest, template: str, title: str, **more: Any) -> HttpResponse:
        """One of a test's own pages."""
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": test, "title": title,
            "subtitle": str(test), "media": self.media, **more,
        }  # fmt: skip
        return TemplateResponse(request, f"admin/experiments/abtest/{template}", context)

    def _step(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """GET asks, POST takes the step. What the service refuses is said on the page of the test."""
        test, step = self.get_object(request, unquote(object_id)), STEPS[name]
        if not test:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        form = step.form(test, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self.page(request, test, "step.html", step.title, step=step, form=form, back=_page_of(test))
        try:
            done = step.act(test_id=test.pk, by=request.user, **form.cleaned_data)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, _said(done), messages.SUCCESS)
        return redirect(_page_of(test))


def _page_of(test: ABTest) -> str:
    return reverse("admin:experiments_abtest_change", args=[test.pk])


def _said(done: ABTest | ab_tests.Winner) -> str:
    if isinstance(done, ABTest):
        return f"{done} is {done.state}."
    asked = f" {ab_tests.set_where_asked(done.config)}" if done.config else ""
    return f"{done.promotion.to_version} is live.{asked}"
