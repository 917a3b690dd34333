"""Electric and small technical objects; screens, lenses and keys face +Z."""

from __future__ import annotations

from training.families.gadgets.appliances import (
    drone,
    flashlight,
    hair_dryer,
    headphones,
    iron,
    robot_vacuum,
    sewing_machine,
)
from training.families.gadgets.devices import (
    air_conditioner,
    camera,
    fan,
    gramophone,
    microwave,
    printer,
    radio,
    smoke_detector,
    speaker,
    wall_clock,
)
from training.families.gadgets.screens import (
    arcade,
    computer,
    keyboard,
    laptop,
    monitor,
    old_television,
    projector,
    television,
)
from training.families.gadgets.small import (
    alarm_clock,
    game_pad,
    old_telephone,
    phone,
    plug,
    remote,
    surveillance_camera,
    watch,
)
from training.families.paints import Kind, Rng, pick
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random gadget."""
    kinds: tuple[Kind, ...] = (television, television, old_television, monitor, computer, laptop, laptop, radio, radio)
    kinds += (camera, camera, phone, remote, speaker, speaker, keyboard, wall_clock, alarm_clock, smoke_detector, plug)
    kinds += (surveillance_camera, fan, fan, old_telephone, game_pad, watch, sewing_machine, headphones, microwave)
    kinds += (printer, drone, hair_dryer, iron, flashlight, robot_vacuum, air_conditioner, gramophone, arcade)
    kinds += (projector,)
    return pick(rng, kinds)(rng)
