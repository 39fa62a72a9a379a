"""The runs of a study in one process: their shared parts, and the end of each."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from moat.data import Data, DataSet
from moat.errors import BusyError, DiskError, MoatError, RunFolderError
from moat.events import (
    DataNote,
    Listener,
    Overwrite,
    RunEnd,
    RunFailure,
    RunHold,
    RunSkip,
    RunStart,
)
from moat.recipe import RunPlan
from moat.recipe.predecessors import predecessors_of
from moat.records import RunRecord
from moat.runs import CACHE, RunFolder
from moat.storage import Record
from moat.study.events import error_table, named
from moat.study.failures import as_failure, asked_for
from moat.study.looks import tell_oddities
from moat.study.model_loading import load
from moat.study.one_run import run_one
from moat.study.overwriting import clear, make_way
from moat.study.partners import partner_record, partners_of
from moat.study.planning import announce, keep_failure
from moat.study.run_state import RunState
from moat.study.start import require_start
from moat.study.transfer import Judgement, settle
from moat.training import device_for


@dataclass(frozen=True)
class RunnerSettings:
    """The place of a study's runs, and their options."""

    results: Path
    device: str
    overwrite: bool


@dataclass
class Runner:
    """Runs the plans of a study, one at a time; `whole` has all plans of its recipe."""

    setting: RunnerSettings
    plans: Sequence[RunPlan]
    whole: Sequence[RunPlan]
    listener: Listener
    loaded: dict[DataSet, Data] = field(default_factory=dict)
    errors: dict[Path, MoatError] = field(default_factory=dict)
    announced: bool = False

    def announce(self) -> None:
        """Write the plan to the study's folder; if the disk refuses, it is tried again later."""
        known = self.loaded or None  # before any data set is read, what failed is waiting again
        self.announced = announce(self.setting.results, self.plans, self.whole, known)

    def tell_oddities(self) -> None:
        """Report the oddities that the data read so far reveal."""
        device = device_for(self.setting.device).type
        tell_oddities(self.plans, self.loaded, device, self.listener)

    def skips(self, plan: RunPlan) -> bool:
        """Skip a run that was finished before; say whether it was. `ends` reports faults."""
        folder = self._folder(plan)
        with suppress(Exception):
            state = RunState(plan, folder)
            if state.left == "nothing":
                self._skip(state)
                return True
        return False

    def unfinished(self) -> list[int]:
        """Skip the finished runs; return the numbers of the others, and of those that start there.

        A run whose start is trained again may have another start then.
        """
        left: dict[Path, int] = {}
        for number, plan in enumerate(self.plans):
            before = self._predecessors.get(plan.path)
            if (before is not None and before.path in left) or not self.skips(plan):
                left[plan.path] = number
        return [*left.values()]

    def is_recorded(self, plan: RunPlan) -> bool:
        """Say whether a run's folder has a record, valid or not."""
        return self._folder(plan).is_done

    def ends(self, plan: RunPlan) -> bool:
        """Do the remaining work of a run; return False if another process holds it."""
        folder = self._folder(plan)
        try:
            self._do(plan, folder)
        except BusyError as error:
            self.errors[folder.path] = error
            self.listener(named(RunHold, plan, folder.path, **error_table(error)))
            return False
        except Exception as error:  # whatever a plug-in raises must not stop the others
            self.fail(plan, as_failure(error))
        return True

    def fail(self, plan: RunPlan, failure: MoatError) -> None:
        """Record the reason of a run's failure, and report it."""
        folder = self._folder(plan)
        self.errors[folder.path] = failure
        keep_failure(folder, failure)
        self._settle_waiting(plan)
        self.listener(named(RunFailure, plan, folder.path, **error_table(failure)))

    def _folder(self, plan: RunPlan) -> RunFolder:
        return RunFolder(self.setting.results / plan.path)

    def _do(self, plan: RunPlan, folder: RunFolder) -> None:
        if self.setting.overwrite:
            make_way(folder, self.listener)
        state = RunState(plan, folder)
        plan = state.plan
        if self._is_done(state):
            self._skip(state)
            return
        folder.require_free()
        if plan.start is not None and self._begins(state):
            require_start(plan, folder.path, self._before(plan))
        self.listener(named(RunStart, plan, folder.path))
        scores = self._run(plan, folder, self._data(plan))
        if not self.announced:
            self.announce()
        self._settle(
            plan, folder.read_record()
        )  # its folder was let go of: the partner may have ended meanwhile
        self._settle_waiting(plan)
        self.listener(named(RunEnd, plan, folder.path, scores=scores))

    def _is_done(self, state: RunState) -> bool:
        try:
            return state.left == "nothing"
        except RunFolderError as error:
            if not self.setting.overwrite:
                raise
            where = error.where.removeprefix(str(state.folder.path)).lstrip("/, ")
            what = f"{where}: {error.message}" if where else error.message
            self.listener(Overwrite(folder=state.folder.path, what=what))
            return False

    def _begins(self, state: RunState) -> bool:
        """Say whether a run is trained from its start, after its folder is cleared if need be."""
        try:
            return state.begins
        except RunFolderError:  # without --overwrite it was raised before
            return True

    def _skip(self, state: RunState) -> None:
        state.folder.tidy()
        self._settle(state.plan, state.record)
        self.listener(named(RunSkip, state.plan, state.folder.path))

    def _before(self, plan: RunPlan) -> Iterator[RunFolder]:
        """Yield the folders of the runs on whose training a run depends, the nearest first."""
        while (before := self._predecessors.get(plan.path)) is not None:
            yield self._folder(before)
            plan = before

    @cached_property
    def _predecessors(self) -> dict[Path, RunPlan | None]:
        return predecessors_of(self.whole)

    @cached_property
    def _partners(self) -> dict[Path, RunPlan | None]:
        return partners_of(self.whole)

    def _settle_waiting(self, plan: RunPlan) -> None:
        """Ask other runs what waits for this one."""
        for one in self.whole:
            partner = self._partners[one.path]
            if partner is not None and partner.path == plan.path:
                with suppress(MoatError):  # what is wrong with it, its own turn says
                    self._settle(one, self._folder(one).read_record())

    def _settle(self, plan: RunPlan, record: RunRecord | None) -> None:
        """Ask a finished run what waits for its partner, if that has ended."""
        folder = self._folder(plan)
        device = device_for(self.setting.device)
        judgement = Judgement(
            folder,
            plan.protocol,
            lambda: load(folder.path, device),
            lambda: self._data(plan),
            device,
        )
        with suppress(Exception):  # a plug-in's: the run is done, and the question stays open
            settle(judgement, record, partner_record(self._partners[plan.path]))

    def _data(self, plan: RunPlan) -> Data:
        """Return a run's data set; the one before it is let go of."""
        if plan.dataset not in self.loaded:
            self.tell_oddities()
            with asked_for(plan, "data"):
                self.loaded = {plan.dataset: plan.dataset.load(self.setting.results / CACHE)}
            self.listener(DataNote(text=self.loaded[plan.dataset].note))
            self.announce()
            self.tell_oddities()
        return self.loaded[plan.dataset]

    def _run(self, plan: RunPlan, folder: RunFolder, data: Data) -> Record:
        """Run it, and where the folder stands in the way and may be overwritten, clear it first."""
        device, partner = self.setting.device, partner_record(self._partners[plan.path])
        try:
            return run_one(plan, folder, data, device, self.listener, partner)
        except (BusyError, DiskError):
            raise
        except RunFolderError:
            if not self.setting.overwrite:
                raise
            with folder.locked():
                clear(folder, self.listener)
            return run_one(plan, folder, data, device, self.listener, partner)
