"""Names of columns that hold time, or a part of it, in several languages."""

import re

DATE_NAME = re.compile(
    r"date|time|month|day|^ds$|period|stamp|datum|zeit|fecha|^data$|quarter|week|year|moment"
    r"|(?<![a-z])(?:tag|monat|jahr|mes|mois|jour|dia|giorno|mese|anno|hora|ora|yyyy\w*|when|dato"
    r"|año|ano|année|annee|rok|aasta|tarih|data ?hora|dátum|dzień|semana|woche|år)(?![a-z])"
    r"|дата|время|год|месяц|日期|日付|日時|时间|時間|年|月|날짜|일자|시간|연도|تاريخ",
    re.IGNORECASE,
)
CLOCK_NAME = re.compile(r"time|zeit|uhr|hora|heure|ora|hour|tijd|clock|hhmm|^hr$|^hh$", re.I)
WEEK_NAME = re.compile(r"w(?:ee)?k|kw|woche|semana|semaine|[yw]w(?![a-z])", re.IGNORECASE)
QUARTER_NAME = re.compile(r"quarter|qtr|quartal", re.IGNORECASE)
# Columns of time by their usual names, the likeliest first.
TIME_NAMES = (
    "ds", "timestamp", "datetime", "date_time", "date", "time", "stamp", "utc_timestamp", "month",
    "day", "week", "quarter", "year", "hour", "period", "t", "step", "index", "",
)  # fmt: skip
COUNTED = {"month", "day", "week", "quarter", "year", "hour", "period", "t", "step", "index", ""}
# Letters as in :func:`birnn.data.stamps.dates.days_of`; names in lower case, letters alone.
PART_NAMES = {
    "y": "year yr years yyyy yy jahr ano anno annee jaar an",
    "m": "month mon mo months mm mnth monthname monthnumber monthno monat mes mois mese maand",
    "d": "day dd dy mday dayofmonth monthday dom tag dia jour giorno dag days",
    "q": "quarter qtr q quarters quartal trimestre trimester kwartaal",
    "w": "week wk weeks weekno weeknum weeknumber weekofyear isoweek kw kalenderwoche woche semaine"
         " semana settimana",
    "h": "half halfyear halves halbjahr semester semestre hy",
    "n": "dayofyear doy yday yearday julianday tagdesjahres",
    "H": "hour hr hh hours hourofday std stunde hora heure uur ora he hourending",
    "M": "minute min minutes minuto minuut mi",
    "S": "second sec seconds ss sekunde segundo seconde",
}  # fmt: skip
PART_OF_NAME = {name: part for part, names in PART_NAMES.items() for name in names.split()}
