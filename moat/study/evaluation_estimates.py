"""The cost of evaluations, from a few timed passes, without a search or a write."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, Unpack

import torch
from torch import nn

from moat.data import Data, DataSet, TrainingShare
from moat.errors import DataError, MoatError
from moat.evaluation.batch import BATCH
from moat.evaluation.room import room_for
from moat.events import Listener
from moat.oddities import Oddity, StudyView, oddities_of
from moat.passes import default_pass_size
from moat.precision import plain_torch
from moat.recipe import ReadProtocol, read_protocol
from moat.runs import CACHE, RunFolder, cache_of
from moat.study.estimates import data_or_missing
from moat.study.failures import as_failure
from moat.study.judge import whole_scores
from moat.study.loading import missing_weights, record_of
from moat.study.looks import amounts, as_oddity
from moat.study.model_loading import load
from moat.study.other_protocol import other_protocol
from moat.study.pass_times import PassTimes, search_times
from moat.study.places import PlaceKeys, place_of
from moat.study.subjects import StatedProtocol
from moat.study.trained_run import TrainedRun, trained_run
from moat.study.user_model import asked_model
from moat.threats import Spent
from moat.training import device_for

_NOTHING = Spent()
WorkState = Literal["to make", "begun", "again", "there", "refused"]


@dataclass(frozen=True)
class EvaluationEstimate:
    """The largest cost of one evaluation, without the sanity gate, and the part already done.

    Unknown numbers are None; then `missing` is the error with the reason.
    """

    label: str
    folder: Path
    state: WorkState
    spent: Spent = _NOTHING  # an example
    examples: int | None = None  # those held out from training included
    seconds: float | None = None
    memory: int | None = None  # bytes at most, beside network and data set
    missing: MoatError | None = None


Priced = tuple[list[EvaluationEstimate], list[Oddity]]


@dataclass(frozen=True)
class _Images:
    """The images of a network."""

    shape: tuple[int, int, int]
    classes: int
    count: int | None  # None where they are not there


@dataclass
class _Prices:
    """Times of passes, by network and images: runs of one study share them."""

    device: torch.device
    known: dict[str, PassTimes] = field(default_factory=dict)

    def priced(
        self,
        estimate: EvaluationEstimate,
        stated: StatedProtocol,
        images: _Images,
        network: Callable[[], nn.Module],
        key: object,
    ) -> EvaluationEstimate:
        """Return an estimate with its numbers; `key` identifies the network."""
        named = json.dumps([key, images.shape], sort_keys=True, default=str)
        if named not in self.known:
            generator = torch.Generator().manual_seed(0)
            x = torch.rand(default_pass_size(self.device), *images.shape, generator=generator)
            labels = torch.zeros(len(x), dtype=torch.int64, device=self.device)
            self.known[named] = search_times(network(), x.to(self.device), labels)
        times, protocol, count = self.known[named], stated.protocol, images.count
        spent = protocol.spent(images.classes)
        room = room_for(
            protocol,
            (min(BATCH, count or BATCH), *images.shape),
            self.device,
            image=times.image_bytes,
            classes=images.classes,
        )
        return replace(
            estimate,
            spent=spent,
            examples=count,
            seconds=None if count is None else count * times.searching(spent),
            memory=room.needed(protocol),
        )


@plain_torch()
def estimate_runs(runs: Sequence[Path], device: str, listener: Listener) -> Priced:
    """Return the cost of evaluating finished runs again, each under its own protocol."""
    prices = _Prices(device_for(device))
    loaded: dict[DataSet, Data | DataError] = {}

    def priced(path: Path) -> EvaluationEstimate:
        run = trained_run(path)
        plan, cache = run.plan, cache_of(path, run.record.study)
        if plan.dataset not in loaded:
            source = plan.source.where("data")
            reading = partial(plan.dataset.load, cache)
            loaded[plan.dataset] = data_or_missing(reading, source, listener)
        found = loaded[plan.dataset]
        estimate = EvaluationEstimate(run.record.label, path, "again")
        return _of_run(prices, estimate, run, plan, found, held_out=True)

    return _all_priced(runs, priced)


@plain_torch()
def estimate_under(
    protocol: Path | str,
    runs: Sequence[Path],
    *,
    overrides: Sequence[str] = (),
    validation: bool = False,
    **place: Unpack[PlaceKeys],
) -> Priced:
    """Return the cost of `evaluate_under`, and its oddities."""
    court = other_protocol(protocol, overrides, validation, place_of(place))
    prices, stated = _Prices(court.device), court.judged_by

    def priced(path: Path) -> EvaluationEstimate:
        run = trained_run(path)
        found: Data | DataError
        try:
            found, _ = court.same_data(run.folder, run.record)
        except DataError as error:
            found = error
        own = run.record.protocol_hash == stated.protocol_hash
        judged = own and whole_scores(run.folder, run.record)
        folder = run.folder if judged else court.folder_of(run)
        state = "there" if judged else _state(folder, stated, court.place.overwrite)
        estimate = EvaluationEstimate(run.record.label, folder.path, state)
        return _of_run(prices, estimate, run, stated, found, held_out=validation)

    made, looks = _all_priced(runs, priced)
    return made, [*looks, *_looks(stated, court.data)]


@plain_torch()
def estimate_model(
    model: str,
    protocol: Path | str,
    *,
    checkpoint: Path | str | None = None,
    arguments: Sequence[str] = (),
    name: str | None = None,
    overrides: Sequence[str] = (),
    **place: Unpack[PlaceKeys],
) -> Priced:
    """Return the cost of `evaluate_model`, and its oddities.

    Without data the network cannot be built, and only passes are counted.
    """
    at, stated = place_of(place), read_protocol(protocol, overrides)
    asked = asked_model(model, arguments, checkpoint, name)
    results, device = at.results or Path("results"), device_for(at.device)
    reading = partial(stated.dataset.load, results / CACHE)
    data = data_or_missing(reading, stated.source.where("data"), at.listener)
    folder = RunFolder(results / stated.name / asked.label / "seed-0")
    estimate = EvaluationEstimate(
        asked.label, folder.path, _state(folder, stated, at.overwrite), stated.protocol.spent()
    )
    if isinstance(data, DataError):
        estimate = replace(estimate, examples=stated.protocol.examples, missing=data)
        return [estimate], [as_oddity(data), *_looks(stated, None)]
    images = _Images(data.shape, len(data.classes), _tested(stated, data))
    network = partial(asked.network, data, device)
    return [_Prices(device).priced(estimate, stated, images, network, model)], _looks(stated, data)


def _of_run(
    prices: _Prices,
    estimate: EvaluationEstimate,
    run: TrainedRun,
    stated: StatedProtocol,
    data: Data | DataError,
    *,
    held_out: bool,
) -> EvaluationEstimate:
    """Return the estimate of a run; its network is known without data, their number is not."""
    if estimate.state != "there" and not run.folder.is_trained:  # a known network is not loaded
        raise missing_weights(run.folder)
    missing = data if isinstance(data, DataError) else None
    count = stated.protocol.examples if isinstance(data, DataError) else _tested(stated, data)
    if held_out and isinstance(data, Data) and (known := amounts(data, run.plan.share)):
        most = stated.protocol.examples or known.held_out
        count = (count or 0) + min(most, known.held_out)
    images = _Images(run.record.shape, run.record.classes, count)
    network = partial(load, run.folder.path, prices.device)
    key = run.record.trains.get("model")
    return replace(prices.priced(estimate, stated, images, network, key), missing=missing)


def _all_priced(runs: Sequence[Path], priced: Callable[[Path], EvaluationEstimate]) -> Priced:
    """Return every estimate, a refused one with its error; what is missing is worth a look."""
    made = []
    for path in runs:
        try:
            made.append(priced(path))
        except Exception as error:  # of one run, as in an evaluation
            failure = as_failure(error)
            made.append(EvaluationEstimate(_label_of(path), path, "refused", missing=failure))
    to_do = [one for one in made if one.state != "refused"]
    missing = {str(one.missing): as_oddity(one.missing) for one in to_do if one.missing}
    return made, list(missing.values())


def _label_of(path: Path) -> str:
    """Return the label of a run, its last folders where its record cannot be read."""
    try:
        record = RunFolder(path).read_record()
    except MoatError:
        record = None
    return "/".join(path.parts[-2:]) if record is None else record.label


def _state(folder: RunFolder, stated: StatedProtocol, overwrite: bool) -> WorkState:
    """Return what is there of an evaluation in a folder of its own."""
    record = record_of(folder)
    if record is None:
        return "to make" if folder.newest_part() is None else "begun"
    same = record.protocol_hash == stated.protocol_hash and whole_scores(folder, record)
    return "there" if same and not overwrite else "again"


def _tested(stated: StatedProtocol, data: Data) -> int:
    return min(stated.protocol.examples or len(data.test), len(data.test))


def _looks(stated: ReadProtocol, data: Data | None) -> list[Oddity]:
    """Return what of a protocol's file is worth a second look."""
    share = None if data is None else amounts(data, TrainingShare())
    known = {} if share is None else {Path(): share}
    return oddities_of(StudyView(stated.source, stated=stated.protocol, amounts=known))
