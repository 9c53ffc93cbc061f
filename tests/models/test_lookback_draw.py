"""The draw: the same for whoever repeats it, fair to inspectors, blind to their own units."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from models.lookbacks import Candidate, DrawInputs, DrawRecord, Inspector, SeedFrom, draw, population_hash, verify

UNITS = ("/root/a/", "/root/b/", "/root/b/c/", "/root/d/")
people = st.integers(1, 12).map(lambda number: UUID(int=number))
candidates = st.builds(
    Candidate,
    item=st.integers(100, 10_000).map(lambda number: UUID(int=number)),
    cycle=st.integers(1, 3),
    unit_path=st.sampled_from(UNITS),
    stratum=st.sampled_from(["", "x", "y"]),
    barred=st.lists(people, max_size=3, unique=True).map(sorted).map(tuple),
)
populations = st.lists(candidates, max_size=40, unique_by=lambda candidate: candidate.item)
inspectors = st.builds(
    Inspector,
    person=people,
    covers=st.sampled_from([("/root/",), ("/root/b/",), ("/root/a/", "/root/d/")]),
    own=st.lists(st.sampled_from(UNITS), max_size=1).map(tuple),
    load=st.integers(0, 4),
)
pools = st.lists(inspectors, max_size=8, unique_by=lambda inspector: inspector.person)
seeds = st.text(min_size=1, max_size=20)
counts = st.integers(0, 50)
teams = st.integers(1, 2)
joints = st.booleans()


def recorded(population, pool, seed: str, **how) -> DrawRecord:
    return DrawInputs.of(population, pool, **how).drawn(seed, SeedFrom.CALLED)


hows = st.fixed_dictionaries({"count": counts, "team": teams, "joint": joints})


@given(populations, pools, seeds, hows, st.randoms())
def test_the_same_seed_and_population_give_the_same_draw_in_any_order(population, pool, seed, how, shuffler):
    first, record = draw(population, pool, seed, **how), recorded(population, pool, seed, **how)
    shuffler.shuffle(population)
    shuffler.shuffle(pool)
    assert draw(population, pool, seed, **how) == first
    assert recorded(population, pool, seed, **how) == record


@given(populations, pools, seeds, hows)
def test_nobody_inspects_their_own_unit_nor_what_they_owned_or_reviewed(population, pool, seed, how):
    items = {candidate.item: candidate for candidate in population}
    own = {inspector.person: inspector for inspector in pool}
    for assigned in draw(population, pool, seed, **how).assigned:
        candidate = items[assigned.item]
        for person in assigned.inspectors:
            assert candidate.unit_path not in own[person].own
            assert person not in candidate.barred
            assert any(candidate.unit_path.startswith(root) for root in own[person].covers)


@given(populations, pools, seeds, hows)
def test_as_many_are_drawn_as_asked_for_or_as_there_are(population, pool, seed, how):
    drawing = draw(population, pool, seed, **how)
    assert len(drawing.assigned) == min(how["count"], len(population) - len(drawing.set_aside))
    assert len({assigned.item for assigned in drawing.assigned}) == len(drawing.assigned)
    assert all(len(set(assigned.inspectors)) == how["team"] for assigned in drawing.assigned)


@given(populations, pools, seeds, counts, teams)
def test_joint_visits_change_who_goes_and_not_what_is_drawn(population, pool, seed, count, team):
    alone, joint = (draw(population, pool, seed, count=count, team=team, joint=joint) for joint in (False, True))
    assert {drawn.item for drawn in joint.assigned} == {drawn.item for drawn in alone.assigned}
    assert joint.set_aside == alone.set_aside


@given(st.integers(1, 40), st.integers(2, 8), seeds, teams)
def test_jointly_one_team_sees_all_that_is_drawn_of_a_unit(size, width, seed, team):
    population = [Candidate(item=UUID(int=100 + at), cycle=1, unit_path=UNITS[at % 4]) for at in range(size)]
    pool = [Inspector(person=UUID(int=1 + at), covers=("/root/",)) for at in range(width)]
    paths = {candidate.item: candidate.unit_path for candidate in population}
    drawn = draw(population, pool, seed, count=size, team=team, joint=True).assigned
    assert len({(paths[each.item], each.inspectors) for each in drawn}) == len({*paths.values()})


def test_where_no_team_may_see_all_of_a_unit_its_items_are_visited_apart() -> None:
    one, two = UUID(int=1), UUID(int=2)
    population = [
        Candidate(item=UUID(int=100 + at), cycle=1, unit_path="/root/a/", barred=(who,))
        for at, who in enumerate((one, two))
    ]
    pool = [Inspector(person=person, covers=("/root/",)) for person in (one, two)]
    drawn = draw(population, pool, "7", count=2, joint=True).assigned
    assert {each.item.int: each.inspectors for each in drawn} == {100: (two,), 101: (one,)}


@given(st.integers(1, 60), st.integers(2, 8), seeds, teams)
def test_where_everybody_may_go_everywhere_nobody_has_two_visits_more_than_another(size, width, seed, team):
    population = [Candidate(item=UUID(int=100 + at), cycle=1, unit_path="/root/a/") for at in range(size)]
    pool = [Inspector(person=UUID(int=1 + at), covers=("/root/",)) for at in range(width)]
    drawn = draw(population, pool, seed, count=size, team=team).assigned
    loads = Counter(person for assigned in drawn for person in assigned.inspectors)
    assert max(loads.values()) - min(loads[inspector.person] for inspector in pool) <= 1


@given(st.integers(0, 60), st.lists(st.integers(0, 6), min_size=2, max_size=8), seeds)
def test_whoever_has_visits_waiting_gets_fewer_until_all_have_alike(size, loads, seed):
    """Nobody gets another visit while somebody else who may go has fewer, what waits from earlier draws counted."""
    population = [Candidate(item=UUID(int=100 + at), cycle=1, unit_path="/root/a/") for at in range(size)]
    pool = [Inspector(person=UUID(int=1 + at), covers=("/root/",), load=load) for at, load in enumerate(loads)]
    fresh = Counter(person for each in draw(population, pool, seed, count=size).assigned for person in each.inspectors)
    total = {inspector.person: inspector.load + fresh[inspector.person] for inspector in pool}
    assert all(total[person] <= min(total.values()) + 1 for person in fresh)


@given(populations, seeds, counts)
def test_strata_are_drawn_in_proportion_to_their_sizes(population, seed, count):
    pool = [Inspector(person=UUID(int=999), covers=("/root/",))]
    drawn = draw(population, pool, seed, count=count).assigned
    stratum = {candidate.item: candidate.stratum for candidate in population}
    sizes, shares = Counter(stratum.values()), Counter(stratum[assigned.item] for assigned in drawn)
    for name, size in sizes.items():
        assert abs(shares[name] - len(drawn) * size / len(population)) < 1


@given(populations, pools, seeds, hows)
def test_a_record_read_back_from_its_written_form_holds(population, pool, seed, how):
    record = recorded(population, pool, seed, **how)
    again = DrawRecord.model_validate_json(record.model_dump_json())
    assert again == record
    assert verify(again) == []


@given(populations.filter(bool), pools, seeds, st.data())
def test_a_changed_population_shows_by_its_hash(population, pool, seed, data):
    record = recorded(population, pool, seed, count=len(population))
    missing = data.draw(st.sampled_from(record.population))
    fewer = tuple(candidate for candidate in record.population if candidate != missing)
    assert population_hash(fewer) != record.population_hash
    assert "population_changed" in verify(record.model_copy(update={"population": fewer}))


def test_another_result_under_the_same_seed_is_told() -> None:
    population = [Candidate(item=UUID(int=100 + at), cycle=1, unit_path="/root/a/") for at in range(20)]
    pool = [Inspector(person=UUID(int=1 + at), covers=("/root/",)) for at in range(3)]
    record = recorded(population, pool, "7", count=5)
    forged = record.drawing.model_copy(update={"assigned": record.drawing.assigned[1:]})
    assert verify(record.model_copy(update={"drawing": forged})) == ["drawing_differs"]
    assert verify(record.model_copy(update={"seed": "8"})) == ["drawing_differs"]


def test_a_pool_changed_afterwards_shows_even_where_the_result_stays() -> None:
    population = [Candidate(item=UUID(int=100), cycle=1, unit_path="/root/a/")]
    record = recorded(population, [Inspector(person=UUID(int=1), covers=("/root/",))], "7", count=1)
    heavier = tuple(each.model_copy(update={"load": 3}) for each in record.inspectors)
    assert verify(record.model_copy(update={"inspectors": heavier})) == ["inputs_changed"]
    assert verify(record.model_copy(update={"algorithm": "lottery"})) == ["unknown_algorithm"]


def test_the_algorithm_gives_what_it_gave_when_it_was_fixed() -> None:
    """Records of past years must hold under every later version of the product and of Python."""
    population = [
        Candidate(item=UUID(int=100 + at), cycle=1, unit_path=UNITS[at % 4], stratum=UNITS[at % 4]) for at in range(12)
    ]
    pool = [Inspector(person=UUID(int=1 + at), covers=("/root/",), own=(UNITS[at],)) for at in range(3)]
    drawn = draw(population, pool, "2026-07-01", count=4, team=2).assigned
    assert [(assigned.item.int, *(person.int for person in assigned.inspectors)) for assigned in drawn] == [
        (103, 3, 2),
        (101, 1, 3),
        (108, 2, 3),
        (106, 1, 2),
    ]
