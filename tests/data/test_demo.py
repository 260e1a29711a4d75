from ssr.config import Demo
from ssr.data.demo import positions


def test_splits_share_no_scene():
    made = positions(Demo(train=5, tune=3, val=2))
    assert {split: len(own) for split, own in made.items()} == {"train": 5, "tune": 3, "val": 2}
    assert sorted(position for own in made.values() for position in own) == list(range(10))


def test_more_training_images_change_no_other_split():
    few, many = positions(Demo(train=5)), positions(Demo(train=500))
    assert few["val"] == many["val"]
    assert few["tune"] == many["tune"]
    assert few["train"] == many["train"][:5]
