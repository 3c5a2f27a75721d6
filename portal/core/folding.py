"""Words of a page are looked up once, when its template is compiled, and not each time it is shown.

Every page of a portal speaks one language.  A portal that speaks several needs an environment for
each of them.
"""

from typing import Any

from flask_babel import gettext
from jinja2 import Environment, Template, nodes
from jinja2.environment import TemplateModule
from jinja2.visitor import NodeTransformer


class Module(Template):
    """A template without globals of its own: whoever imports it may have the same module."""

    def _get_default_module(self, ctx: object = None) -> TemplateModule:
        """Jinja compares the globals of both at each import: a tenth of a page's time."""
        if self._module is None:
            self._module = self.make_module()
        return self._module


class Folding(Environment):
    """Templates whose words are put in already."""

    template_class = Module

    def _generate(self, source: nodes.Template, *how: Any, **more: Any) -> str:
        return super()._generate(_Words().visit(source), *how, **more)


class _Words(NodeTransformer):
    """`_('Hello %(name)s', name=...)`: its words are a constant, what is put into them stays."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja's name
        """A look-up gives way to what it would find."""
        self.generic_visit(node)
        asked = _asked(node)
        if asked is None:
            return node
        words = gettext(asked)
        if not node.kwargs:
            return nodes.MarkSafeIfAutoescape(nodes.Const(words % {}), lineno=node.lineno)
        safe = nodes.MarkSafeIfAutoescape(nodes.Const(words))
        pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in node.kwargs]
        return nodes.Mod(safe, nodes.Dict(pairs), lineno=node.lineno)


def _asked(node: nodes.Call) -> str | None:
    """The words that it looks up, where they stand in the template as they are."""
    named = isinstance(node.node, nodes.Name) and node.node.name == "_"
    if not named or len(node.args) != 1 or node.dyn_args or node.dyn_kwargs:
        return None
    only = node.args[0]
    return str(only.value) if isinstance(only, nodes.Const) else None
