"""Which code does a model class reach, and what does that code name, build and multiply?

Only the syntax tree is read: what a class refers to by name in its own file is reached, and what is never
referred to from there (an image tower in the same file, a helper of another head) is not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

Imported = Callable[[str], str]
"""Gives the text of a module such as ``llama.modeling_llama``."""
_ACTIVATION: Final = re.compile(r"(^|_)(act|activation|silu|gelu|relu|swish)|ACT2FN", re.I)


@dataclass(frozen=True, kw_only=True)
class Built:
    """One part that a class builds: ``self.attribute = Part(...)``.

    Parameters
    ----------
    owner
        Class in which it stands.
    attribute
        Name of the attribute.
    part
        Last word of what is called (``RMSNorm`` of ``nn.RMSNorm``).
    """

    owner: str
    attribute: str
    part: str


@dataclass(frozen=True, kw_only=True)
class Code:
    """The top-level definitions that one class reaches.

    Parameters
    ----------
    nodes
        Name to definition.
    """

    nodes: dict[str, ast.stmt]

    @classmethod
    def reached_from(cls, source: str, root: str, *, imported: Imported | None = None) -> Code:
        r"""Follow names from a class through its file, and into files it imports from.

        Decorators are left out: they name optional kernels, not what the model computes.

        Parameters
        ----------
        source, root
            Text of the file, and the class to start from.
        imported
            Gives the text of a module that is named relative to the folder above, "" where there is none.

        Examples
        --------
        >>> text = "class A(B): pass\nclass B: pass\nclass C: pass"
        >>> sorted(Code.reached_from(text, "A").nodes)
        ['A', 'B']
        """
        reached: dict[str, ast.stmt] = {}
        _follow(source, [root], reached, imported)
        return cls(nodes=reached)

    @property
    def classes(self) -> list[ast.ClassDef]:
        """Return the classes reached."""
        return [node for node in self.nodes.values() if isinstance(node, ast.ClassDef)]

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """Return every name, attribute, argument and keyword in the code reached; no texts, no comments."""
        found: set[str] = set(self.nodes)
        for top in self.nodes.values():
            for node in ast.walk(top):
                found |= set(_names(node))
        return frozenset(found)

    def names(self, pattern: str) -> bool:
        """Say whether some identifier matches."""
        sought = re.compile(pattern)
        return any(sought.search(one) for one in self.identifiers)

    def defines(self, pattern: str) -> bool:
        """Say whether some class or function reached has a name that matches."""
        sought = re.compile(pattern)
        return any(sought.search(name) for name in self.nodes)

    @cached_property
    def words(self) -> frozenset[str]:
        """Return the texts of one word that stand in the code reached."""
        nodes = (node for top in self.nodes.values() for node in ast.walk(top))
        texts = (
            node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        return frozenset(text for text in texts if text.isidentifier())

    @cached_property
    def built(self) -> tuple[Built, ...]:
        """Return the parts that the classes reached build, in order."""
        return tuple(part for node in self.classes for part in _built(node))

    def gates(self, pattern: str) -> bool:
        """Say whether a class that matches multiplies an activation by something that is no number."""
        sought = re.compile(pattern)
        return any(
            _gates(function)
            for node in self.classes
            if sought.search(node.name)
            for function in _functions(node)
        )


def settings_of(source: str, reached: frozenset[str]) -> dict[str, object]:
    """Return field to default of the configuration classes in a file that the model's code names.

    A default that is no plain constant is None. All classes count where the code names none of them.
    """
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    named = [node for node in classes if node.name in reached] or classes
    fields: dict[str, object] = {}
    for node in named:
        for name, value in _fields(node):
            fields.setdefault(name, value)
    return fields


def _follow(source: str, waiting: list[str], reached: dict[str, ast.stmt], imported: Imported | None) -> None:
    tree = _Bare().visit(ast.parse(source))
    known: dict[str, ast.stmt] = {}
    origin: dict[str, str] = {}
    for node in _top(tree.body):
        for name in _defined(node):
            known.setdefault(name, node)
        if isinstance(node, ast.ImportFrom) and node.level >= 2 and ".modeling_" in (node.module or ""):
            origin |= {alias.name: str(node.module).removeprefix("models.") for alias in node.names}
    away: dict[str, list[str]] = {}
    while waiting:
        name = waiting.pop()
        if name in known and name not in reached:
            reached[name] = known[name]
            waiting += [one.id for one in ast.walk(known[name]) if isinstance(one, ast.Name)]
        elif name in origin and name not in reached:
            away.setdefault(origin[name], []).append(name)
    for module, names in away.items():
        if imported is not None and (text := imported(module)):
            _follow(text, sorted(set(names)), reached, imported)


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, and those that stand under a condition (on an optional package, say)."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _top([*node.body, *node.orelse])


class _Bare(ast.NodeTransformer):
    """Takes decorators off."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = []
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = []
        return self.generic_visit(node)


def last_word(node: ast.expr) -> str:
    """Return ``RMSNorm`` of ``nn.RMSNorm`` and of ``RMSNorm``; "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return last_word(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [one.id for one in node.targets if isinstance(one, ast.Name)]
    return []


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.arg) or (isinstance(node, ast.keyword) and node.arg):
        yield str(node.arg)


def _built(owner: ast.ClassDef) -> Iterator[Built]:
    for node in ast.walk(owner):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(target, ast.Attribute):
            for call in ast.walk(node.value):
                if isinstance(call, ast.Call) and last_word(call.func):
                    yield Built(owner=owner.name, attribute=target.attr, part=last_word(call.func))


def _functions(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [one for one in node.body if isinstance(one, ast.FunctionDef)]


def _gates(function: ast.FunctionDef) -> bool:
    activated = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _is_activation(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def active(node: ast.expr) -> bool:
        return _is_activation(node) or (isinstance(node, ast.Name) and node.id in activated)

    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for one, other in ((node.left, node.right), (node.right, node.left)):
                if active(one) and not isinstance(other, ast.Constant) and not _weighs(other):
                    return True
    return False


def _is_activation(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _ACTIVATION.search(last_word(node.func)) is not None


def _weighs(node: ast.expr) -> bool:
    """Say whether this is the weight of an expert rather than a projection."""
    return any(
        isinstance(one, ast.Name) and re.search(r"weight|score|prob", one.id) is not None
        for one in ast.walk(node)
    )


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, object]]:
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            yield one.target.id, _constant(one.value)
        elif isinstance(one, ast.FunctionDef) and one.name == "__init__":
            arguments, defaults = one.args.args, one.args.defaults
            without: list[ast.expr | None] = [None] * (len(arguments) - len(defaults))
            for argument, default in zip(arguments, [*without, *defaults], strict=True):
                if argument.arg != "self":
                    yield argument.arg, _constant(default)


def _constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None
