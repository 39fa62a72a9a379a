"""Mends for lines that are not TOML."""

import re
from collections.abc import Callable

_NUMBER = r"[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_PLACE = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)")
_CURLY = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
"""Quotes as word processors set them."""
_LONGEST = 80


def faulty_line(text: str, error: Exception) -> str:
    """Return the line of a TOML text at which its parser failed, "" if there is none."""
    place = _PLACE.search(str(error))
    if place is None:
        return ""
    if place[1] is None:  # at the end of the document
        return (text.strip().splitlines() or [""])[-1].strip()
    lines = text.split("\n")
    return lines[int(place[1]) - 1].strip() if int(place[1]) <= len(lines) else ""


def mend_of_syntax(text: str, error: Exception) -> str:
    """Return a text's faulty line and its right form in TOML; "" if there is none.

    Example:
        >>> import tomllib
        >>> try: tomllib.loads("epsilon = 8/255")
        ... except ValueError as error: print(mend_of_syntax("epsilon = 8/255", error))
        epsilon = 8/255
        TOML has no arithmetic. Put the fraction in quotes, "8/255", or write 0.0313725.
    """
    line = faulty_line(text, error)
    if not line:
        return ""
    mend = next(filter(None, (rule(line, str(error)) for rule in _RULES)), "")
    shown = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
    return f"{shown}\n{mend}".strip()


def _value(line: str) -> str:
    """Return what stands after the key, without a comment."""
    return line.partition("=")[2].partition("#")[0].strip()


def _twice(line: str, why: str) -> str:
    if line.startswith("[") and any(sign in why for sign in _TAKEN):
        return _heading_twice(line)
    if "Cannot overwrite a value" in why or "Duplicate inline table key" in why:
        return "The table sets the key twice: leave one of them out."
    return ""


_TAKEN = ("Cannot overwrite a value", "Cannot declare", "Cannot mutate immutable namespace")


def _heading_twice(line: str) -> str:
    """Return the mend for a heading whose place is taken: for one of a variant, how it begins."""
    name = line.partition("#")[0].strip().strip("[] ")
    if name == "variant":
        return "Begin each variant, the first included, with [[variant]] in double brackets."
    if name.startswith("variant."):
        return f"Begin each variant with [[variant]]; it has one table [{name}]."
    return f"{name} is written twice: put all of its keys into one table [{name}]."


def _quotes(line: str, why: str) -> str:
    if any(sign in line for sign in _CURLY):
        return "Quotes are straight in TOML: \"...\" or '...'."
    if "\\" in line and ("escape" in why.lower() or "hex value" in why):
        return r"Write a backslash in single quotes: 'C:\data', or write C:/data."
    return ""


def _comment(line: str, why: str) -> str:
    mark = next((one for one in ("//", "--", ";", "%") if line.startswith(one)), "")
    return "Begin a comment with #." if mark else ""


def _assignment(line: str, why: str) -> str:
    if line.startswith("["):
        return ""
    if match := re.match(r"([\w.-]+)\s*:=?\s*(\S.*)", line):
        return f"Set a key with an equals sign: {match[1]} = {match[2]}"
    if match := re.match(r"([\w-]+(?:\.[\w-]+)*)\s+([\w.'\"-]+)$", line):
        return f"Set a key with an equals sign: {match[1]} = {match[2]}"
    return ""


def _arithmetic(line: str, why: str) -> str:
    value = _value(line)
    if re.match(r"\d{4}-\d\d", value):
        return "moat reads no dates; write text in quotes."
    sides = rf"({_NUMBER})\s*(\*\*|[*/+^-])\s*({_NUMBER})"
    if match := re.search(rf"(?<![\w.\"'/-]){sides}(?![\w\"'/-])", value):
        if match[2] == "/" and float(match[3]):
            result = float(match[1]) / float(match[3])
            text = f"{match[1]}/{match[3]}"
            return (
                f'TOML has no arithmetic. Put the fraction in quotes, "{text}", or write '
                f"{result:.6g}."
            )
        return "TOML has no arithmetic. Write the result."
    if re.search(rf"{_NUMBER}\s*[*/]|[*/]\s*{_NUMBER}|\b(?:pi|sqrt|exp|log)\b", value):
        return 'TOML has no arithmetic. Write the result, or a fraction of two numbers: "8/255".'
    return ""


def _number(line: str, why: str) -> str:
    value = _value(line).rstrip(",")
    if match := re.fullmatch(r"([+-]?\d+),(\d+)", value):
        return f"Write a number with a point: {match[1]}.{match[2]}; a list in brackets."
    if re.search(r"(?<![\d_])\.\d", value) or re.search(r"\d\.(?!\d)", value):
        return "Write digits on both sides of a point: 0.5, 1.0."
    if re.search(r"(?<![\w.-])0\d+", value):
        return "Write a number without a leading 0: 8, not 08."
    if match := re.fullmatch(rf"({_NUMBER})\s*%", value):
        return f"Write the share: {float(match[1].replace('_', '')) / 100:g}."
    return ""


def _word(line: str, why: str) -> str:
    value = _value(line)
    word = value.strip("[]{}(), ")
    right = {"true": "true", "yes": "true", "on": "true", "false": "false"}
    right |= {"no": "false", "off": "false"}
    if word.lower() in right:
        return f"Write {right[word.lower()]}, in lower case."
    if word.lower() in ("none", "null", "nil"):
        return "TOML does not have this value: leave the key out."
    if value.startswith("("):
        return f"Write a list in brackets: [{value.strip('()').strip()}]."
    if re.fullmatch(r"[A-Za-z~./][\w.:/~+-]*", value):
        return f'Write text in quotes: "{value}".'
    if re.match(r"\[\s*[A-Za-z_]", value):
        return 'Quote each text in a list: ["pgd", "flow"].'
    return ""


def _open(line: str, why: str) -> str:
    if value := _value(line):
        if value.startswith("{") and "}" not in value:
            return "A table in braces ends on its line; write a longer one as [table.key]."
        if value[0] in "\"'" and value.count(value[0]) % 2:
            return "The text has no closing quote."
    if line.startswith("[") and line.count("[") != line.count("]"):
        return "The heading of a table ends with as many brackets as it begins with."
    if line.endswith("="):
        return "The key has no value."
    if "Unclosed array" in why:
        return "A list that began here or above has no closing bracket ]."
    return "Text that began above has no closing quotes." if "Unterminated" in why else ""


def _ending(line: str, why: str) -> str:
    if "Expected newline" in why and re.search(r"[,;]\s*(#.*)?$", line):
        return "End the line after a value, without a comma or semicolon."
    if "Expected newline" in why and line.count("=") > 1:
        return "Write each key on a line of its own."
    return "Set a key with one equals sign: key = value." if "==" in line else ""


_RULES: tuple[Callable[[str, str], str], ...] = (
    *(_twice, _quotes, _comment, _arithmetic, _number, _word, _open, _assignment, _ending),
)
