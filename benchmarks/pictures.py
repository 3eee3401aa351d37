"""`make bench-vision`: what is on a picture, with login, validation and the log on disk, against the tutorial's bare
Keras service.

Asked in turn, A B C A B C, about the same photographs: this project, the tutorial's service, this project with
micro-batching the other way round; then ONNX Runtime alone with a picture that is decoded already: no service can do
more. What counts are the medians and their ratios. First with the network's thousand classes alone, then with the
shop's own category besides. The shop is made anew, with the photographs as its products' pictures.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shops import DATA, choose, make_database, step

choose("pictures")
os.environ.setdefault("ACCESS_TOKEN_MINUTES", "600")

import django

django.setup()

import numpy as np
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from rest_framework_simplejwt.tokens import RefreshToken

from benchmarks.footprint import alone, in_one, memory, starts
from benchmarks.servers import MANAGE, ROOT, Load, free_port, load, server
from benchmarks.yardstick import THROTTLE, assert_honest, report, yardstick_tables
from experiments.models import Prediction
from reviews.models import Product, Rating
from vision.ml.image import IMAGE

PORTS = [str(free_port()) for _ in range(3)]
OURS, THEIRS, TURNED = (f"http://127.0.0.1:{port}" for port in PORTS)
GRANIAN = [
    sys.executable, "-m", "granian", "benchmarks.batched:application", "--interface", "wsgi", "--workers",
    str(os.cpu_count()), "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "--port",
]  # fmt: skip
PATH, PER_CLASS = "/api/v1/products/classify-image/", 10
BOUNDARY, HEAD = b"photograph", b'Content-Disposition: form-data; name="image"; filename="a.jpg"'
PHASES = {"thousand classes": ["image"], "and the shop's category": ["image_embedding", "category"]}  # put live for it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yardstick", default=os.environ.get("YARDSTICK", str(ROOT.parent / "shared" / "yardstick")))
    parser.add_argument("--data", type=Path, default=DATA / "images" / "clothing" / "train", help="one folder a class")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="of one load")
    options = parser.parse_args()
    make_database("pictures")
    assert_honest()
    bodies, network = photographs(options.data), in_one()
    user = get_user_model().objects.create_user("bench", password=os.urandom(12).hex())
    Rating.objects.create(user=user, product=Product.objects.earliest("id"), value=4)  # the yardstick wants one
    token = str(RefreshToken.for_user(user).access_token)
    sides = [(OURS + PATH, token), (f"{THEIRS}/classify/image", ""), (TURNED + PATH, token)]
    send = partial(load, bodies=bodies, content_type=f"multipart/form-data; boundary={BOUNDARY.decode()}")

    def turn(clients: int, seconds: int) -> list[Load]:
        return [send(url, clients=clients, seconds=seconds, tokens=[key]) for url, key in sides]

    answered = 0
    with tempfile.TemporaryDirectory() as folder:
        tables = yardstick_tables(Path(folder), [("", "good", 5.0), ("", "bad", 1.0)])
        yardstick = [sys.executable, f"{options.yardstick}/tutorial_service.py", *tables, "--vision", "--port"]
        with (
            server([*yardstick, PORTS[1]], f"{THEIRS}/"),
            server([*MANAGE, "web", "--port", PORTS[0]], f"{OURS}/readyz", THROTTLE_USER=THROTTLE) as web,
            server([*GRANIAN, PORTS[2]], f"{TURNED}/readyz", THROTTLE_USER=THROTTLE),
        ):
            for what, tasks in PHASES.items():
                for task in tasks:
                    step("train", task, "--promote", "--verbosity", "0")
                time.sleep(5)  # what runs serves it within two seconds
                answered += sum(one.answers for one in turn(4, 2)[::2])  # the first ones are slow
                for clients in (1, 4):
                    limits, turns = zip(*((alone(network, options.seconds), turn(clients, options.seconds))
                                          for _ in range(options.rounds)), strict=True)  # fmt: skip
                    answered += sum(ours.answers + turned.answers for ours, _, turned in turns)
                    told(what, clients, turns, limits)
            memory(web.pid)
    starts(["image", "image_embedding", "category"])
    logged = Prediction.objects.filter(user_id=user.pk, task="image").count()
    print(f"answers {answered:,}, predictions in the log {logged:,}")
    assert logged >= answered, "there are answers that are not in the log"


def told(what: str, clients: int, turns: Sequence[Sequence[Load]], limits: Sequence[float]) -> None:
    report(f"POST products/classify-image/, {what}", clients, [(ours, theirs) for ours, theirs, _ in turns])
    ours, _, turned = (np.array([one.rate for one in side]) for side in zip(*turns, strict=True))
    way, gain = "off" if IMAGE.batching else "on", np.median(turned / ours)
    print(f"with micro-batching {way} {np.median(turned):.0f}/s, {gain:.2f} of this project's rate")
    share = np.median(ours / np.array(limits))
    print(f"ONNX Runtime alone on two threads {np.median(limits):.0f}/s, of which this is {share:.2f}", flush=True)


def photographs(folder: Path) -> list[bytes]:
    """As the bodies of requests; each is a product's picture too."""
    files = [file for kind in sorted(folder.glob("*/")) for file in sorted(kind.glob("*.jpg"))[:PER_CLASS]]
    assert files, f"there are no photographs in {folder}: SHOP_DATA= names the folder with images/clothing"
    for file in files:
        Product.objects.create(category=file.parent.name, image=ContentFile(file.read_bytes(), file.name))
    return [b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY, HEAD, file.read_bytes(), BOUNDARY) for file in files]


if __name__ == "__main__":
    main()
