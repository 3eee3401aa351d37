"""2,000 homes of a town that is not there: synthetic, so that `price` has something to learn from in a new shop.

    price = level of the neighbourhood * sqft ** 0.8 * 1.03 ** (bedrooms - 3) * 1.08 ** (bathrooms - 2) * exp(0.12 * z)

rounded to 500 dollars, where z is drawn from the normal distribution. Areas are log-normal around 1,750 square feet;
bedrooms and bathrooms go with the area, and by chance. Figures that a model reaches on these say what the formula says
and nothing of homes.
"""

import numpy as np
import pandas as pd

COUNT = 2_000
SYNTHETIC = "synthetic"
# Level in dollars, and how many of a thousand homes are there. Two neighbourhoods are seldom.
NEIGHBOURHOODS = {
    "Lantern Hill": (1_750.0, 60),
    "Old Harbour": (1_500.0, 90),
    "Orchard Rise": (1_300.0, 110),
    "Minster Close": (1_200.0, 80),
    "Larkfield": (1_050.0, 140),
    "Mill Quarter": (950.0, 120),
    "Northgate": (850.0, 130),
    "Copper Yard": (780.0, 90),
    "Saltmarsh": (700.0, 90),
    "Tramway End": (600.0, 75),
    "Heron Island": (2_100.0, 12),
    "Quarry Row": (520.0, 3),
}


def homes_make(seed: int) -> pd.DataFrame:
    """Columns bedrooms (int), bathrooms (quarters), sqft (tens), location, price and source, which is SYNTHETIC."""
    rng = np.random.default_rng([seed, 5])
    levels, shares = np.array([*NEIGHBOURHOODS.values()]).T
    place = rng.choice(len(levels), COUNT, p=shares / shares.sum())
    sqft = np.clip(np.round(rng.lognormal(np.log(1_750), 0.4, COUNT), -1), 350, 7_000)
    bedrooms = np.clip(np.round(sqft / 600 + rng.normal(0, 0.7, COUNT)), 0, 7)
    bathrooms = np.clip(np.round(4 * (sqft / 850 + rng.normal(0, 0.4, COUNT))) / 4, 1, 6)
    rooms = 1.03 ** (bedrooms - 3) * 1.08 ** (bathrooms - 2)
    price = levels[place] * sqft**0.8 * rooms * np.exp(0.12 * rng.normal(size=COUNT))
    columns = {
        "bedrooms": bedrooms.astype(int),
        "bathrooms": bathrooms,
        "sqft": sqft.astype(int),
        "location": np.array([*NEIGHBOURHOODS])[place],
        "price": (np.round(price / 500) * 500).astype(int),
        "source": SYNTHETIC,
    }
    return pd.DataFrame(columns)
