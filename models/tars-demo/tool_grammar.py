"""Tools of a grammar: verb, thing and property are drawn, so no two are quite alike and a request is matched, not recalled.

Each tool has the form of an entry of data/tools.json: names, descriptions, parameters, requests, slots.
"""

from __future__ import annotations

import random

THINGS = """invoice|customer|ticket|printer|car|garden|playlist|order|shipment|parcel|account|employee|student|teacher|patient|doctor|nurse|
hotel room|table|flight|train|bus|ship|ferry|bicycle|truck|warehouse|shelf|box|server|database|backup|website|domain|certificate|router|sensor|
camera|door|window|lamp|heater|oven|fridge|washing machine|robot|drone|elevator|alarm|battery|pump|valve|engine|machine|tool|contract|policy|claim|
loan|payment|refund|coupon|voucher|subscription|membership|donation|budget|expense|salary|tax form|receipt|meeting|event|appointment|class|course|
lesson|exam|quiz|homework|project|task|milestone|sprint|bug report|pull request|branch|repository|release|build|test run|container|cluster|
document|folder|file|photo|album|video|song|artist|podcast|book|article|newspaper|magazine|poem|recipe|ingredient|meal|drink|diet|workout|
exercise|match|team|player|league|tournament|game|level|quest|character|pet|dog|cat|horse|cow|hive|tree|plant|seed|field|farm|harvest|lake|river|
mountain|island|beach|park|museum|theater|cinema|concert|library|school|hospital|pharmacy|factory|office|house|apartment|kitchen|roof|wall|bridge|
road|tunnel|harbor|airport|station|stop|route|trip|tour|guide|map|planet|star|satellite|rocket|telescope|lab|experiment|sample|molecule|
gene|protein|crystal|metal|stone|coin|stamp|painting|statue|violin|piano|guitar|choir|band|stage|costume|dress|shirt|shoe|hat|ring|watch|phone|
laptop|tablet|monitor|keyboard|game console|meter|thermostat|solar panel|turbine|generator|vehicle|trailer|container ship|locker|badge|visitor|
guest|tenant|landlord|lawyer|judge|court case|permit|passport|visa|license plate|parking spot|charging station|newsletter|survey|comment|review|
message|chat room|channel|contact|group|note|reminder|timer|bookmark|password|token|key|rule|filter|report|chart|dashboard|metric|log|job|
queue|stock|fund|bond|wallet|currency|price list|catalog|product|supplier|store|shop|basket|menu|coffee|wine|beer|cake""".replace("\n", "").split("|")

# A property, and questions for it that need not name it; {x} is the thing with its value.
PROPERTIES: dict[str, list[str]] = {
    "price": ["How much does {x} cost?", "How expensive is {x}?", "what do I pay for {x}"], "status": ["How is {x} doing?", "What state is {x} in?", "Is {x} all right?"],
    "owner": ["Who owns {x}?", "Whose is {x}?", "Who does {x} belong to?"], "location": ["Where is {x}?", "Where can I find {x}?", "Tell me where {x} is"],
    "size": ["How big is {x}?", "How large is {x}?"], "weight": ["How heavy is {x}?", "What does {x} weigh?"], "height": ["How tall is {x}?", "How high is {x}?"],
    "length": ["How long is {x}?"], "age": ["How old is {x}?"], "color": ["Which color does {x} have?", "what colour is {x}"], "temperature": ["How warm is {x}?", "How hot is {x} now?", "Is {x} cold?"],
    "balance": ["How much money is left on {x}?", "How much is on {x}?"], "history": ["What happened to {x} so far?", "Show me what was done with {x}"], "schedule": ["When is {x} on?", "What are the times of {x}?"],
    "opening hours": ["When does {x} open?", "Is {x} still open?", "Until when is {x} open?"], "address": ["What street is {x} in?"], "phone number": ["How can I call {x}?", "I want to ring {x}"],
    "rating": ["How good is {x}?", "What do people think of {x}?", "How many stars has {x}?"], "due date": ["When is {x} due?", "How long do I have for {x}?"], "speed": ["How fast is {x}?"],
    "power usage": ["How much power does {x} use?", "How many watts does {x} draw?"], "battery level": ["How full is the battery of {x}?", "Does {x} need charging?"], "capacity": ["How many fit into {x}?", "How much can {x} hold?"],
    "version": ["Which version is {x}?", "Is {x} up to date?"], "author": ["Who wrote {x}?", "Who made {x}?"], "summary": ["What is {x} about?", "Sum up {x}", "Give me the gist of {x}"], "details": ["Tell me everything about {x}", "What do you know about {x}?"],
    "members": ["Who is in {x}?", "Who belongs to {x}?"], "manager": ["Who is in charge of {x}?", "Who runs {x}?"], "score": ["How many points has {x}?"], "delay": ["How late is {x}?", "Is {x} on time?"], "cost": ["How much was {x}?"],
    "priority": ["How urgent is {x}?"], "language": ["Which language is {x} in?"], "stock level": ["How many of {x} are left?", "Do we still have {x}?"], "noise level": ["How loud is {x}?"], "distance": ["How far is {x}?"],
    "depth": ["How deep is {x}?"], "humidity": ["How damp is {x}?"], "usage": ["How much is {x} used?"], "name": ["What is {x} called?"], "category": ["What kind is {x}?"], "permissions": ["Who may open {x}?"],
}
READ = ["get", "fetch", "read", "show", "look_up", "check", "query", "find", "retrieve"]
READ_ASKS = ["What is the {p} of {x}?", "Show me the {p} of {x}", "{p} of {x}", "Get the {p} for {x}", "I need the {p} of {x}", "Tell me the {p} of {x}, please", "Can you check the {p} of {x}?", "look up the {p} for {x}", "Do you know the {p} of {x}?", "{x}: what's the {p}?"]
WRITE = ["set", "change", "update", "edit", "modify", "adjust"]
WRITE_ASKS = ["Set the {p} of {x} to {value}", "Change the {p} of {x} to {value}", "The {p} of {x} should be {value}", "Make {value} the {p} of {x}", "update {x}: {p} {value}", "Please put the {p} of {x} at {value}", "From now on the {p} of {x} is {value}", "I want {value} as the {p} of {x}"]
MAKE = ["create", "add", "make", "new", "register", "insert", "open"]
MAKE_ASKS = ["Create a {t} called {name}", "Add a new {t} named {name}", "Make me a {t} with the name {name}", "I need a new {t}: {name}", "new {t} {name}", "Please register the {t} {name}", "Set up a {t} {name}", "We have a new {t}, {name}, put it in"]
REMOVE = ["delete", "remove", "cancel", "erase", "drop", "close"]
REMOVE_ASKS = ["Delete {x}", "Remove {x}", "Get rid of {x}", "I don't need {x} any more", "Cancel {x}, please", "throw {x} away", "{x} can go", "Please erase {x} for good", "We no longer want {x}"]
SEARCH = ["search", "find", "look_for", "query", "browse"]
SEARCH_ASKS = ["Search the {t}s for {query}", "Find a {t} about {query}", "Is there a {t} with {query}?", "Look for {query} in the {t}s", "I am looking for a {t}: {query}", "which {t} has {query}", "{t}s matching {query}", "Show me {t}s for {query}"]
LIST = ["list", "show", "get_all", "get", "enumerate"]
LIST_ASKS = ["List all {t}s that are {state}", "Which {t}s are {state}?", "Show me every {state} {t}", "Give me the {state} {t}s", "How many {t}s are {state}? List them", "all {state} {t}s please"]
SEND = ["send", "post", "mail", "deliver", "share", "forward"]
SEND_ASKS = ["Send {x} to {person}", "Forward {x} to {person}", "Let {person} have {x}", "{person} needs {x}, send it", "Share {x} with {person}", "Pass {x} on to {person}", "please get {x} over to {person}"]
RUN = [("start", ["start", "run", "launch", "turn_on", "switch_on"], ["Start {x}", "Turn on {x}", "Switch {x} on", "Get {x} going", "Launch {x} please", "I want {x} to run"], "Starts a {t}."), ("stop", ["stop", "halt", "turn_off", "switch_off", "shut_down"], ["Stop {x}", "Turn {x} off", "Switch off {x}", "Shut {x} down", "{x} has to stop", "Can you halt {x}?"], "Stops a {t}."), ("lock", ["lock", "secure"], ["Lock {x}", "Nobody should get into {x}, lock it", "Make {x} secure"], "Locks a {t}."), ("repair", ["repair", "fix", "service"], ["Fix {x}", "{x} is broken", "Repair {x} please", "{x} does not work, have it repaired"], "Has a {t} repaired."), ("clean", ["clean", "wash"], ["Clean {x}", "{x} is dirty", "Wash {x} please"], "Cleans a {t}."), ("inspect", ["inspect", "examine", "audit"], ["Inspect {x}", "Have a close look at {x}", "Examine {x}, please"], "Inspects a {t}."), ("archive", ["archive", "store", "keep"], ["Archive {x}", "Put {x} into the archive", "Store {x} away"], "Puts a {t} into the archive."), ("copy", ["copy", "duplicate", "clone"], ["Copy {x}", "Make a second {x}", "Duplicate {x}"], "Makes a copy of a {t}."), ("print", ["print", "print_out"], ["Print {x}", "I need {x} on paper", "Print out {x} for me"], "Prints a {t}."), ("approve", ["approve", "confirm", "accept"], ["Approve {x}", "I agree with {x}", "{x} is fine, confirm it"], "Approves a {t}.")]
BOOK = ["book", "reserve", "schedule", "plan"]
BOOK_ASKS = ["Book a {t} for {count} people on {date}", "Reserve a {t} on {date} for {count}", "We need a {t} on {date}, we are {count}", "{count} of us want a {t} on {date}", "Can I get a {t} for {count} on {date}?", "a {t} on {date} for {count} persons, please"]
MOVE = ["move", "transfer", "bring", "relocate"]
MOVE_ASKS = ["Move {x} to {place}", "Bring {x} to {place}", "{x} should be in {place}", "Take {x} over to {place}", "Transfer {x} to {place} please"]
COMPARE_ASKS = ["Compare {first} with {second}", "Which {t} is better, {first} or {second}?", "{first} or {second}?", "What is the difference between the {t}s {first} and {second}?"]
COUNT_ASKS = ["How many {t}s are in {place}?", "Count the {t}s in {place}", "number of {t}s in {place}", "Are there many {t}s in {place}?"]
STATES = [["open", "closed"], ["active", "inactive"], ["new", "old", "used"], ["pending", "done", "failed"], ["free", "busy"], ["paid", "unpaid"], ["red", "green", "blue"], ["low", "medium", "high"], ["draft", "published"], ["ready", "waiting"]]
FORMULAS = [
    ("rectangle area", ["width", "height"], ["What is the area of a rectangle {0} wide and {1} high?", "area of a {0} by {1} rectangle", "How big is a floor of {0} times {1}?"]), ("tip", ["bill", "percent"], ["How much is a {1} percent tip on {0}?", "What do I tip for a bill of {0} at {1} percent?", "tip {1} % on {0}"]),
    ("speed", ["distance", "hours"], ["How fast is {0} km in {1} hours?", "I drove {0} km in {1} hours, what is my speed?"]), ("discount", ["price", "percent"], ["What is {0} with {1} percent off?", "price of {0} after a discount of {1} percent"]),
    ("loan payment", ["amount", "years"], ["What do I pay for a loan of {0} over {1} years?", "monthly rate for {0} in {1} years"]), ("fuel cost", ["distance", "price"], ["What does fuel for {0} km cost at {1} a litre?", "fuel cost {0} km, price {1}"]), ("average", ["first", "second"], ["What is the average of {0} and {1}?", "mean of {0} and {1}"]),
    ("product", ["a", "b"], ["What is {0} times {1}?", "Multiply {0} by {1}", "{0} x {1}"]), ("quotient", ["a", "b"], ["What is {0} divided by {1}?", "Divide {0} by {1}"]), ("power", ["base", "exponent"], ["What is {0} to the power of {1}?", "Raise {0} to {1}"]), ("body mass index", ["weight", "height"], ["What is my BMI with {0} kg and {1} cm?", "body mass index for {0} kg, {1} cm"]),
    ("circle area", ["radius"], ["Area of a circle with radius {0}?", "How big is a circle of radius {0}?"]), ("square root", ["number"], ["What is the square root of {0}?", "root of {0}"]), ("factorial", ["n"], ["What is {0} factorial?", "{0}!"]), ("prime check", ["number"], ["Is {0} prime?", "Check whether {0} is a prime number"]),
]
UNITS = [("length", ["km", "miles", "meters", "feet", "inches", "cm"]), ("weight", ["kg", "pounds", "grams", "ounces"]), ("temperature", ["celsius", "fahrenheit", "kelvin"]), ("volume", ["litres", "gallons", "cups"]), ("money", ["EUR", "USD", "GBP", "JPY", "CHF"]), ("time", ["hours", "minutes", "seconds", "days"]), ("data", ["MB", "GB", "bytes", "TB"])]
PLACES = ["Paris", "Berlin", "Oslo", "Rome", "Tokyo", "Madrid", "the attic", "the cellar", "room 12", "hall B", "the north wing", "Vienna", "Lima", "Boston", "Cairo", "Dublin", "the garage", "building 4", "Sydney", "Toronto", "the depot", "Hamburg", "Prague", "the archive", "Nairobi"]
PEOPLE = ["Anna", "Mr. Brown", "Carla Diaz", "Dr. Weber", "Emil", "the boss", "Sophie", "Tom Baker", "Ms. Li", "my sister", "Ivan", "the team", "Laura", "Noah Klein", "Priya", "Omar", "bob@example.com", "sales@firm.org", "Karen", "Hannah"]
DATES = ["Friday", "tomorrow", "2025-03-14", "May 3", "next Monday", "July 21", "2026-11-02", "Saturday", "the 5th of June", "tonight", "Sunday", "Wednesday", "October 9", "2024-12-24", "next week"]
QUERIES = ["blue chairs", "solar power", "winter tires", "jazz", "machine learning", "cheap flights", "gluten free", "the year 1990", "leather", "green tea", "python", "old maps", "travel", "wooden toys", "space", "running", "two bedrooms", "red wine", "history of Rome", "first aid", "garden tools", "night shift", "bicycle lanes", "cloud storage"]
TITLES = ["Aurora", "Blue Sky", "Team Lunch", "Phoenix", "Spring Sale", "Alpha", "North Star", "Golden Gate", "Sunrise", "Omega", "Winter Games", "Delta", "Rainbow", "Big Ben", "Summer Camp", "Atlas", "Orion", "Happy Hour", "Main Street", "Tiger", "Nova", "Old Oak", "River View", "Pilot", "Zenith", "Silver Lake"]


class ToolGrammar:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def draw(self) -> dict:
        """A tool, in the form of an entry of data/tools.json, with its own slots."""
        kinds = [(self.reads, 30), (self.writes, 12), (self.makes, 8), (self.removes, 8), (self.searches, 8), (self.lists, 5), (self.sends, 6), (self.runs, 14), (self.books, 4), (self.moves, 4), (self.counts, 3), (self.compares, 3), (self.formula, 6), (self.converts, 4)]
        return self.rng.choices([k for k, _ in kinds], weights=[w for _, w in kinds])[0]()

    def family(self, count: int) -> list[dict]:
        """Tools that are told apart by one word only: of one thing with many verbs, or of one verb with many things."""
        thing = self.thing()
        kinds = [self.reads, self.writes, self.makes, self.removes, self.searches, self.lists, self.sends, self.runs, self.books, self.moves, self.counts]
        if self.rng.random() < 0.5:
            return [kind(thing) for kind in self.rng.sample(kinds, count)]
        kind = self.rng.choice(kinds)
        return [kind(other) for other in self.rng.sample(THINGS, count)]

    def thing(self) -> str:
        return self.rng.choice(THINGS)

    def names(self, verbs: list[str], rest: str) -> list[str]:
        rest = rest.replace(" ", "_")
        verb = self.rng.choice(verbs)
        return [f"{verb}_{rest}", f"{verb}_{rest}", f"{rest}_{verb}", f"{self.rng.choice(verbs)}_{rest}"]

    def key(self, thing: str) -> tuple[str, dict]:
        """What names one of the things: a parameter and its values."""
        rng = self.rng
        short = thing.split()[-1]
        kind = rng.random()
        if kind < 0.35:
            name = rng.choice(["id", f"{short}_id", f"{short}Id", "number", "code"])
            values = ["".join(rng.choices("ABCDEFGHKLMNPRSTXZ", k=rng.randrange(0, 3))) + rng.choice(["-", ""]) + str(rng.randrange(1, 99999)) for _ in range(4)]
            return name, {"type": "string", "values": [v.lstrip("-") if v.startswith("-") else v for v in values]}
        if kind < 0.55:
            return rng.choice(["id", f"{short}_id", "number", "index"]), {"type": "integer", "values": [rng.randrange(1, 10 ** rng.randrange(1, 6)) for _ in range(4)]}
        name = rng.choice(["name", f"{short}_name", short, "title", short])
        return name, {"type": "string", "values": rng.sample(TITLES, 3) + rng.sample(PEOPLE[:6] + PLACES[:6], 2)}

    def tool(self, names: list[str], descriptions: list[str], parameters: dict[str, dict], requests: list[str], required: int | None = None) -> dict:
        slots = {f"s{i}": p["values"] for i, p in enumerate(parameters.values())}
        shaped = {name: {"type": p["type"], "slot": f"s{i}", "aliases": p.get("aliases", []), **({"enum": p["values"]} if p.get("is_enum") else {}), "required": required is None or i < required} for i, (name, p) in enumerate(parameters.items())}
        return {"names": names, "descriptions": descriptions, "parameters": shaped, "requests": requests, "slots": slots}

    def with_thing(self, asks: list[str], thing: str, key: str) -> list[str]:
        """{x} as the thing with its value: "the invoice 4711", "invoice 4711", or the value alone."""
        forms = [f"the {thing} {{{key}}}", f"{thing} {{{key}}}", f"the {thing} {{{key}}}"]
        return [ask.replace("{x}", self.rng.choice(forms)).replace("{t}", thing) for ask in asks]

    def reads(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        prop = rng.choice(list(PROPERTIES))
        key, parameter = self.key(thing)
        asks = self.with_thing([a.replace("{p}", prop) for a in READ_ASKS] + PROPERTIES[prop] * 3, thing, key)
        described = [f"Returns the {prop} of a {thing}.", f"Get the {prop} of a {thing}", f"Looks up the {prop} of one {thing}.", f"{thing.capitalize()} {prop}.", f"Tells the {prop} of the given {thing}."]
        rest = f"{thing} {prop}" if rng.random() < 0.75 else prop
        return self.tool(self.names(READ, rest), described, {key: parameter}, asks)

    def writes(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        prop = rng.choice(list(PROPERTIES))
        key, parameter = self.key(thing)
        is_number = rng.random() < 0.5
        name = rng.choice(["value", prop.replace(" ", "_"), f"new_{prop.split()[-1]}", "to"])
        value = {"type": rng.choice(["integer", "number"]), "values": [rng.randrange(1, 10 ** rng.randrange(1, 5)) for _ in range(5)]} if is_number else {"type": "string", "values": rng.sample(TITLES + PEOPLE + DATES, 4)}
        asks = self.with_thing([a.replace("{p}", prop).replace("{value}", f"{{{name}}}") for a in WRITE_ASKS], thing, key)
        return self.tool(self.names(WRITE, f"{thing} {prop}"), [f"Changes the {prop} of a {thing}.", f"Sets a new {prop} for a {thing}.", f"Update the {thing}'s {prop}"], {key: parameter, name: value}, asks)

    def makes(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        name = rng.choice(["name", "title", f"{thing.split()[-1]}_name", "label"])
        asks = [a.replace("{t}", thing).replace("{name}", f"{{{name}}}") for a in MAKE_ASKS]
        parameters: dict[str, dict] = {name: {"type": "string", "values": rng.sample(TITLES + PEOPLE, 4)}}
        if rng.random() < 0.5:
            extra, values, how = rng.choice([("count", None, "{} pieces"), ("date", DATES, "on {}"), ("owner", PEOPLE, "for {}"), ("place", PLACES, "in {}"), ("price", None, "for {} euros"), ("email", ["kim@mail.net", "joe@web.org", "ann@post.io"], "with the email {}")])
            parameters[extra] = {"type": "string", "values": values} if values else {"type": "integer", "values": [rng.randrange(1, 500) for _ in range(4)]}
            asks += [f"{ask} {how.format('{' + extra + '}')}" for ask in asks[:6]]
        return self.tool(self.names(MAKE, thing), [f"Creates a {thing}.", f"Adds a new {thing}.", f"Make a new {thing}", f"Registers a {thing} under a name."], parameters, asks, required=1)

    def removes(self, thing: str | None = None) -> dict:
        thing = thing or self.thing()
        key, parameter = self.key(thing)
        return self.tool(self.names(REMOVE, thing), [f"Deletes a {thing}.", f"Removes one {thing}.", f"Cancel a {thing} for good", f"Erases the given {thing}."], {key: parameter}, self.with_thing(REMOVE_ASKS, thing, key))

    def searches(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        query = rng.choice(["query", "text", "keywords", "term", "q"])
        asks = [a.replace("{t}", thing).replace("{query}", f"{{{query}}}") for a in SEARCH_ASKS]
        parameters: dict[str, dict] = {query: {"type": "string", "values": rng.sample(QUERIES, 5)}}
        if rng.random() < 0.4:
            limit = rng.choice(["limit", "max_results", "count", "top"])
            parameters[limit] = {"type": "integer", "values": [3, 5, 10, 20, 50]}
            asks += [f"{ask}, at most {{{limit}}}" for ask in asks[:4]] + [f"Find {{{limit}}} {thing}s about {{{query}}}", f"I want {{{limit}}} {thing}s with {{{query}}}"]
        plural = f"{thing}s" if rng.random() < 0.6 else thing
        return self.tool(self.names(SEARCH, plural), [f"Searches {thing}s by text.", f"Find {thing}s that match a query", f"Looks for a {thing}.", f"Full text search over all {thing}s."], parameters, asks, required=1)

    def lists(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        states = rng.choice(STATES)
        name = rng.choice(["status", "state", "filter", "kind"])
        asks = [a.replace("{t}", thing).replace("{state}", f"{{{name}}}") for a in LIST_ASKS]
        return self.tool(self.names(LIST, f"{thing}s"), [f"Lists the {thing}s of one kind.", f"All {thing}s with a given {name}.", f"Shows {thing}s by {name}"], {name: {"type": "string", "values": states, "is_enum": True}}, asks)

    def sends(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        key, parameter = self.key(thing)
        to = rng.choice(["to", "recipient", "person", "receiver"])
        asks = self.with_thing([a.replace("{person}", f"{{{to}}}") for a in SEND_ASKS], thing, key)
        return self.tool(self.names(SEND, thing), [f"Sends a {thing} to somebody.", f"Forwards a {thing} to a person.", f"Share a {thing} with someone"], {key: parameter, to: {"type": "string", "values": rng.sample(PEOPLE, 5)}}, asks)

    def runs(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        _, verbs, asks, description = rng.choice(RUN)
        key, parameter = self.key(thing)
        return self.tool(self.names(verbs, thing), [description.format(t=thing), f"{verbs[-1].replace('_', ' ').capitalize()} a {thing}", f"{verbs[0].replace('_', ' ').capitalize()} one {thing} by its {key.replace('_', ' ')}."], {key: parameter}, self.with_thing(asks, thing, key))

    def books(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        count, date = rng.choice(["people", "guests", "count", "persons"]), rng.choice(["date", "day", "when"])
        asks = [a.replace("{t}", thing).replace("{count}", f"{{{count}}}").replace("{date}", f"{{{date}}}") for a in BOOK_ASKS]
        return self.tool(self.names(BOOK, thing), [f"Books a {thing}.", f"Reserves a {thing} for some people.", f"Make a {thing} reservation"], {date: {"type": "string", "values": rng.sample(DATES, 5)}, count: {"type": "integer", "values": list(range(2, 13))}}, asks)

    def moves(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        key, parameter = self.key(thing)
        to = rng.choice(["to", "destination", "place", "target"])
        asks = self.with_thing([a.replace("{place}", f"{{{to}}}") for a in MOVE_ASKS], thing, key)
        return self.tool(self.names(MOVE, thing), [f"Moves a {thing} to another place.", f"Brings a {thing} somewhere.", f"Change where a {thing} is"], {key: parameter, to: {"type": "string", "values": rng.sample(PLACES, 5)}}, asks)

    def counts(self, thing: str | None = None) -> dict:
        rng, thing = self.rng, thing or self.thing()
        place = rng.choice(["place", "location", "area", "city"])
        asks = [a.replace("{t}", thing).replace("{place}", f"{{{place}}}") for a in COUNT_ASKS]
        return self.tool(self.names(["count", "get_number_of", "total"], f"{thing}s"), [f"Counts the {thing}s at a place.", f"How many {thing}s there are."], {place: {"type": "string", "values": rng.sample(PLACES, 5)}}, asks)

    def compares(self) -> dict:
        rng, thing = self.rng, self.thing()
        first, second = rng.choice([("first", "second"), ("a", "b"), ("left", "right"), (f"{thing.split()[-1]}_1", f"{thing.split()[-1]}_2")])
        asks = [a.replace("{t}", thing).replace("{first}", f"{{{first}}}").replace("{second}", f"{{{second}}}") for a in COMPARE_ASKS]
        values = rng.sample(TITLES, 8)
        return self.tool(self.names(["compare", "diff", "match"], f"{thing}s"), [f"Compares two {thing}s.", f"Tells two {thing}s apart."], {first: {"type": "string", "values": values[:4]}, second: {"type": "string", "values": values[4:]}}, asks)

    def formula(self) -> dict:
        rng = self.rng
        name, arguments, asks = rng.choice(FORMULAS)
        filled = [ask.format(*("{" + a + "}" for a in arguments)) for ask in asks]
        kind = rng.choice(["number", "integer"])
        parameters = {a: {"type": kind, "values": [rng.randrange(1, 10 ** rng.randrange(1, 4)) for _ in range(5)] if kind == "integer" else [round(rng.uniform(1, 100), rng.randrange(0, 3)) or 1 for _ in range(5)]} for a in arguments}
        return self.tool(self.names(["calculate", "compute", "get", "calc"], name), [f"Calculates the {name}.", f"Compute a {name}", f"{name.capitalize()}."], parameters, filled)

    def converts(self) -> dict:
        rng = self.rng
        kind, units = rng.choice(UNITS)
        units = rng.sample(units, min(len(units), rng.randrange(2, 5)))
        amount, source, target = rng.choice([("value", "from", "to"), ("amount", "from_unit", "to_unit"), ("number", "source", "target")])
        asks = [f"Convert {{{amount}}} {{{source}}} to {{{target}}}", f"How many {{{target}}} are {{{amount}}} {{{source}}}?", f"{{{amount}}} {{{source}}} in {{{target}}}", f"What is {{{amount}}} {{{source}}} in {{{target}}}?"]
        is_enum = rng.random() < 0.3
        return self.tool(self.names(["convert", "change", "translate"], f"{kind}" if rng.random() < 0.5 else f"{kind}_units"), [f"Converts {kind} units.", f"Convert a {kind} from one unit to another", f"{kind.capitalize()} converter."], {amount: {"type": "number", "values": [rng.randrange(1, 2000) for _ in range(5)]}, source: {"type": "string", "values": units, "is_enum": is_enum}, target: {"type": "string", "values": units, "is_enum": is_enum}}, asks)
