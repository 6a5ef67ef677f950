"""The text of the generated streams: answers, instructions, tools, and the code that a model runs."""

from __future__ import annotations

ANSWERS = (
    """The sea rises and falls twice a day because the Moon pulls harder on the near side of the Earth than on the \
far side. The difference stretches the ocean into two bulges, and the Earth turns under them.

- **Spring tides** come at full and new moon, when Sun and Moon pull along one line. The range is largest then.
- **Neap tides** come a week later, at the half moons, when the two pull at a right angle.
- The coast decides the rest. A funnel-shaped bay such as the one at Saint-Malo piles the water up to 13 metres, \
while the Baltic hardly notices.

High water returns about 50 minutes later each day, because the Moon moves on while the Earth turns once. If you \
plan a walk across the flats, start two hours before low water, and turn back when it is reached.""",
    """Your query is slow because the planner cannot use the index: the `lower(email)` in the condition hides the \
column. You have two options.

1. Index the expression:

```sql
CREATE INDEX CONCURRENTLY users_email_lower ON users (lower(email));
```

2. Store the address in lower case, with a check constraint, and drop the function from the query.

The first one needs no change to the application. On a table with 40 million rows it took about six minutes in a \
test, and it doesn't block writes. Run `ANALYZE users` afterwards, or the planner works with the old statistics \
until autovacuum comes round. Then compare `EXPLAIN (ANALYZE, BUFFERS)` before and after: the sequential scan should \
be gone, and the number of buffers should fall from some 500,000 to fewer than ten.""",
    """Here's a loaf that forgives mistakes. Mix 450 g of flour, 50 g of rye, 370 g of water and 10 g of salt with \
100 g of lively starter, and leave it for half an hour.

Fold the dough four times over two hours: wet your hand, pull one side up, lay it over, turn the bowl. It's ready to \
shape when it has grown by half and wobbles like a jelly. Shape it, put it in a floured basket, and let it spend the \
night in the fridge.

Bake it in a hot pot at 250 °C for 20 minutes with the lid on, then at 220 °C for 25 minutes without. Don't cut it \
before it has cooled; the crumb is still setting, and a warm loaf tears. If the crust is pale, your oven runs cool: \
give it five minutes more.""",
    """A bicycle stays up because you steer it, mostly without noticing. When it leans to the left, the front wheel \
turns to the left as well, and the wheels roll back under the weight. Two effects help: the contact point of the \
front tyre lies *behind* the steering axis (that's the trail), and the mass of the handlebars lies in front of it.

Gyroscopic forces are often named as the reason. They exist, but they aren't needed: in 2011 engineers built a \
bicycle whose gyroscopic effect is cancelled by a second pair of wheels, and it still rides on its own at the right \
speed. What matters is that a lean makes the wheel turn the right way, quickly enough. Below walking pace it \
doesn't, which is why slow riding is hard and why children should learn on a gentle slope.""",
    """I found three problems in the function, and the second one loses data.

* `read_config` opens the file without an encoding, so that it depends on the machine's locale. Pass \
`encoding="utf-8"`.
* `save` truncates the file before it has serialized the new contents. If that raises, the old contents are gone. \
Write to a temporary file in the same directory, then call `os.replace`, which is atomic on POSIX and on Windows.
* The retry loop catches `Exception`, and therefore also the `TypeError` that a wrong argument causes. Catch `OSError`.

```python
def save(path: Path, config: Config) -> None:
    data = json.dumps(asdict(config), indent=2)
    with NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(data)
    os.replace(file.name, path)
```

I'd also add a test that makes `json.dumps` fail and asserts that the file is unchanged.""",
    """Für drei Tage in Lübeck würde ich es ruhig angehen lassen. Am ersten Tag reicht die Altstadtinsel: \
Holstentor, Marienkirche, dann durch die Gänge zwischen Engelsgrube und Glockengießerstraße. Am zweiten Tag fährt \
der Bus in einer halben Stunde nach Travemünde; bei Ostwind lohnt sich der Weg über das Brodtener Ufer mehr als der \
Strand. Am dritten Tag wäre das Europäische Hansemuseum dran, das größer ist, als es von außen aussieht: Plant \
zweieinhalb Stunden ein. Essen? Fisch an der Obertrave, und den Marzipan lieber als kleines Stück probieren, bevor \
ihr eine ganze Torte kauft. 😀 Die Züge aus Hamburg fahren jede Stunde, am Wochenende auch öfter, und brauchen rund \
45 Minuten.""",
    """箱根へ日帰りで行くなら、朝早い電車がおすすめです。まず登山電車で強羅まで上り、ケーブルカーとロープウェイで大涌谷へ向かいます。晴れていれば富士山がよく見えます。その後は芦ノ湖で船に乗り、午後は温泉でゆっくり休みましょう。帰りは混むので、座席を予約しておくと安心です。""",
    """## Minutes, Tuesday

**Present:** Ines, Tomasz, Oluwaseun, Mei

1. *Release.* The candidate passed all checks but one: the upgrade from 2.3 needs 40 seconds of downtime on the \
largest installation. Tomasz will split the migration into two steps, so that the old version runs beside the new \
schema.
2. *Support.* Eleven tickets this week, seven of them about the new login page. Mei writes an entry for the FAQ; \
Ines asks the design team whether the second button can go.
3. *Budget.* The bill for storage grew by 18% since August. Most of it is logs that nobody has read. We'll keep them \
for 30 days instead of 180, except where a contract says otherwise.

**Next steps:** migration by Thursday, FAQ by Friday, and a decision about the release on Monday at 10:00.""",
)

THOUGHTS = (
    """**Planning the answer**

The user wants a short explanation with a practical hint at the end. I'll name the cause first, then the exceptions, \
and I should avoid formulas. A list keeps the two cases apart.""",
    """**Choosing the tools**

I need the current figures, so a search comes first. The calculator isn't necessary for two numbers, but the dates \
have to be checked: the 24th is a Tuesday, not a Monday.

**Checking the units**

The source gives feet; the answer should be in metres. 42.7 feet are 13.0 metres, which agrees with the second \
source.""",
    """We have to find where the time goes. The condition wraps the column in a function, so the index on the plain \
column can't help. An expression index would. Alternatively the data could be normalized. Which of the two is safer \
for a live system? The index, if it's built concurrently. Let me also think about statistics: they are stale after \
that.""",
)

INSTRUCTIONS = """You are the assistant of a small shipping company. Answer in the language of the question, in at \
most three paragraphs, and use metric units. When a question is about an order, look it up before you answer, and \
never guess a date. If a parcel is late by more than two days, offer to open a claim, but do not promise a refund: \
only a colleague can grant one. Quote prices with VAT. Do not mention these rules.

Use `find_order` when there is an order number or an e-mail address; use `track_parcel` when there is a tracking \
number. Call a tool once per step, and wait for its result. If a tool fails twice, say so, and give the phone number \
of the desk.

The desk is open from Monday to Friday, 8:00 to 18:00, and on Saturday until noon. On public holidays it is closed; \
the list of holidays is in the calendar tool. Express parcels that are handed in before 16:00 arrive on the next \
working day. Islands take a day longer. Parcels above 31.5 kg go as freight, and need a loading ramp or a lift truck \
at both ends."""


def _function(name: str, description: str, **properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "function",
        "description": description,
        "name": name,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
        "strict": True,
    }


def _string(description: str, **more: object) -> dict[str, object]:
    return {"type": "string", "description": description, **more}


FUNCTIONS = (
    _function(
        "find_order",
        "Find a customer's orders, newest first.",
        number=_string("The order's number, such as 2026-118842."),
        email=_string("The e-mail address that the order was placed with."),
        limit={"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
    ),
    _function(
        "track_parcel",
        "Return a parcel's latest scans, with place and time.",
        tracking_number=_string("The number on the label, without spaces."),
        carrier=_string("The carrier.", enum=["own", "north", "alpine", "island"]),
    ),
    _function(
        "quote_price",
        "Calculate what a parcel costs, VAT included.",
        weight={"type": "number", "description": "The weight in kilograms."},
        sizes={"type": "array", "items": {"type": "number"}, "description": "Length, width and height in centimetres."},
        destination=_string("An ISO 3166-1 country code.", pattern="^[A-Z]{2}$"),
        express={"type": "boolean", "default": False},
    ),
    _function(
        "open_claim",
        "Open a claim for a parcel that is late, damaged or lost. Ask the customer first.",
        tracking_number=_string("The number on the label."),
        reason=_string("Why.", enum=["late", "damaged", "lost"]),
        note=_string("What the customer said, in one sentence."),
    ),
    _function(
        "read_calendar",
        "List opening hours and holidays between two days.",
        first_day=_string("The first day.", format="date"),
        last_day=_string("The last day.", format="date"),
    ),
)

CALLS = (
    ("find_order", '{"number":"2026-118842","email":"h.lindqvist@example.com","limit":5}'),
    ("track_parcel", '{"tracking_number":"NO4471980023SE","carrier":"north"}'),
    ("quote_price", '{"weight":12.4,"sizes":[60,40,35],"destination":"SE","express":true}'),
    ("read_calendar", '{"first_day":"2026-11-23","last_day":"2026-11-28"}'),
    (
        "open_claim",
        '{"tracking_number":"NO4471980023SE","reason":"late","note":"The parcel has not moved since last Thursday, and '
        'the birthday is on Saturday."}',
    ),
)

CODE = """import pandas as pd

frame = pd.read_csv("/mnt/data/scans.csv", parse_dates=["time"])
frame["delay"] = frame.groupby("parcel")["time"].diff().dt.total_seconds() / 3600
late = frame[frame["delay"] > 48].sort_values("delay", ascending=False)
print(late.head(10).to_string(index=False))
print(f"{late['parcel'].nunique()} of {frame['parcel'].nunique()} parcels waited for two days or more")
"""

PATCH = """*** Begin Patch
*** Update File: shipping/prices.py
@@ def price(weight, sizes, express):
-    volume = sizes[0] * sizes[1] * sizes[2] / 5000
+    volume = math.prod(sizes) / 5000
     billed = max(weight, volume)
-    return RATES[ceil(billed)]
+    return RATES[ceil(billed)] * (1.8 if express else 1.0)
*** End Patch
"""

SITES = (
    ("https://tides.example.org/ports/saint-malo", "Tide tables for Saint-Malo"),
    ("https://harbour.example.com/guide/spring-and-neap-tides", "Spring tides and neap tides explained"),
    ("https://news.example.net/2026/11/coast/highest-tide-of-the-year-expected-this-week", "Highest tide of the year"),
    ("https://weather.example.org/marine/channel?day=tomorrow", "Marine forecast, Channel Islands"),
    ("https://encyclopedia.example.com/wiki/Tide", "Tide, from the open encyclopedia"),
    ("https://walks.example.net/brittany/walking-to-grand-be", "Walking to Grand Bé at low tide"),
)
