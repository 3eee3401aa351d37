// What stands around the network of `price`: how a home is read, and what makes a price of the network's answer. The
// same as in pricing/ml/tabular.py, conformal.py and regression.py. Runs in a page and in Node.

const THERE = { log: Math.log, log1p: Math.log1p, none: (value) => value };
const BACK = { log: Math.exp, log1p: Math.expm1, none: (value) => value };

const read = (column, value) => {
  const clipped = Math.min(Math.max(value, column.low), column.high);
  return (THERE[column.transform](clipped) - column.mean) / column.scale;
};

/** The value of a column that lies so many scales from the mean. */
export const back = (column, standard) => BACK[column.transform](column.mean + column.scale * standard);

/** Whether a value lies beyond all that was learned from. */
export const outside = (column, value) => !(column.low <= value && value <= column.high);

/** The edition that `address` describes, with its `network`. Rejects with the server's own words where it has none. */
export async function load(tf, address) {
  const answer = await fetch(address);
  const edition = await answer.json();
  if (!answer.ok) throw new Error(edition.detail);
  await tf.setBackend("cpu"); // WebGL has half precision on some phones, and is slower for so small a network
  return { ...edition, network: await tf.loadLayersModel(new URL(edition.model_url, address).href) };
}

/**
 * What the server answers to homes {bedrooms, bathrooms, sqft, location, coverage}, before it rounds to cents. A location
 * that is not known is priced as any other.
 */
export function predict(tf, { network, preprocessing, interval }, homes) {
  const { columns, locations, target } = preprocessing;
  const rows = homes.map((home) => columns.map((column) => read(column, home[column.name])));
  const places = homes.map((home) => [locations.indexOf(home.location) + 1]);
  const answers = tf.tidy(() =>
    network.predict([tf.tensor2d(rows), tf.tensor2d(places, [places.length, 1], "int32")]).arraySync(),
  );
  return homes.map((home, number) => {
    const [centre, width] = answers[number];
    const at = (score) => back(target, centre + score * Math.exp(width));
    const price = at(0);
    const extrapolating = outside(target, price) || columns.some((column) => outside(column, home[column.name]));
    return { predicted_price: price, interval: scores(interval, home.coverage).map(at), extrapolating };
  });
}

/** Where an interval of this coverage ends, in scales: between two coverages of the table by a straight line. */
function scores({ coverages, lower, upper }, coverage) {
  const last = coverages.length - 1;
  const place = ((coverage - coverages[0]) / (coverages[last] - coverages[0])) * last;
  const left = Math.min(Math.floor(place), last - 1);
  return [lower, upper].map((ends) => ends[left] + (ends[left + 1] - ends[left]) * (place - left));
}
