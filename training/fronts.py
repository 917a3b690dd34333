"""For which catalogue models +Z is not the front, or no side is. Found by looking at contact sheets of all of them.

The catalogue's convention is +Z, and nearly all models keep it: seats, cupboards, screens, vehicles, people and animals
do. Round objects are left as known: what is the same from all sides cannot mislead.
"""

from __future__ import annotations

# Turned otherwise: in profile, or lying across.
TURNED = """
blendswap-cc-0/motorbike blendswap-cc-0/wheelbarrow blendswap-cc-by/tableTennisBat katorlegaz/hose-reel
reallusion/lyingDownFemale01 reallusion/lyingDownMale01 reallusion/lyingDownMale02 reallusion/boyLying
scopia/roasted-chicken scopia/parque scopia/hammock
"""

# Grown, heaped or broken off: every side is as good.
ANY_SIDE = """
blendswap-cc-0/augalas blendswap-cc-0/orchids blendswap-cc-0/cactus blendswap-cc-0/rock1 blendswap-cc-0/rock2
blendswap-cc-0/rock3 blendswap-cc-0/cardGame blendswap-cc-0/bread blendswap-cc-0/housePuzzle blendswap-cc-0/cissors_swap
blendswap-cc-0/plantie blendswap-cc-0/flowerBox blendswap-cc-by/luckyBamboo blendswap-cc-by/mediumIndoorPlant
blendswap-cc-by/decorativePlant blendswap-cc-by/spider_plant blendswap-cc-by/tulip blendswap-cc-by/white_lily
blendswap-cc-by/utensilsPot scopia/maceta scopia/vase5 scopia/calla_lily_with_roses scopia/high-hedge scopia/hedge
scopia/hedgeTextured scopia/acacia scopia/ficusTree scopia/bluePineSnow scopia/bowlWithFruits scopia/bowlWithSalad
scopia/coconutTreeBended scopia/copperBeech scopia/cypress scopia/frenchFries scopia/japaneseMaple scopia/poplar
scopia/palm scopia/peachBlossom scopia/pine scopia/pineSnow scopia/sabalPalmeto scopia/steak scopia/sycamoreMaple
scopia/keys scopia/penbox scopia/basicTree scopia/avenueTree scopia/gant-textured scopia/chaussette
"""

UNKNOWN = frozenset((TURNED + ANY_SIDE).split())


def front_known(name: str) -> bool:
    """Whether azimuth can be learned from the shape of this name."""
    return name not in UNKNOWN
