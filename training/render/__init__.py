"""Pictures and targets rendered while the network trains: nothing is stored, no view is seen twice."""

from training.render.draw import render
from training.render.shape_set import ShapeSet
from training.render.views import Views, sample_views

__all__ = ["ShapeSet", "Views", "render", "sample_views"]
