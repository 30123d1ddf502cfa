"""Checks requests and replies against the service model that botocore ships, and words errors."""

import re

import botocore.session
from botocore.validate import ParamValidator


class ApiError(Exception):
    """An exception of the service: its code, its words and the HTTP status it travels with."""

    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Model:
    """One service as botocore describes it."""

    def __init__(self, service):
        self.service = botocore.session.get_session().get_service_model(service)
        self.validator = ParamValidator()

    def operations(self):
        return self.service.operation_names

    def errors(self, operation):
        """The exceptions that the operation may answer with."""
        return {shape.name for shape in self.service.operation_model(operation).error_shapes}

    def input_faults(self, operation, value):
        return self._faults(self.service.operation_model(operation).input_shape, value)

    def output_faults(self, operation, value):
        shape = self.service.operation_model(operation).output_shape
        if shape is None:
            return [] if value is None else [f"{operation} answers nothing"]
        return self._faults(shape, value)

    def shape_faults(self, name, value):
        return self._faults(self.service.shape_for(name), value)

    def _faults(self, shape, value):
        report = self.validator.validate(value, shape)
        found = [report.generate_report()] if report.has_errors() else []
        return found + list(limits(shape, value, shape.name))


def limits(shape, value, at):
    """What botocore's own validator leaves to the server: enums, patterns, lengths, ranges."""
    raw = shape._shape_model  # botocore has no public way to the pattern of a shape
    if shape.type_name == "structure" and isinstance(value, dict):
        for key, member in value.items():
            if key in shape.members:
                yield from limits(shape.members[key], member, f"{at}.{key}")
            else:
                yield f"{at}.{key} is not a member of {shape.name}"
    elif shape.type_name == "list" and isinstance(value, list):
        yield from size(raw, len(value), at, "entries")
        for index, member in enumerate(value):
            yield from limits(shape.member, member, f"{at}[{index}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, member in value.items():
            yield from limits(shape.key, key, f"{at} key")
            yield from limits(shape.value, member, f"{at}.{key}")
    elif shape.type_name == "string" and isinstance(value, str):
        if raw.get("enum") and value not in raw["enum"]:
            yield f"{at}: {value!r} is not one of {', '.join(raw['enum'])}"
        yield from size(raw, len(value), at, "characters")
        if raw.get("pattern") and not re.fullmatch(raw["pattern"], value, re.DOTALL):
            yield f"{at}: {value[:80]!r} does not match {raw['pattern']}"
    elif shape.type_name in ("integer", "long") and isinstance(value, int):
        yield from size(raw, value, at, "")


def size(raw, amount, at, unit):
    if amount < raw.get("min", amount):
        yield f"{at}: {amount} {unit} is less than {raw['min']}"
    if amount > raw.get("max", amount):
        yield f"{at}: {amount} {unit} is more than {raw['max']}"
