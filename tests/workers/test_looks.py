"""A photo is known again after what people do to it, and no other photo is taken for it: a part of tests.corpus."""

import pytest
from PIL import Image

from models.evidence import RADIUS, Kind
from tests.corpus.recall import WITHIN, apart, distance, found
from tests.corpus.scenes import scenes
from workers import looks

PHOTOS = {name: scene for name, scene in scenes().items() if name in ("astronaut", "china", "coffee", "gravel")}
SOUGHT_IN_VAIN = ("% cut off one side",)
"""Found often, not always: docs/evidence.md says how often."""


@pytest.fixture(scope="module")
def distances() -> dict[str, dict[str, int]]:
    return found(PHOTOS)


def test_a_changed_photo_is_known_again(distances):
    sure = {change: of for change, of in distances.items() if not change.endswith(SOUGHT_IN_VAIN)}
    assert len(sure) >= 16
    assert {change: max(of.values()) for change, of in sure.items() if max(of.values()) > WITHIN} == {}


def test_scenes_that_share_nothing_stay_apart():
    assert min(apart(PHOTOS)) > 1.5 * WITHIN


@pytest.mark.parametrize("tone", ["black", "white", "teal"])
def test_a_picture_that_shows_nothing_has_no_look(tone):
    assert looks.of_picture(Image.new("RGB", (800, 600), tone)) == ()


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 2), (20, 20)])
def test_the_smallest_pictures_are_looked_at_too(size):
    picture = Image.linear_gradient("L").resize(size)
    assert all(len(look) == 32 for look in looks.of_picture(picture))


def test_statements_in_the_same_official_style_are_not_taken_for_copies():
    one = (
        "已召开专题会议研究部署，对照问题清单逐条落实整改措施，明确责任人和完成时限，目前整改工作已全部完成，特此报告。"
    )
    other = (
        "对照问题清单召开专题会议，逐条研究整改措施并明确责任人、时限，目前各项整改任务已经全部完成，已建立长效机制。"
    )
    pasted = one.replace("专题会议", "班子会议") + "附照片三张。"
    assert distance(looks.of_words(one), looks.of_words(other)) > 1.5 * RADIUS[Kind.TEXT]
    assert distance(looks.of_words(one), looks.of_words(pasted)) <= RADIUS[Kind.TEXT]
