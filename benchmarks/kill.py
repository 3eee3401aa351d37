"""`make kill-test`: kill -9 of the web process under load, many times over; every answer that left it must be in the
database.

Clients post predictions and reviews as fast as they can. At a random moment the web server and its workers are killed
together and started again. Then each prediction id, review and rating that a client was answered with is looked up.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")

import django

django.setup()

from django.contrib.auth import get_user_model
from rest_framework_simplejwt.tokens import RefreshToken

from benchmarks.servers import MANAGE, free_port, wait_for
from benchmarks.shops import need_live
from experiments.models import Prediction
from reviews.models import Product, Rating, Review

PORT = free_port()
USERS = 100  # of one client
TEXTS = ["Lovely fabric, fits well.", "Too small and badly made.", "Not bad, but not worth the price either."]


@dataclass
class Client:
    """Reviews a product as one of its users, no pair twice, and asks for predictions in between; keeps what was
    answered.
    """

    user_ids: list[int]
    pairs: "Iterator[tuple[str, int]]"  # an access token and a product
    predictions: list[str] = field(default_factory=list)
    reviews: list[tuple[int, str]] = field(default_factory=list)
    other: "Counter[int]" = field(default_factory=Counter)

    def run(self, stop: threading.Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        token, _ = next(self.pairs)
        for turn in itertools.count():
            if stop.is_set():
                return
            review = turn % 2
            token, product = next(self.pairs) if review else (token, 0)
            path = f"reviews/{product}/sentiment/" if review else "predict/sentiment/"
            body = json.dumps({"text": TEXTS[turn % 3], **({"rating": 4.5} if review else {})})
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            try:
                connection.request("POST", f"/api/v1/{path}", body, headers)
                answer = connection.getresponse()
                given = json.loads(answer.read())
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                connection.close()  # killed before it answered: nothing was promised
                time.sleep(0.02)
                continue
            if answer.status == 200:
                self.predictions.append(given["prediction_id"])
            elif answer.status == 201:
                self.reviews.append((given["review"]["id"], given["prediction_id"]))
            else:
                self.other[answer.status] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    need_live("sentiment")
    rng = random.Random(options.seed)
    clients = [_client() for _ in range(options.clients)]
    stop = threading.Event()
    threads = [threading.Thread(target=client.run, args=[stop], daemon=True) for client in clients]
    started = time.monotonic()
    web = _start()
    for thread in threads:
        thread.start()
    for kill in range(1, options.kills + 1):
        before = sum(len(client.predictions) + len(client.reviews) for client in clients)
        while sum(len(client.predictions) + len(client.reviews) for client in clients) < before + 20:
            time.sleep(0.005)  # it serves; now at any moment
        time.sleep(rng.uniform(0, 0.4))
        os.killpg(web.pid, signal.SIGKILL)
        web.wait()
        web = _start()
        if kill % 20 == 0:
            print(f"{kill} kills, {time.monotonic() - started:.0f} s", flush=True)
    stop.set()
    for thread in threads:
        thread.join()
    os.killpg(web.pid, signal.SIGKILL)
    web.wait()
    _check(clients, options.kills)


def _start() -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [*MANAGE, "web", "--port", str(PORT)], start_new_session=True,
        env={**os.environ, "THROTTLE_USER": "100000000/min"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(f"http://127.0.0.1:{PORT}/healthz", process)
    return process


def _client() -> Client:
    tokens = {}
    for _ in range(USERS):
        user = get_user_model().objects.create_user(f"kill-{secrets.token_hex(6)}")
        token = RefreshToken.for_user(user).access_token
        token.set_exp(lifetime=timedelta(hours=10))
        tokens[user.pk] = str(token)
    products = list(Product.objects.order_by("id").values_list("pk", flat=True))
    return Client(list(tokens), itertools.product(tokens.values(), products))


def _check(clients: list[Client], kills: int) -> None:
    users = [pk for client in clients for pk in client.user_ids]
    logged = {str(pk) for pk in Prediction.objects.filter(user_id__in=users).values_list("pk", flat=True)}
    reviews = dict(Review.objects.filter(author__in=users).values_list("pk", "product_id"))
    authors = dict(Review.objects.filter(author__in=users).values_list("pk", "author_id"))
    rated = set(Rating.objects.filter(user__in=users).values_list("user_id", "product_id"))
    predictions = [one for client in clients for one in client.predictions]
    answered = [one for client in clients for one in client.reviews]
    lost = sum(one not in logged for one in predictions)
    lost += sum(
        pk not in reviews or (authors[pk], reviews[pk]) not in rated or prediction not in logged
        for pk, prediction in answered
    )
    other = dict(sum((client.other for client in clients), Counter()))
    print(f"{kills} kills; answered: {len(predictions):,} predictions and {len(answered):,} reviews; others: {other}")
    print(f"lost: {lost}")
    if lost or not predictions or not answered or other:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
