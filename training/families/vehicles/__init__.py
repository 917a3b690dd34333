"""Cars, trucks, two-wheelers, planes, ships, trains and machines; all drive towards +Z."""

from __future__ import annotations

from training.families.paints import Kind, Rng, pick
from training.families.vehicles.air import airship, biplane, helicopter, plane, rocket
from training.families.vehicles.cars import beetle, buggy, car, race_car, racer
from training.families.vehicles.trucks import bus, pickup, truck, van
from training.families.vehicles.two_wheels import bicycle, motorbike, pram, scooter, sledge, tricycle
from training.families.vehicles.water import boat, sailing_ship, ship
from training.families.vehicles.work import forklift, robot_walker, steam_engine, tank, tractor, wagon
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random vehicle."""
    kinds: tuple[Kind, ...] = (car, car, car, car, car, beetle, pickup, van, bus, truck, truck, buggy, racer, race_car)
    kinds += (plane, plane, helicopter, boat, ship, sailing_ship, steam_engine, wagon, tank, robot_walker, forklift)
    kinds += (tractor, tractor, bicycle, bicycle, motorbike, motorbike, scooter, tricycle, pram, biplane, rocket)
    kinds += (airship, sledge)
    return pick(rng, kinds)(rng)
