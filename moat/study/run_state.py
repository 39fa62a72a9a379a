"""A run's folder against its plan: the finished parts, and the remaining work."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from moat.dotted import changes
from moat.errors import ForeignFileError, RunFolderError
from moat.models import Model, PythonModel
from moat.models.torchvision import Torchvision
from moat.models.weights import DIGEST
from moat.recipe import RunPlan
from moat.recipe.own_recipe import kept_recipe
from moat.recipe.start import START_KEY, Start
from moat.records import RunRecord
from moat.runs import RunFolder, require_one_protocol, require_one_result
from moat.storage import Record
from moat.study.loading import plan_of, record_of, require_trained_here
from moat.study.own_recipe import own_plan, require_same_code
from moat.study.recipe_change import recipe_change, require_own_recipe
from moat.study.start import require_same_start

Left = Literal["training", "evaluation", "nothing"]


@dataclass(frozen=True)
class RunState:
    """A run's folder beside its plan; each file is read once, when it is first needed.

    So it is a snapshot. After waiting for the folder's lock, make a new one.
    """

    planned: RunPlan
    folder: RunFolder

    @cached_property
    def record(self) -> RunRecord | None:
        """The run's record, None if it is not finished."""
        return record_of(self.folder)

    @cached_property
    def recipe(self) -> Record | None:
        """The run's own recipe, None if there is none yet."""
        return self.folder.read_recipe()

    @cached_property
    def plan(self) -> RunPlan:
        """The plan; a missing weights file is identified by the folder's recipe.

        So a run that has begun continues without its initial weights file.
        """
        planned = self._with_known_start(self.planned)
        begins = isinstance(planned.model, Torchvision) or (
            isinstance(planned.model, PythonModel) and planned.model.initial_weights is not None
        )
        if not begins or DIGEST in planned.document["model"]:
            return planned
        with suppress(RunFolderError, ValueError):  # what is broken is said where it matters
            begun = (self.recipe or {}).get("model")
            digest = begun.get(DIGEST) if isinstance(begun, dict) else None
            named = {**planned.document["model"], DIGEST: digest}
            document = {**planned.document, "model": named}
            kept, _ = kept_recipe(document, self.folder.path, planned.source.code)
            if digest and begun in (named, kept["model"]):  # the former in folders of older moats
                model: Model = replace(planned.model, weights_digest=digest)  # type: ignore[type-var]
                start = self._start_of_same_trunk(planned.start)
                return replace(planned, model=model, document=document, start=start)
        return planned

    def _with_known_start(self, planned: RunPlan) -> RunPlan:
        """Return a plan whose missing start is identified by the folder's recipe, if it is same."""
        start = planned.start
        if start is None or start.training is not None or start.digest is not None:
            return planned
        with suppress(RunFolderError, ValueError):
            kept, _ = kept_recipe(planned.document, self.folder.path, planned.source.code)
            own, now = self._own_start(), kept["variant"][0][START_KEY]
            if isinstance(digest := own.get("digest"), str) and own == {**now, "digest": digest}:
                return replace(planned, start=replace(start, digest=digest))
        return planned

    def _start_of_same_trunk(self, start: Start | None) -> Start | None:
        """Return the start of a leg whose trunk began with a weights file that is missing now."""
        training = self._own_start().get("training")
        if start is None or start.training is None or not isinstance(training, str):
            return start
        return replace(start, training=training)

    def _own_start(self) -> Record:
        variants = (self.recipe or {}).get("variant")
        table = variants[0].get(START_KEY) if isinstance(variants, list) and variants else None
        return table if isinstance(table, dict) else {}

    @property
    def begins(self) -> bool:
        """Whether the training has yet to begin, which is when it needs its start."""
        begun = self.folder.checkpoint.exists() or self.folder.is_trained
        return self.left == "training" and not begun

    @property
    def left(self) -> Left:
        """The remaining work of the run.

        Raises RunFolderError for a folder with another run, an unreadable file, a record that
        contradicts itself, or a recipe that was changed after the training.
        """
        trained = self.require_same_training()
        if self.record is None:
            return "training"
        require_one_protocol(self.record, self.folder.path)
        self._require_own_recipe(self.record)
        whole = trained and self.recipe is not None
        judged = self.record.protocol_hash == self.plan.protocol_hash
        return "nothing" if whole and judged and self._is_evaluated(self.record) else "evaluation"

    def require_same_training(self) -> bool:
        """Raise RunFolderError with the changes if another recipe trained the folder's run.

        Raises ForeignFileError if its recipe is the same but its weights are another run's. Returns
        whether trained weights exist.
        """
        record, folder = self.record, self.folder
        if record is not None:
            require_trained_here(record, folder)
        begun = folder.checkpoint.exists() or folder.is_trained
        if record is None and not begun and not folder.recipe.exists():
            return False
        if record is None and begun:
            require_same_code(self.plan, folder)
        trained = self._own_plan().trains if record is None else record.trains
        if record is None and not begun:  # a recipe and nothing trained by it: nothing can be lost
            return False
        if changed := changes(trained, self.plan.trains):
            if record is None and self._was_begun_as_planned():
                edited = changes(self.plan.trains, trained)
                raise recipe_change(
                    edited, folder, "Undo the change, or train this run again with --overwrite."
                )
            raise RunFolderError(
                f"the folder contains a run with other training settings: {'; '.join(changed)}.",
                where=str(folder.path),
                hint="Nothing was overwritten. Name another --results folder, undo the change, or "
                "train this run again with --overwrite.",
            )
        require_same_code(self.plan, folder)
        if record is not None:
            require_same_start(self.plan, folder.path, record)
        return folder.require_own_weights(record, self.plan.train_hash)

    def _own_plan(self) -> RunPlan:
        """Return the plan of the folder's own recipe, which is planned only where it differs."""
        try:
            held = self.recipe or {}
        except RunFolderError:  # what cannot be read is said by its plan, in more detail
            return plan_of(self.folder)
        return own_plan(self.plan, self.folder, held)

    def _was_begun_as_planned(self) -> bool:
        """Say whether an unfinished run's checkpoint is of the planned training."""
        with suppress(RunFolderError):
            state = self.folder.load_checkpoint() or {}
            return bool(state.get("train_hash") == self.plan.train_hash)
        return False

    def _require_own_recipe(self, record: RunRecord) -> None:
        if self.recipe is not None:
            require_own_recipe(self._own_plan(), record, self.folder)

    def _is_evaluated(self, record: RunRecord) -> bool:
        """Say whether the evaluation is whole; where another was cut short, its files are newer."""
        try:
            about = self.folder.read_scores(record)
        except ForeignFileError:
            if self.folder.is_interrupted:
                return False
            raise
        if about is not None:
            require_one_result(record, about, self.folder.path)
        return about is not None
