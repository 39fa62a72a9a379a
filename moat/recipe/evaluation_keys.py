"""The keys of a threat's `evaluate` besides the threat's own, as JSON schema."""

from pydantic.config import JsonDict

EVALUATION_KEYS: JsonDict = {
    "at_steps": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
    "at_epsilon": {
        "type": "array",
        "items": {"type": "number", "exclusiveMinimum": 0},
        "minItems": 1,
    },
    "restarts": {"type": "integer", "minimum": 1},
}
