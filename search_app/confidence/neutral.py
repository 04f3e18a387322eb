"""Everyday texts that say nothing about the question: what a question has to beat."""

from __future__ import annotations

from typing import Final

_SUBJECTS: Final = (
    "people", "a person", "a man", "a woman", "a child", "a face", "a hand",
    "a dog", "a cat", "a horse", "a cow", "a sheep", "a bird", "a duck", "a fish", "an insect", "a butterfly",
    "a car", "a bus", "a truck", "a train", "a tram", "a bicycle", "a motorcycle", "a boat", "a ship", "a plane",
    "a helicopter", "a rocket", "a balloon", "a house", "a castle", "a church", "a tower", "a bridge", "a tent",
    "a windmill", "a lighthouse", "a shop", "a street sign", "a tree", "a palm", "a flower", "a mushroom",
    "a cactus", "a ball", "a flag", "the moon", "a star", "the sun", "an umbrella", "a chair", "a table",
    "a lamp", "a clock", "a cup", "a bottle", "a plate of food", "a cake", "a book", "a newspaper", "a phone",
    "a computer", "a screen", "a camera", "a guitar", "a piano", "a drum", "a robot", "a toy", "a kite", "a gun",
    "a hat", "a dress", "a uniform", "fire", "smoke", "dust", "text on a screen", "a logo", "a map",
    "someone walking", "someone running", "someone dancing", "someone talking", "someone eating",
    "someone driving", "someone playing music", "someone playing a game", "a fight",
)  # fmt: skip
_PLACES: Final = (
    "the sea", "a lake", "a river", "a waterfall", "a beach", "a harbour", "a field", "grass", "a forest",
    "a garden", "a park", "a desert", "mountains", "a road", "a motorway", "a street", "a city", "a village",
    "the sky", "clouds", "a room", "an office", "a kitchen", "a classroom", "a hospital", "a stage", "a stadium",
    "a factory", "a station", "an airport", "a snowy plain", "water",
)  # fmt: skip
_LIGHTS: Final = ("snow", "falling snow", "rain", "fog", "night", "dusk", "a clear day")
_OTHERS: Final = (
    "", "a video", "a picture", "a frame of a film", "something", "a thing", "things", "a scene", "a place",
    "close-up", "wide shot", "a drawing", "an animation", "black", "white", "something red", "something orange",
    "something yellow", "something green", "something blue", "something purple", "something pink",
    "something brown", "one thing", "two things", "three things", "many things", "a crowd",
)  # fmt: skip
NEUTRAL_TEXTS: Final = (*_SUBJECTS, *_PLACES, *_LIGHTS, *_OTHERS)
"""Subjects, places, weathers, colours and actions of any film: each is true of some shots and false of most."""

CLASSES: Final = {
    "subject": slice(0, len(_SUBJECTS)),
    "place": slice(len(_SUBJECTS), len(_SUBJECTS) + len(_PLACES)),
    "light": slice(len(_SUBJECTS) + len(_PLACES), len(NEUTRAL_TEXTS) - len(_OTHERS)),
}
"""Ranges of `NEUTRAL_TEXTS` of which a shot mostly shows one text: the rivals of a word among them."""

NONSENSE: Final = "zxqv"
"""A word of no language."""

EMPTY_WORDS: Final = frozenset(
    {
        "something", "someone", "some", "thing", "things", "one", "any", "shot", "shots", "scene", "scenes",
        "video", "film", "clip", "footage", "picture", "image", "frame", "view", "close", "closeup", "up", "wide",
        "medium", "big", "small", "large", "very", "really", "seen", "showing", "shown", "photo", "photos",
        "photograph", "drawing", "animation", "images", "pictures", "videos", "clips", "see", "show", "there",
        "anything", "everything", "nothing", "object", "objects", "long", "distant", "we", "you", "i", "it", "me",
        "us", "my", "our", "among", "near", "thick", "heavy", "dense", "deep", "high", "low", "tall", "bright",
        "beautiful", "nice", "lovely", "good", "great", "old", "new", "young", "little", "tiny", "huge",
    }
)  # fmt: skip
"""Words of a question that no frame shows by themselves; stop words of every language are left out before."""

LIGHT_WORDS: Final = frozenset(
    {
        "day", "daylight", "daytime", "light", "clear", "sunny", "sunshine", "night", "nighttime", "dark",
        "darkness", "dusk", "dawn", "sunset", "sunrise", "evening", "morning", "twilight", "rain", "rains",
        "rainy", "rainfall", "rainstorm", "fog", "foggy", "mist", "misty", "snow", "snows", "snowy", "snowfall",
        "snowstorm", "falling",
    }
)  # fmt: skip
"""Words of light and weather: so many frames share them that even the best one hardly stands out."""
