"""Several shapes of one object, of which the best is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from manymesh.errors import ObjectError
from manymesh.render.camera import fit_front_camera
from manymesh.stages import Tick
from manymesh.types import U8, Camera, Mesh

# The best of several tries is chosen on silhouettes of at most this many pixels a side. Chosen by hand; not measured.
_COMPARE_PX = 256


@dataclass(frozen=True)
class Tries:
    """The meshes of the tries that succeeded, in order, and the errors of those that failed."""

    meshes: list[Mesh]
    failures: list[ObjectError]

    @staticmethod
    def make(count: int, seed: int, tick: Tick, shape: Callable[[int, Tick], Mesh]) -> Tries:
        """All of ``count`` tries; one that fails does not stop the others.

        Args:
            count: how many.
            seed: the object's own.
            tick: called with the share of all tries that is done, 0..1.
            shape: makes one mesh from a seed; called with it and with a ``Tick`` for itself alone.
        """
        made = Tries([], [])
        for number in range(count):

            def try_tick(done: float, number: int = number) -> None:
                tick((number + done) / count)

            try:
                made.meshes.append(shape(seed_of_try(seed, number), try_tick))
            except ObjectError as error:
                # Without its frames, which would keep the networks' numbers in memory.
                made.failures.append(error.with_traceback(None))
        return made

    def ranked(self, alpha: U8) -> tuple[list[tuple[Mesh, Camera]], list[str]]:
        """The meshes with their cameras, the one that agrees best with the cutout first, and remarks for people.

        Args:
            alpha: (H, W) uint8 of the cutout.

        Raises:
            ObjectError: no try gave a mesh.
        """
        if not self.meshes:
            raise self.failures[0]
        made, notes = [(mesh, fit_front_camera(mesh, alpha)) for mesh in self.meshes], []
        if self.failures:
            count = len(self.meshes) + len(self.failures)
            notes.append(f"{len(self.failures)} of {count} tries failed: {self.failures[0].what}.")
        if len(made) > 1:
            scores = [silhouette_score(mesh, view, alpha) for mesh, view in made]
            order = sorted(range(len(made)), key=lambda number: -scores[number])
            made = [made[number] for number in order]
            listed = ", ".join(f"{100 * scores[number]:.0f}%" for number in order)
            notes.append(f"The best of {len(made)} tries is used; their outlines agree with the cutout by {listed}.")
        return made, notes


def seed_of_try(seed: int, number: int) -> int:
    """The seed of try ``number``. The first try has the object's own seed, so asking for more tries does not change
    it."""
    if number == 0:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}/try/{number}".encode()).digest()[:4], "big")


def silhouette_score(mesh: Mesh, view: Camera, alpha: U8) -> float:
    """Intersection over union of the mesh's silhouette and the cutout's, 0..1."""
    from manymesh.render.silhouette import silhouette_iou

    return silhouette_iou(view, mesh.vertices, mesh.faces, alpha, _COMPARE_PX)
