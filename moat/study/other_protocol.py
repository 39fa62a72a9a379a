"""Finished runs under another protocol than their own, in folders beside theirs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import torch

from moat import allocator
from moat.consent import current_consent
from moat.data import Data
from moat.dotted import changes
from moat.errors import RunFolderError
from moat.events import DataNote
from moat.models.weights import digest_of_state
from moat.names import why_no_name
from moat.precision import plain_torch
from moat.public import public_at_once
from moat.recipe import ReadProtocol, read_protocol
from moat.records import ModelRecord, RunRecord
from moat.runs import RunFolder, as_typed, cache_of, kept_command, results_of, seen_from
from moat.short_text import cut_short
from moat.storage import Record
from moat.study.failures import said_of
from moat.study.judge import Judged, whole_scores
from moat.study.model_loading import load_recorded
from moat.study.model_record import machine_of
from moat.study.own_folder import judge_apart
from moat.study.places import Place, PlaceKeys, place_of
from moat.study.run_list import one_by_one
from moat.study.subjects import Subject, held_out_of
from moat.study.trained_run import TrainedRun, trained_run
from moat.training import device_for
from moat.version import __version__


@public_at_once
def evaluate_under(
    protocol: Path | str,
    runs: Sequence[Path],
    *,
    overrides: Sequence[str] = (),
    validation: bool = False,
    **place: Unpack[PlaceKeys],
) -> Iterator[Judged]:
    """Evaluate finished runs under another protocol's file; the runs stay unchanged.

    Each gets a folder <results>/<study>@<protocol>/<variant>/<sweep values>/seed-<n>, in the run's
    own results folder unless `results` names another. An existing evaluation is kept unless
    `overwrite`. `validation` also searches the run's held-out examples. `place` are the keywords
    `results`, `device`, `overwrite` and `listener`. A run that fails, such as one on other data
    than the protocol's, leaves the others. Raises MoatError for an inconsistent protocol.
    """
    court = other_protocol(protocol, overrides, validation, place_of(place))
    return one_by_one(runs, court.judged, court.place.listener)


def other_protocol(
    protocol: Path | str, overrides: Sequence[str], validation: bool, at: Place
) -> "OtherProtocol":
    """Return a protocol from its file for the evaluation of runs; MoatError if it is invalid."""
    words = [word for text in overrides for word in ("--set", text)]
    words += ["--allow-code"] if current_consent().stored else []
    return OtherProtocol(
        judged_by=read_protocol(protocol, overrides),
        words=["--protocol", str(protocol), *words],
        place=at,
        device=device_for(at.device),
        validation=validation,
    )


@dataclass
class OtherProtocol:
    """A protocol, the data of its evaluations, read once, and the place of its results."""

    judged_by: ReadProtocol
    words: list[str]  # of the command that names it
    place: Place
    device: torch.device
    validation: bool
    data: Data | None = None

    @plain_torch()
    def judged(self, path: Path) -> Judged:
        """Evaluate one finished run in a folder of its own."""
        run, protocol = trained_run(path), self.judged_by
        allocator.take(run.plan.training.allocator)
        data, about = self.same_data(run.folder, run.record)
        if run.record.protocol_hash == protocol.protocol_hash and (
            scores := whole_scores(run.folder, run.record)
        ):
            return Judged(path, scores, before=True)  # it is the run's own protocol
        results, there = self._results(run), self.folder_of(run)
        record = self._record(run.folder, run.record, results, about)

        def subject() -> Subject:
            held_out = held_out_of(run.plan, data) if self.validation else None
            size = run.plan.training.pass_size
            model = load_recorded(run.folder, run.record, self.device)
            return Subject(there, model, record, size, held_out)

        return judge_apart(
            there,
            record,
            subject,
            data,
            protocol,
            replace(self.place, results=results),
            mend="Name another --results folder",
        )

    def folder_of(self, run: TrainedRun) -> RunFolder:
        """Return the folder of the evaluation of a run."""
        study = f"{run.record.study}@{self.judged_by.name}"
        if why := why_no_name(study):
            raise RunFolderError(
                f"its evaluation would be kept in {cut_short(study)!r}, which cannot be a folder: "
                f"{why}.",
                where=str(run.folder.path),
                hint="Give the protocol's file, or the study's folder, a shorter name.",
            )
        return RunFolder(self._results(run) / study / Path(*run.plan.path.parts[1:]))

    def _results(self, run: TrainedRun) -> Path:
        named, path = self.place.results, run.folder.path
        return named or results_of(path, run.record.study) or Path("results")

    def same_data(self, folder: RunFolder, record: RunRecord) -> tuple[Data, Record]:
        """Return the data and their identity; RunFolderError if the run has other data."""
        where, then = self.judged_by.source.where("data"), record.data
        now = self.judged_by.test_data
        if then.get("type") == now["type"]:  # else they need not be read
            if self.data is None:
                with said_of(where):
                    self.data = self.judged_by.dataset.load(cache_of(folder.path, record.study))
                self.place.listener(DataNote(text=self.data.note))
            now = {**now, "digest": self.data.test.digest()}
            if then.get("digest") == now["digest"]:
                return self.data, now
        raise RunFolderError(
            "the run was tested on other data than the protocol's: "
            f"{'; '.join(changes(then, {**then, **now}))}.",
            where=str(folder.path),
            hint=f"The protocol sets its data in {where}; name one on the run's own.",
        )

    def _record(
        self, folder: RunFolder, record: RunRecord, results: Path, about: Record
    ) -> ModelRecord:
        """Return what the record says of the run: its own keys, and where it lies."""
        run = as_typed(str(folder.path))
        words = ["moat", "evaluate", run, *self.words, "--results", str(results)]
        return record.elsewhere(
            moat=__version__,
            study=f"{record.study}@{self.judged_by.name}",
            weights=digest_of_state(folder.load_model(of=record) or {}),
            of=seen_from(run, results),
            command=kept_command(words, results),
            machine=machine_of(self.device),
            data=about,
        )
