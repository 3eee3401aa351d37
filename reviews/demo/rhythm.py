"""When people shop: more on weekends, most in the evening, hardly at night."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 13, 15, 13, 11, 10, 11, 14, 17, 21, 24, 21, 13, 6)
_WEEKDAYS = (1.0, 0.95, 0.95, 1.0, 1.05, 1.3, 1.4)


def times_draw(
    rng: np.random.Generator, today: datetime, days: int, count: int, growth: float
) -> npt.NDArray[np.float64]:
    """`count` moments as seconds before `today` (all above 0, unsorted) within the last `days` days; the last day is
    `growth` times as busy as the first."""
    back = np.arange(days, 0, -1)
    weekday = np.array([_WEEKDAYS[(today - timedelta(days=int(day))).weekday()] for day in back])
    weights = weekday * np.linspace(1.0, growth, days)
    day = rng.choice(back, size=count, p=weights / weights.sum())
    hour = rng.choice(24, size=count, p=np.array(_HOURS) / sum(_HOURS))
    return day * 86_400 - hour * 3600 - rng.uniform(1, 3599, size=count)
