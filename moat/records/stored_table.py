"""A table of a stored file, typed, with its original form kept."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, PrivateAttr, model_validator


class StoredTable(BaseModel):
    """A table whose known keys have types; an unknown key is kept, without a type.

    The types never rewrite a file: a table is written as it was read, or as its writer gave it, in
    the same order and with the same numbers.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    _table: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep(cls, table: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        made = validate(table)
        if isinstance(table, dict):  # else it is such an object already
            made._table = table
        return made

    def as_table(self) -> dict[str, Any]:
        """Return every key as in the file, in the file's order."""
        return dict(self._table)

    def replace(self, **values: Any) -> Self:
        """Return the same table with other values, checked again; new keys come last."""
        return type(self).model_validate({**self._table, **values})
