"""Near misses: which tags a person takes for the wanted one."""

from __future__ import annotations

import unicodedata
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.selections.near_misses import (
    Difference,
    NearMiss,
    WantedTag,
    WantedTags,
    difference,
    fold,
    near_keys,
    near_misses,
    near_pattern,
    stray_white_space,
    wanted_tags,
    white_space_at_ends,
)
from backup_rules.selections.picking import Selection, SelectionSummary, TagCondition

SUMMARY = SelectionSummary("s-1", "nightly", "p-1", "prod", "arn:aws:iam::111122223333:role/backup")
BOTH = Difference.CASE | Difference.WHITE_SPACE
PREFIX = "aws:ResourceTag/"


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        pytest.param("backup", "backup", Difference.SAME, id="identical"),
        pytest.param("backup", "backups", None, id="another word"),
        pytest.param("", "true", None, id="empty and not"),
        pytest.param("backup", "Backup", Difference.CASE, id="capital"),
        pytest.param("BACKUP", "bAcKuP", Difference.CASE, id="mixed"),
        pytest.param("STRASSE", "straße", Difference.CASE, id="sharp s and its capitals"),
        pytest.param("strasse", "straße", Difference.CASE, id="sharp s and its other spelling"),
        pytest.param("ΟΔΟΣ", "οδος", Difference.CASE, id="final sigma"),
        pytest.param("DAILY", "da\u0131ly", Difference.CASE, id="Turkish lower case"),
        pytest.param("istanbul", "\u0130STANBUL", Difference.CASE, id="Turkish upper case"),
        pytest.param("\u0130", "i\u0307", Difference.CASE, id="what Python makes of the dotted capital"),
        pytest.param("daily", "da\u0131ly", Difference.CASE, id="dotless among lower case"),
        pytest.param("backup", "backup ", Difference.WHITE_SPACE, id="blank at the end"),
        pytest.param("backup", "\tbackup\n", Difference.WHITE_SPACE, id="tab and line break around"),
        pytest.param("AWSBackup ", "AWSBackup", Difference.WHITE_SPACE, id="the selection has the blank"),
        pytest.param("my tag", "my  tag", Difference.WHITE_SPACE, id="two blanks within"),
        pytest.param("my tag", "my\u00a0tag", Difference.WHITE_SPACE, id="no-break space"),
        pytest.param("my tag", "my\u2007tag", Difference.WHITE_SPACE, id="figure space"),
        pytest.param("my tag", "my\u202ftag", Difference.WHITE_SPACE, id="narrow no-break space"),
        pytest.param("my tag", "my\u3000tag", Difference.WHITE_SPACE, id="wide blank"),
        pytest.param("my tag", "my\u2800tag", Difference.WHITE_SPACE, id="empty Braille pattern"),
        pytest.param("mytag", "my\u200btag", Difference.WHITE_SPACE, id="zero-width space"),
        pytest.param("mytag", "\ufeffmytag", Difference.WHITE_SPACE, id="byte order mark"),
        pytest.param("mytag", "my\u00adtag", Difference.WHITE_SPACE, id="soft hyphen"),
        pytest.param("my tag", "my \u200b tag", Difference.WHITE_SPACE, id="no width among blanks"),
        pytest.param("", " ", Difference.WHITE_SPACE, id="empty and blank"),
        pytest.param("caf\u00e9", "cafe\u0301", Difference.WHITE_SPACE, id="accent of one and of two characters"),
        pytest.param("caf\u00e9", "CAFE\u0301", Difference.CASE, id="accents never count beside case"),
        pytest.param("caf\u00e9", "cafe\u0301 ", Difference.WHITE_SPACE, id="accents never count beside white space"),
        pytest.param("backup", "Backup ", BOTH, id="both"),
        pytest.param("My Tag", "my\u00a0TAG", BOTH, id="both within"),
        pytest.param("my tag", "mytag", None, id="a blank more"),
        pytest.param("mytag", "my tag", None, id="a blank fewer"),
        pytest.param("my-tag", "my tag", None, id="a hyphen is no blank"),
        pytest.param("my_tag", "my-tag", None, id="nor the same as another"),
        pytest.param("caf\u00e9", "cafe", None, id="without the accent"),
        pytest.param("a", "\uff41", None, id="full-width letter"),
        pytest.param("0", "O", None, id="alike, but no case"),
    ],
)
def test_difference(wanted: str, found: str, expected: Difference | None) -> None:
    assert difference(wanted, found) == expected
    assert difference(found, wanted) == expected


tag_texts = st.text(alphabet="abAB \t\u00a0\u200b\u0131\u0130iIße\u0301\u00e9", max_size=6)


@settings(max_examples=200)
@given(tag_texts, tag_texts)
def test_near_texts_share_their_fold_and_others_do_not(one: str, other: str) -> None:
    """The index by fold finds all near texts, and only those."""
    assert (difference(one, other) is not None) == (fold(one) == fold(other))
    assert fold(fold(one)) == fold(one)


@settings(max_examples=200)
@given(
    text=st.text(alphabet="abcXYZ", min_size=1, max_size=6),
    blanks=st.sampled_from(["", " ", "\t", "\u00a0 ", "\u200b"]),
    swap=st.booleans(),
)
def test_a_tag_that_was_bent_says_how(text: str, blanks: str, *, swap: bool) -> None:
    expected = (Difference.CASE if swap else Difference.SAME) | (Difference.WHITE_SPACE if blanks else Difference.SAME)
    assert difference(text, blanks + (text.swapcase() if swap else text)) == expected


@pytest.mark.parametrize(
    ("pattern", "found", "expected"),
    [
        pytest.param("prod*", "production", Difference.SAME, id="matches"),
        pytest.param("prod*", "Production", Difference.CASE, id="case"),
        pytest.param("PROD*", "prod-1", Difference.CASE, id="case of the pattern"),
        pytest.param("prod*", "prod-1 ", Difference.WHITE_SPACE, id="no star takes the blank at the end"),
        pytest.param("prod* ", "prod-1", Difference.WHITE_SPACE, id="the pattern has the blank"),
        pytest.param("prod *", "prod\u00a0east", Difference.WHITE_SPACE, id="no-break space"),
        pytest.param("prod*", " Prod-1", BOTH, id="both"),
        pytest.param("caf\u00e9*", "cafe\u0301-1", Difference.WHITE_SPACE, id="accent"),
        pytest.param("prod*", "prod east", None, id="a blank within is a difference to a person too"),
        pytest.param("prod*", "test", None, id="another word"),
        pytest.param("*", "", Difference.SAME, id="anything is nothing as well"),
    ],
)
def test_near_pattern(pattern: str, found: str, expected: Difference | None) -> None:
    assert near_pattern(pattern, found) == expected


def test_wanted_tags_are_what_is_asked_for_and_bare() -> None:
    selection = Selection(
        SUMMARY,
        list_of_tags=(TagCondition("backup", "true"), TagCondition("backup", "true"), TagCondition(PREFIX + "x", "1")),
        string_equals=(TagCondition(PREFIX + "stage", "prod"), TagCondition("stage", "bare")),
        string_not_equals=(TagCondition(PREFIX + "stage", "test"),),
        string_like=(TagCondition(PREFIX + "team", "a*"),),
        string_not_like=(TagCondition(PREFIX + "team", "*x"),),
    )
    assert wanted_tags(selection) == (
        WantedTag("backup", "true"),
        WantedTag(PREFIX + "x", "1"),
        WantedTag("stage", "prod"),
        WantedTag("team", "a*", is_pattern=True),
    )


TRUE = WantedTag("backup", "true")
TEAM = WantedTag("team", "a*", is_pattern=True)


@pytest.mark.parametrize(
    ("wanted", "tags", "expected"),
    [
        pytest.param([TRUE], {"backup": "true"}, [], id="carries it"),
        pytest.param([TRUE], {"owner": "true"}, [], id="another key"),
        pytest.param([TRUE], {"Backup": "false"}, [], id="near key, another value"),
        pytest.param([TRUE], {}, [], id="no tags"),
        pytest.param([TRUE], {"Backup": "true"}, [(TRUE, "Backup", "true", Difference.CASE)], id="key"),
        pytest.param([TRUE], {"backup": "TRUE"}, [(TRUE, "backup", "TRUE", Difference.CASE)], id="value"),
        pytest.param([TRUE], {"Backup": "TRUE"}, [(TRUE, "Backup", "TRUE", Difference.CASE)], id="key and value"),
        pytest.param(
            [TRUE],
            {"backup ": "true"},
            [(TRUE, "backup ", "true", Difference.WHITE_SPACE)],
            id="white space of the key",
        ),
        pytest.param([TRUE], {"Backup": "true "}, [(TRUE, "Backup", "true ", BOTH)], id="case here, white space there"),
        pytest.param([TRUE], {"Backup": "true", "backup": "true"}, [], id="carries it as well"),
        pytest.param(
            [TRUE],
            {"Backup": "true", "backup": "no"},
            [(TRUE, "Backup", "true", Difference.CASE)],
            id="carries the key with another value",
        ),
        pytest.param([TEAM], {"Team": "a1"}, [(TEAM, "Team", "a1", Difference.CASE)], id="pattern, near key"),
        pytest.param([TEAM], {"team": "A1 "}, [(TEAM, "team", "A1 ", BOTH)], id="pattern, near value"),
        pytest.param([TEAM], {"Team": "b1", "team": "a1"}, [], id="pattern, carried"),
        pytest.param(
            [TRUE, WantedTag("BACKUP", "true")],
            {"backup": "true"},
            [(WantedTag("BACKUP", "true"), "backup", "true", Difference.CASE)],
            id="what one selection wants is another's near miss",
        ),
    ],
)
def test_near_misses(
    wanted: list[WantedTag], tags: dict[str, str], expected: list[tuple[WantedTag, str, str, Difference]]
) -> None:
    assert near_misses(wanted, tags) == tuple(NearMiss(*each) for each in expected)


words = st.sampled_from(["true", "True", "true ", "TRUE\u00a0", "no", "t*", "T*"])
wanted_lists = st.lists(st.builds(WantedTag, st.sampled_from(["k", "K", "k "]), words, st.booleans()), max_size=4)


def folded_by_hand(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()


@settings(max_examples=200)
@given(wanted_lists, st.dictionaries(st.sampled_from(["k", "K", " k", "other"]), words, max_size=3))
def test_the_index_finds_what_comparing_all_finds(wanted: list[WantedTag], tags: dict[str, str]) -> None:
    plain = [each for each in dict.fromkeys(wanted) if not each.is_pattern]
    expected = {
        (tag, key, value)
        for tag, (key, value) in product(plain, tags.items())
        if (folded_by_hand(tag.key), folded_by_hand(tag.value)) == (folded_by_hand(key), folded_by_hand(value))
        and tags.get(tag.key) != tag.value
    }
    found = [(each.wanted, each.key, each.value) for each in near_misses(wanted, tags) if not each.wanted.is_pattern]
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_only_near_keys_need_reading() -> None:
    keys = ["Name", "backup", "Backup ", "team", "backups"]
    assert WantedTags([TRUE]).near_keys(keys) == ("backup", "Backup ")
    assert near_keys([TRUE, TEAM, WantedTag("cost", "1")], keys) == {
        "backup": ("backup", "Backup "),
        "team": ("team",),
        "cost": (),
    }


def test_a_near_miss_tells_whether_the_key_is_to_be_renamed() -> None:
    (of_key,) = near_misses([TRUE], {"Backup": "true"})
    (of_value,) = near_misses([TRUE], {"backup": "True"})
    assert of_key.key_differs
    assert not of_value.key_differs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("backup", False, id="none"),
        pytest.param("my tag", False, id="within only"),
        pytest.param("", False, id="empty"),
        pytest.param("backup ", True, id="end"),
        pytest.param("\u00a0backup", True, id="no-break space at the beginning"),
        pytest.param("backup\u200b", True, id="no width"),
        pytest.param(" ", True, id="nothing else"),
    ],
)
def test_white_space_at_ends(text: str, *, expected: bool) -> None:
    assert white_space_at_ends(text) is expected


def test_a_selections_own_white_space_is_quoted_as_it_stands() -> None:
    selection = Selection(
        SUMMARY,
        list_of_tags=(TagCondition("backup ", "true"), TagCondition("backup", "true")),
        string_equals=(TagCondition(PREFIX + " stage", "prod"), TagCondition(" " + PREFIX + "stage", "prod")),
        string_not_like=(TagCondition(PREFIX + "team", "a*\u00a0"),),
    )
    assert stray_white_space(selection) == (
        'tag "backup "="true"',
        'StringEquals " stage"="prod"',
        'StringEquals " aws:ResourceTag/stage"="prod"',
        r'StringNotLike "team"="a*\u00a0"',
    )


@settings(max_examples=200)
@given(wanted_lists, st.dictionaries(st.sampled_from(["k", "K", " k", "other"]), words, max_size=3))
def test_tags_that_are_looked_up_together_miss_the_same(wanted: list[WantedTag], tags: dict[str, str]) -> None:
    alone, together = WantedTags(wanted), WantedTags(wanted)
    together.look_up(tags.items())
    assert together.near_misses(tags) == alone.near_misses(tags)
    assert [together.near(*tag) for tag in tags.items()] == [alone.near(*tag) for tag in tags.items()]
