"""A loss that compares dropout views of the same items."""

from torch import Tensor
from torch.nn import functional as F


def consistency_loss(logits: Tensor) -> Tensor:
    """Divergence between two dropout views, both ways, summed (R-Drop, Liang et al. 2021).

    Args:
        logits: ``[..., 2 B, C]``, the second view after the first.
    """
    first, second = logits.log_softmax(-1).chunk(2, dim=-2)
    one = F.kl_div(first, second, log_target=True, reduction="sum")
    return one + F.kl_div(second, first, log_target=True, reduction="sum")
