"""The rules for a recipe beyond the form of its tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from moat.errors import InputError, RecipeError, did_you_mean
from moat.names import NATURAL, why_no_name
from moat.number_bounds import why_unfit
from moat.own_files import is_taken
from moat.printable import folder_key, is_portable
from moat.recipe.conditioned import place_in_words
from moat.recipe.length import LENGTHS
from moat.recipe.mends import mend_of
from moat.recipe.provenance import Source
from moat.recipe.schema import Recipe, VariantTable
from moat.recipe.start import START_KEY
from moat.scalarizers import Scalarizer
from moat.short_text import cut_short
from moat.threats import Threat
from moat.training import Training
from moat.training.search_length import require_searches

_NOT_OF_A_RUN = {"variant", "seeds", "plugins", "published", "figure", "tags", "notes"}
MOST_OF_PATH = 3000
"""Bytes of a run's folder within the results folder: a whole path has 4,096 at most on Linux."""
MOST_RUNS = 1000
"""Of a study: each takes some hundredths of a second to plan."""
SWEPT = ("scalarizer", "losses", *(set(Recipe.model_fields) - _NOT_OF_A_RUN))
"""The tables whose keys a sweep can set."""


_STAYS = ("model", START_KEY)
"""The tables that all runs of a path share."""


def require_sound(recipe: Recipe, source: Source) -> None:
    """Raise RecipeError if names collide or keys contradict each other."""
    _require_distinct([variant.name for variant in recipe.variant], "variant", source, "variant")
    _require_distinct(recipe.seeds, "seed", source, "seeds")
    require_labels(recipe.threats, recipe.evaluation.summed, source)
    for position, variant in enumerate(recipe.variant):
        where = source.where("variant", str(position), "name")
        _require_portable(variant.name, "variant", source, "variant", str(position), "name")
        require_free(variant.name, f"the variant {variant.name!r}", where)
        key = ("variant", str(position), "threats")
        _require_distinct(variant.threats, "threat", source, *key)
        for label in variant.threats:
            what = f"the variant {variant.name!r} names the threat {label!r}"
            _require_defined(label, what, recipe, source, *key)
        _require_sweep(recipe, variant, source, position, "sweep")
        _require_sweep(recipe, variant, source, position, "path")
        _require_path(variant, source, position)
        _require_points(variant, source, position)


def require_bounded(recipe: Recipe, source: Source) -> None:
    """Raise RecipeError for a recipe with more runs than can be planned in reasonable time."""
    swept = (
        prod(map(len, variant.sweep.values()))
        * max(map(len, variant.path.values()), default=1)
        * (len(variant.conditioned.at) if variant.conditioned else 1)
        for variant in recipe.variant
    )
    if (runs := sum(swept) * len(recipe.seeds)) > MOST_RUNS:
        raise RecipeError(
            f"the recipe makes {runs:,} runs, and a study has at most {MOST_RUNS:,}.",
            where=source.where("variant"),
            hint="Sweep fewer values, or divide it into several recipes: each is a study.",
        )


def require_labels(threats: Iterable[str], summed: Sequence[str], source: Source) -> None:
    """Raise RecipeError if a threat has the name of the natural images, or is summed twice."""
    _require_distinct(summed, "threat", source, "evaluation", "summed")
    for label in threats:
        _require_portable(label, "threat", source, "threats", label)
    _require_distinct(list(threats), "threat", source, "threats")
    if NATURAL in threats:
        raise RecipeError(
            f"{NATURAL!r} means the unmodified images and cannot be a threat's label.",
            where=source.where("threats", NATURAL),
            hint="Give the table another label; `type` names the threat.",
        )


def require_held_out(recipe: Recipe, source: Source) -> None:
    """Raise RecipeError if the best epoch is to be kept without held-out data to find it."""
    if recipe.training.keep == "best" and not recipe.data.validation:
        raise RecipeError(
            "the best epoch cannot be chosen without held-out examples.",
            where=source.where("training", "keep"),
            hint='Set data.validation, for example 0.1, or training.keep = "last".',
        )


def require_followed(
    training: Training, threats: Mapping[str, Threat], scalarizer: Scalarizer, source: Source
) -> None:
    """Raise RecipeError if a variant's training cannot follow a setting of its searches."""
    try:
        require_searches(training, threats, scalarizer)
    except InputError as error:
        where = source.where(*error.where.split("."))
        raise RecipeError(error.message, where, error.hint) from error


def require_distinct_folders(folders: Sequence[str], source: Source) -> None:
    """Raise RecipeError if two runs would share a folder."""
    found: dict[str, str] = {}
    for folder in folders:
        other = found.setdefault(folder_key(folder), folder)
        if other is not folder:
            by = "slashes, colons or blanks" if other == folder else "case"
            raise RecipeError(
                f"two runs would share the folder {folder!r}: their sweep values differ by {by} "
                "alone.",
                where=source.where("variant"),
                hint="Leave one of them out.",
            )


def require_names(folders: Iterable[Path], source: Source) -> None:
    """Raise RecipeError if a part of a run's folder is not a name, or the whole is too long."""
    for folder in folders:
        if (size := len(str(folder).encode(errors="replace"))) > MOST_OF_PATH:
            raise RecipeError(
                f"the folder of a run, {cut_short(str(folder))!r}, would have {size:,} bytes, and "
                f"the system allows about {MOST_OF_PATH:,} beside the results folder.",
                where=source.where("variant"),
                hint="Sweep fewer keys, or shorter values: each is a folder.",
            )
        for part in folder.parts:
            require_name(part, f"a part of a run's folder, {cut_short(part)!r},", source.where())


def require_name(text: str, what: str, where: str) -> None:
    """Raise RecipeError unless a text may be a folder's name."""
    if why := why_no_name(text):
        raise RecipeError(
            f"{what} cannot be a folder: {why}.",
            where=where,
            hint="Folders have the names of the recipe's file, its variants, and the keys and "
            "values of their sweeps.",
        )
    require_free(text, what, where)


def require_free(text: str, what: str, where: str) -> None:
    """Raise RecipeError if a folder would take the place of one of moat's files."""
    if is_taken(text):
        raise RecipeError(
            f"{what} cannot be a folder: moat uses that name for its own output.",
            where=where,
            hint="Give it another name. A study has the name of its recipe's file.",
        )


def require_ascending(key: str, listed: object, where: str) -> None:
    """Raise RecipeError unless these are counts of steps or radii, each larger than the last."""
    kinds = (int,) if key == "at_steps" else (int, float)
    given = listed if isinstance(listed, list) and listed else [0]
    numbers = [n for n in given if type(n) in kinds and n > 0]
    unfit = why_unfit([float(n) if key == "at_epsilon" else n for n in numbers])
    if unfit and numbers == given:
        raise RecipeError(f"{key} {unfit}, not {listed!r}.", where=where)
    if numbers != given or numbers != sorted(set(numbers)):
        form = "whole numbers of at least 1, as in [5, 10]"
        if key == "at_epsilon":
            form = "radii above 0, as in [0.1, 0.3]"
        raise RecipeError(
            f"{key} should be ascending {form}, not {listed!r}.",
            where=where,
            hint="" if isinstance(listed, list) else mend_of("list_type", listed, (key,), where),
        )


def _require_sweep(
    recipe: Recipe, variant: VariantTable, source: Source, position: int, table: str
) -> None:
    swept: dict[str, list[Any]] = getattr(variant, table)
    for key, values in swept.items():
        where = ("variant", str(position), table, key)
        root, _, rest = key.partition(".")
        known = [name for name in SWEPT if table == "sweep" or name not in _STAYS]
        own = root in known or root in _STAYS  # of a path these are refused below, with the reason
        if not own or not all(key.split(".")) or (root == START_KEY and rest):
            near = "" if root in _NOT_OF_A_RUN else did_you_mean(root, known)
            raise RecipeError(
                f"a {table} cannot set {key!r}.{near}",
                where=source.where(*where),
                hint='Its keys are dotted, as in "scalarizer.r", and start with one of '
                f"{', '.join(sorted(known))}.",
            )
        if root == "threats":
            label = rest.partition(".")[0]
            if not label:
                raise RecipeError(
                    f"a {table} cannot set 'threats' as a whole.",
                    where=source.where(*where),
                    hint='Name a key of one threat, as in "threats.pgd.epsilon"; a variant of its '
                    "own trains against other threats.",
                )
            _require_defined(
                label, f"the {table} sets the threat {label!r}", recipe, source, *where
            )
        if table == "sweep":
            _require_distinct(values, "value", source, *where)


def require_one_length(values: Collection[str], source: Source, position: int) -> None:
    """Raise RecipeError if the keys of a sweep and a path set both lengths of the training."""
    both = [key for name in LENGTHS if (key := f"training.{name}") in values]
    if len(both) > 1:
        raise RecipeError(
            f"the variant's values set {' and '.join(both)}, and a training has one length.",
            where=source.where("variant", position, "sweep"),
            hint="Leave one of them out: with passes, the epochs follow from what a step costs.",
        )


def _require_points(variant: VariantTable, source: Source, position: int) -> None:
    """Raise RecipeError for points of a conditioned network that come twice or are on a path."""
    if variant.conditioned is None:
        return
    key = ("variant", str(position), "conditioned")
    if variant.path:
        raise RecipeError(
            "a conditioned network has its points in `at`, not on a path.",
            where=source.where(*key),
            hint="Leave the path out, or sweep its key: then each value has a network of its own.",
        )
    points = [place_in_words(at) for at in variant.conditioned.at]
    _require_distinct(points, "point", source, *key, "at")


def _require_path(variant: VariantTable, source: Source, position: int) -> None:
    """Raise RecipeError for a path whose points do not follow from its table."""
    key = ("variant", str(position), "path")
    for name in variant.path:
        if name in variant.sweep:
            raise RecipeError(
                f"{name!r} is both swept and on the path.",
                where=source.where(*key, name),
                hint="Leave one of them out.",
            )
        if name.partition(".")[0] in _STAYS:
            raise RecipeError(
                f"a path cannot set {name!r}: each leg continues with the weights of the one "
                "before.",
                where=source.where(*key, name),
                hint="Sweep it: then each value has a path of its own.",
            )
    lengths = {name: len(values) for name, values in variant.path.items()}
    if len(set(lengths.values())) > 1:
        raise RecipeError(
            "the keys of a path go along together, and have different numbers of values: "
            f"{', '.join(f'{name} {length}' for name, length in lengths.items())}.",
            where=source.where(*key),
            hint="Give each key a value for every point of the path, or sweep one of them.",
        )
    points = list(zip(*variant.path.values(), strict=True))
    for number, point in enumerate(points):
        if point in points[:number]:
            raise RecipeError(
                f"the path comes twice to {', '.join(map(repr, point))}.",
                where=source.where(*key),
                hint="Leave one of them out: a run is named by its values, and both would have the "
                "same folder. A way back is a variant of its own.",
            )
    if "legs" in variant.model_fields_set and not variant.path:
        raise RecipeError(
            "legs has no effect without a path.",
            where=source.where(*key[:2], "legs"),
            hint='Give the variant one, as in path = { "scalarizer.rho" = [0.0, 0.3, 0.6] }.',
        )


def _require_defined(label: str, what: str, recipe: Recipe, source: Source, *key: str) -> None:
    if label not in recipe.threats:
        raise RecipeError(
            f"{what}, which no table defines.{did_you_mean(label, recipe.threats)}",
            where=source.where(*key),
            hint=f"defined: {', '.join(recipe.threats) or 'none'}\nAdd a table [threats.{label}].",
        )


def _require_portable(name: str, kind: str, source: Source, *key: str) -> None:
    if not is_portable(name):
        raise RecipeError(
            f"the {kind} {name!r} cannot be the name of a folder on every system.",
            where=source.where(*key),
            hint="Give it another name: Windows reserves this one.",
        )


def _require_distinct(named: Sequence[Any], kind: str, source: Source, *key: str) -> None:
    found: dict[Any, Any] = {}
    for number, name in enumerate(named):
        if name in named[:number]:
            raise RecipeError(
                f"the {kind} {name!r} is named twice.",
                where=source.where(*key),
                hint="Give one of them another name." if kind == "variant" else "Leave one out.",
            )
        other = found.setdefault(folder_key(name) if isinstance(name, str) else repr(name), name)
        if other != name:
            raise RecipeError(
                f"the {kind}s {other!r} and {name!r} differ by case alone and are one folder on "
                f"other systems.",
                where=source.where(*key),
                hint="Give one of them another name.",
            )
