"""Which way of an experiment a contact takes: by chance, and always the same one. Pure."""

from collections.abc import Sequence
from hashlib import blake2b

from .graph import ExperimentBranchNode, Graph, VariantNode


def variant_for(node_id: str, graph: Graph, *, workflow_id: str, contact_id: str) -> str | None:
    """The variant that the contact gets at the experiment `node_id`; None when there is none.

    `sampling_rate` percent go to the variants, evenly, and the others to the control. Who gets a variant and
    which one are drawn apart: another rate moves as few contacts as it can, and none to another variant.
    Without a control everybody gets a variant, and without variants the control.
    """
    node = graph.nodes[node_id]
    assert isinstance(node, ExperimentBranchNode)
    variants: list[str] = []
    control: str | None = None
    for child_id in node.next_node_ids:
        child = graph.nodes.get(child_id)
        if isinstance(child, VariantNode) and child.is_control:
            control = child_id
        elif isinstance(child, VariantNode):
            variants.append(child_id)
    sampled, which = _draw(workflow_id, node_id, contact_id)
    if not variants or (control is not None and sampled * 100 >= node.sampling_rate):
        return control
    return variants[int(which * len(variants))]


def _draw(*parts: str) -> Sequence[float]:
    """Two numbers from 0 to below 1, the same for the same parts."""
    digest = blake2b("/".join(parts).encode(), digest_size=12).digest()
    return [int.from_bytes(half) / 2**48 for half in (digest[:6], digest[6:])]
