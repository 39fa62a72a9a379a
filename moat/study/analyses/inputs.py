"""The inputs of an analysis: models by name, the data and the protocol that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from moat.data import Data
from moat.dotted import changes
from moat.errors import AnalysisError
from moat.evaluation import Protocol
from moat.events import DataNote, Listener, ignore
from moat.models.unsaved_state import digest_of_weights
from moat.recipe import ReadProtocol, read_protocol
from moat.records import AnalysisSubject
from moat.runs import StudyFolder, as_typed, cache_of, opened, seen_from
from moat.study.failures import asked_for, said_of
from moat.study.model_loading import load_recorded
from moat.study.run_list import trained_runs
from moat.study.subjects import StatedProtocol
from moat.study.trained_run import TrainedRun, trained_run
from moat.study.user_model import AskedModel, asked_model
from moat.training import device_for


@dataclass(frozen=True)
class AnalysisRequest:
    """The models of an analysis, by the folders of runs and by name, and the protocol.

    `runs` are finished runs or folders of them. `model`, with `checkpoint`, `arguments` and `name`,
    is one that moat did not train, as for `evaluate_model`. `protocol` is a file, with `overrides`;
    without one it is the runs' own.
    """

    runs: Sequence[Path] = ()
    model: str | None = None
    checkpoint: Path | None = None
    arguments: Sequence[str] = ()
    name: str | None = None
    protocol: Path | str | None = None
    overrides: Sequence[str] = ()
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class AnalysisInputs:
    """Models by their names, in order, with the data, the protocol and the device they share.

    `runs` are the runs of those models that moat trained. `pass_size` is the runs' own.
    """

    models: Mapping[str, nn.Module]
    subjects: tuple[AnalysisSubject, ...]
    data: Data
    stated: StatedProtocol
    device: torch.device
    runs: Mapping[str, TrainedRun]
    pass_size: int | None = None

    @property
    def protocol(self) -> Protocol:
        """The threats, their strengths, and the evaluated examples."""
        return self.stated.protocol

    def protocol_on(self, examples: int | None) -> Protocol:
        """Return the protocol on so many of its examples; all of them for None.

        Raises AnalysisError for more than there are.
        """
        own, test = self.protocol.examples, len(self.data.test)
        known = test if own is None else min(own, test)
        if examples is not None and examples > known:
            raise AnalysisError(
                f"{examples} test examples are asked for, and the protocol evaluates {known}.",
                where="examples",
                hint=f"Ask for 1 to {known}.",
            )
        return self.protocol if examples is None else replace(self.protocol, examples=examples)


def analysis_inputs(
    request: AnalysisRequest, *, listener: Listener = ignore, out: Path | None = None
) -> AnalysisInputs:
    """Load the models, the data and the protocol of an analysis.

    `out` is the folder that the runs' places are relative to. Raises AnalysisError if nothing
    is named, and if the models share neither data nor protocol; MoatError for a broken run.
    """
    runs = _runs_of(request)
    asked = _asked(request)
    if not runs and asked is None:
        raise AnalysisError("neither a run nor a model is named.", hint=_FORMS)
    stated, read = _protocol(request, list(runs.values()))
    device = device_for(request.device)
    data = _data(list(runs.values()), read, listener)
    _require_same_data(runs, data, read)
    models: dict[str, nn.Module] = {}
    for name, run in runs.items():
        models[name] = load_recorded(run.folder, run.record, device)
    if asked is not None:
        _require_new(asked.label, runs)
        with said_of(f"model {asked.called}"):
            models[asked.label] = asked.network(data, device)
    sizes = {run.plan.training.pass_size for run in runs.values()}
    return AnalysisInputs(
        models=models,
        subjects=tuple(
            _subject(name, model, runs.get(name, asked), data, out)
            for name, model in models.items()
        ),
        data=data,
        stated=stated,
        device=device,
        runs=runs,
        pass_size=sizes.pop() if len(sizes) == 1 else None,
    )


def run_names(runs: Sequence[TrainedRun]) -> list[str]:
    """Return the shortest names that tell runs apart: label, with the seed, with the study."""
    records = [run.record for run in runs]
    for named in (
        [record.label for record in records],
        [f"{record.label} seed {record.seed}" for record in records],
        [f"{record.study} {record.label} seed {record.seed}" for record in records],
    ):
        if len(set(named)) == len(named):
            return named
    return [as_typed(str(run.folder.path)) for run in runs]


def _runs_of(request: AnalysisRequest) -> dict[str, TrainedRun]:
    places = [place for run in request.runs for place in _in_order(opened(run, weights=True))]
    found = [trained_run(place) for place in dict.fromkeys(places)]
    return dict(zip(run_names(found), found, strict=True))


def _in_order(path: Path) -> list[Path]:
    """Return the finished runs at or below a folder; a study's in the order of its plan."""
    found = trained_runs([path])
    planned = StudyFolder(path).planned() or []
    places = {path / run["folder"]: number for number, run in enumerate(planned)}
    return sorted(found, key=lambda run: places.get(run, len(places)))


def _asked(request: AnalysisRequest) -> AskedModel | None:
    if request.model is not None:
        return asked_model(request.model, request.arguments, request.checkpoint, request.name)
    given = {
        "--checkpoint": request.checkpoint,
        "--arg": request.arguments,
        "--name": request.name,
    }
    for option, value in given.items():
        if value:
            raise AnalysisError(f"{option} needs --model.", hint=_FORMS)
    return None


def _protocol(
    request: AnalysisRequest, runs: Sequence[TrainedRun]
) -> tuple[StatedProtocol, ReadProtocol | None]:
    """Return the protocol of the request, or that which all runs share."""
    if request.protocol is not None:
        read = read_protocol(request.protocol, request.overrides)
        return read, read
    if request.overrides:
        raise AnalysisError("--set needs --protocol.", hint=_FORMS)
    if not runs:
        raise AnalysisError(
            "a model that moat did not train has no protocol of its own.",
            where="protocol",
            hint=f"Name a protocol's file, which names the data as well.\n{_FORMS}",
        )
    first, *others = runs
    for other in others:
        if other.plan.protocol_hash != first.plan.protocol_hash:
            differ = changes(first.plan.evaluates, other.plan.evaluates)
            raise AnalysisError(
                f"the runs were evaluated under different protocols: {'; '.join(differ[:3])}.",
                where=as_typed(str(other.folder.path)),
                hint="Name one for all of them: --protocol FILE",
            )
    return first.plan, None


def _data(runs: Sequence[TrainedRun], read: ReadProtocol | None, listener: Listener) -> Data:
    if read is not None:
        cache = cache_of(runs[0].folder.path, runs[0].record.study) if runs else None
        with said_of(read.source.where("data")):
            data = read.dataset.load(cache)
    else:
        first = runs[0]
        with asked_for(first.plan, "data"):
            data = first.plan.dataset.load(cache_of(first.folder.path, first.record.study))
    listener(DataNote(text=data.note))
    return data


def _require_same_data(
    runs: Mapping[str, TrainedRun], data: Data, read: ReadProtocol | None
) -> None:
    """Raise AnalysisError for a run on other test images than those of the analysis."""
    own = next((run.record.data for run in runs.values()), {})
    now = {**(own if read is None else read.test_data), "digest": data.test.digest()}
    for name, run in runs.items():
        if run.record.data.get("digest") != now["digest"]:
            differ = changes(now, {**now, **run.record.data})
            raise AnalysisError(
                f"the run {name!r} was tested on other data than this analysis: "
                f"{'; '.join(sorted(differ))}.",
                where=as_typed(str(run.folder.path)),
                hint="Name runs on the same data, or a --protocol on the run's own.",
            )


def _require_new(label: str, names: Mapping[str, object]) -> None:
    if label in names:
        raise AnalysisError(
            f"a run is called {label!r} as well.", where="--name", hint="Give the model another."
        )


def _subject(
    name: str,
    model: nn.Module,
    run: TrainedRun | AskedModel | None,
    data: Data,
    out: Path | None,
) -> AnalysisSubject:
    identity = {"weights": digest_of_weights(model), "data": data.test.digest()}
    if not isinstance(run, TrainedRun):
        own = {} if run is None else {"model": run.identity(model)}
        return AnalysisSubject(name, identity={**identity, **own})
    place = as_typed(str(run.folder.path))
    place = place if out is None else seen_from(place, out)
    if run.record.train_hash:
        identity["train_hash"] = run.record.train_hash
    return AnalysisSubject(name, place, identity)


_FORMS = """\
runs, under their own protocol:    moat analyze KIND RUN...
runs, under another protocol:      moat analyze KIND RUN... --protocol FILE
any model, under a protocol:       moat analyze KIND --model python:module:callable \
--checkpoint FILE --protocol FILE"""
