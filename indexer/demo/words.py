"""The words for everything in the drawn world; the first of each list is the plainest."""

from __future__ import annotations

from typing import Final

SINGULARS: Final[dict[str, tuple[str, ...]]] = {
    "car": ("car", "automobile"),
    "bus": ("bus", "coach"),
    "truck": ("truck", "lorry", "van"),
    "train": ("train", "locomotive", "steam train"),
    "bicycle": ("bicycle", "bike", "cycle"),
    "boat": ("boat", "ship", "sailboat", "sailing boat", "yacht"),
    "plane": ("plane", "airplane", "aeroplane", "aircraft", "jet"),
    "helicopter": ("helicopter", "chopper"),
    "rocket": ("rocket", "spaceship", "spacecraft"),
    "balloon": ("balloon", "hot air balloon"),
    "house": ("house", "home", "cottage"),
    "castle": ("castle", "fortress"),
    "windmill": ("windmill", "mill"),
    "lighthouse": ("lighthouse",),
    "tent": ("tent",),
    "tree": ("tree", "oak"),
    "palm": ("palm", "palm tree"),
    "flower": ("flower", "blossom", "daisy"),
    "mushroom": ("mushroom", "toadstool"),
    "cactus": ("cactus",),
    "person": ("person", "man", "human", "woman", "walker"),
    "dog": ("dog", "puppy", "hound"),
    "cat": ("cat", "kitten"),
    "horse": ("horse", "pony"),
    "bird": ("bird", "gull", "sparrow"),
    "duck": ("duck",),
    "fish": ("fish",),
    "butterfly": ("butterfly",),
    "ball": ("ball", "beach ball"),
    "flag": ("flag", "banner"),
    "moon": ("moon", "crescent", "crescent moon"),
    "star": ("star",),
    "umbrella": ("umbrella", "parasol"),
    "chair": ("chair", "seat"),
    "lamp": ("lamp", "floor lamp"),
    "clock": ("clock",),
    "cup": ("cup", "mug"),
    "kite": ("kite",),
    "guitar": ("guitar",),
    "robot": ("robot", "android"),
}
_PLURALS: Final = {
    "bus": "buses",
    "coach": "coaches",
    "lorry": "lorries",
    "aircraft": "aircraft",
    "spacecraft": "spacecraft",
    "fortress": "fortresses",
    "daisy": "daisies",
    "cactus": "cacti",
    "person": "people",
    "man": "men",
    "woman": "women",
    "puppy": "puppies",
    "pony": "ponies",
    "fish": "fish",
    "butterfly": "butterflies",
}
COLOUR_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "red": ("red", "scarlet", "crimson"),
    "orange": ("orange", "amber"),
    "yellow": ("yellow", "golden"),
    "green": ("green", "emerald"),
    "blue": ("blue", "azure"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rosy"),
    "brown": ("brown", "tan"),
    "black": ("black", "jet black"),
    "white": ("white", "whitish"),
}
SOMETHING: Final = ("something", "a thing", "anything", "an object", "things", "everything")
COUNT_WORDS: Final[dict[int, tuple[str, ...]]] = {
    1: ("a", "one", "a single", "the"),
    2: ("two", "2", "a pair of", "a couple of", "both"),
    3: ("three", "3", "a trio of"),
    4: ("many", "a lot of", "lots of", "a group of", "a crowd of", "several"),
}
RELATION_PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "left of": ("left of", "to the left of", "on the left of", "at the left side of"),
    "right of": ("right of", "to the right of", "on the right of", "at the right side of"),
    "above": ("above", "over", "high above", "on top of"),
    "below": ("below", "under", "underneath", "beneath"),
    "in front of": ("in front of", "before", "partly hiding"),
    "behind": ("behind", "at the back of", "partly hidden by"),
}
PLACE_PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "sea": ("on the sea", "at sea", "on the ocean", "in the sea", "on the water", "in the water"),
    "field": ("in a field", "in the field", "on a meadow", "in the grass", "on a green field"),
    "desert": ("in the desert", "in a desert", "on the dunes", "among sand dunes"),
    "city": ("in the city", "in a city", "in town", "in a street", "among tall buildings", "downtown"),
    "sky": ("in the sky", "up in the air", "among clouds", "high in the sky"),
    "snow": ("on a snowy plain", "on snow", "in a snowy landscape", "on the ice", "in the arctic"),
    "room": ("in a room", "indoors", "in the living room", "inside"),
    "road": ("on the road", "on a road", "on the highway", "on the street", "on a country road"),
    "forest": ("in the forest", "in a forest", "in the woods", "deep in the woods"),
    "beach": ("on the beach", "at the beach", "on the sand", "on the shore", "at the seaside"),
    "mountains": ("in the mountains", "near the mountains", "in the hills", "among the peaks"),
    "harbour": ("in the harbour", "in a harbour", "at the port", "at the docks", "at the harbor"),
}
ALONE_PLACES: Final[dict[str, tuple[str, ...]]] = {
    "sea": ("the sea", "sea", "ocean", "water", "on the sea", "the open sea"),
    "field": ("a field", "field", "meadow", "grass", "in a field", "countryside"),
    "desert": ("the desert", "desert", "sand dunes", "in the desert"),
    "city": ("the city", "city", "a city", "town", "buildings", "in the city", "skyscrapers"),
    "sky": ("the sky", "sky", "in the sky", "clouds", "the air"),
    "snow": ("a snowy plain", "on a snowy plain", "snowy landscape", "snow field", "the arctic"),
    "room": ("a room", "room", "indoors", "in a room", "living room", "interior", "inside"),
    "road": ("a road", "road", "highway", "on the road", "country road"),
    "forest": ("a forest", "forest", "woods", "in the forest", "the woods"),
    "beach": ("the beach", "beach", "shore", "on the beach", "seaside"),
    "mountains": ("mountains", "in the mountains", "the mountains", "peaks", "a mountain"),
    "harbour": ("a harbour", "harbour", "harbor", "port", "in the harbour", "docks", "the harbour"),
}
WEATHER_PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "clear": (
        "on a clear day",
        "by day",
        "in daylight",
        "in the sunshine",
        "on a sunny day",
        "during the day",
    ),
    "rain": ("in the rain", "while it rains", "on a rainy day", "in a rainstorm"),
    "fog": ("in the fog", "in the mist", "on a foggy day", "in thick fog"),
    "snow": ("in falling snow", "while it snows", "in a snowstorm", "with snow falling", "in a snowfall"),
    "dusk": ("at dusk", "at sunset", "in the evening", "at twilight", "in the evening light"),
    "night": ("at night", "in the dark", "after dark", "in the night", "at nighttime"),
}
ALONE_WEATHERS: Final[dict[str, tuple[str, ...]]] = {
    "clear": ("a clear day", "a sunny day", "daylight", "sunshine", "by day", "sunny", "on a clear day"),
    "rain": ("rain", "in the rain", "rainy", "rainy weather", "it rains", "a rainy day"),
    "fog": ("fog", "in the fog", "foggy", "mist", "misty", "foggy weather"),
    "snow": ("falling snow", "in falling snow", "snowfall", "snowstorm", "it snows", "snow falling"),
    "dusk": ("dusk", "at dusk", "sunset", "evening", "twilight", "at sunset"),
    "night": ("night", "at night", "dark", "nighttime", "the night", "darkness"),
}
SHOT_PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "close-up": ("a close-up", "close-up", "a close shot", "a close up shot", "a close view"),
    "medium": ("a medium shot", "medium shot", "a medium view"),
    "wide": ("a wide shot", "wide shot", "a distant view", "a long shot", "a wide view"),
}
OPENINGS: Final = (
    "a photo of", "a picture of", "a video of", "a shot of", "a clip of", "there is", "we see", "footage of",
    "an image of", "a scene with", "a drawing of", "show me", "this is",
)  # fmt: skip


def plural_of(noun: str) -> str:
    """The plural of one of the nouns above."""
    head, _, last = noun.rpartition(" ")
    return f"{head} {_PLURALS.get(last, last + 's')}".strip()


def all_words() -> list[str]:
    """Every word that can occur in a sentence, in alphabetical order."""
    texts: list[str] = ["an and with of snow in the cactuses persons fishes"]
    for table in (
        SINGULARS, COLOUR_WORDS, COUNT_WORDS, RELATION_PHRASES, PLACE_PHRASES, ALONE_PLACES, WEATHER_PHRASES,
        ALONE_WEATHERS, SHOT_PHRASES,
    ):  # fmt: skip
        for phrases in table.values():
            texts.extend(phrases)
    texts.extend(plural_of(noun) for nouns in SINGULARS.values() for noun in nouns)
    texts.extend((*OPENINGS, *SOMETHING))
    return sorted({word for text in texts for word in text.replace("-", " ").split()})
