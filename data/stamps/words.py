"""Words of a written date: names of months and weekdays in many languages, time zones, fillers.

A name counts in full or cut short (``September``, ``Sept.``, ``Sep``): a month is told by any
beginning of three letters or more that belongs to one month alone, in whatever language.
"""

import unicodedata
from functools import cache

# From January to December; each language in its own spelling, accents left out as plain() does.
MONTH_NAMES = (
    "january february march april may june july august september october november december",
    "januar februar marz april mai juni juli august september oktober november dezember",
    "janner feber marz april mai juni juli august september oktober november dezember",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "enero febrero marzo abril mayo junio julio agosto setiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december",
    "januar februar mars april mai juni juli august september oktober november desember",
    "styczen luty marzec kwiecien maj czerwiec lipiec sierpien wrzesien pazdziernik listopad"
    " grudzien",
    "ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
)
SHORT_MONTHS = {"mrz": 3, "maerz": 3, "mrt": 3, "sept": 9, "stycznia": 1, "lutego": 2, "marca": 3,
                "kwietnia": 4, "maja": 5, "czerwca": 6, "lipca": 7, "sierpnia": 8, "wrzesnia": 9,
                "pazdziernika": 10, "listopada": 11, "grudnia": 12}  # fmt: skip
WEEKDAY_NAMES = (
    "monday tuesday wednesday thursday friday saturday sunday",
    "montag dienstag mittwoch donnerstag freitag samstag sonntag sonnabend",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "lunes martes miercoles jueves viernes sabado domingo",
    "lunedi martedi mercoledi giovedi venerdi sabato domenica",
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "segunda terca quarta quinta sexta feira sabado domingo",
    "mandag mandag tirsdag onsdag torsdag fredag lordag sondag tisdag",
)
SHORTEST_WEEKDAY = 2  # Mo, Di, Mi
FILLERS = {"de", "del", "of", "the", "den", "der", "le", "at", "um", "a", "on", "am", "il", "st",
           "nd", "rd", "th", "er", "uhr", "hrs", "h", "o", "kl", "klokken", "ore"}  # fmt: skip
QUARTERS = {"q", "qtr", "quarter", "quartal", "kwartaal", "trimestre", "trim", "trimester"}
WEEKS = {"w", "wk", "week", "kw", "cw", "woche", "kalenderwoche", "semaine", "sem", "semana",
         "settimana"}  # fmt: skip
HALVES = {"h", "s", "half", "halbjahr", "hy", "semestre", "semester", "hj"}
MONTHS = {"m"}
# Minutes east of Greenwich; what several countries call by one name is taken in its usual sense.
ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "mez": 60, "cest": 120,
    "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "est": -300, "edt": -240, "cst": -360,
    "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480,
    "hst": -600, "ist": 330, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "acst": 570,
    "acdt": 630, "awst": 480, "nzst": 720, "nzdt": 780, "sgt": 480, "hkt": 480, "sast": 120,
}  # fmt: skip
# What several countries call so → where else; and the name that beside it tells it apart.
SHARED_ZONES = {
    "cst": ("China, Cuba", "cdt"), "ist": ("Israel, Ireland", ""), "bst": ("Bangladesh", "gmt"),
    "est": ("Australia", "edt"), "mst": ("Malaysia, Myanmar", "mdt"), "pst": ("Philippines", "pdt"),
    "cdt": ("Cuba", "cst"), "edt": ("Australia", "est"),
}  # fmt: skip


def plain(word: str) -> str:
    """A word in lower case without accents: ``Février`` → ``fevrier``."""
    parts = unicodedata.normalize("NFKD", word.casefold().replace("ı", "i").replace("ø", "o"))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


@cache
def month_number(word: str) -> int:
    """1 to 12 for the name of a month, in full or cut short; 0 for another word.

    >>> month_number("Sept"), month_number("März"), month_number("déc"), month_number("jui")
    (9, 3, 12, 0)
    """
    name = plain(word).rstrip(".")
    if name in SHORT_MONTHS:
        return SHORT_MONTHS[name]
    if len(name) < 3:
        return 0
    found = {
        number
        for names in MONTH_NAMES
        for number, full in enumerate(names.split(), start=1)
        if full.startswith(name)
    }
    return found.pop() if len(found) == 1 else 0


@cache
def is_weekday(word: str) -> bool:
    """Whether a word names a day of the week, in full or cut short."""
    name = plain(word).rstrip(".")
    if len(name) < SHORTEST_WEEKDAY:
        return False
    return any(full.startswith(name) for names in WEEKDAY_NAMES for full in names.split())
